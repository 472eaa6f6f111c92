"""Small images that a network can tell apart, and a cache folder that is no person's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CLASSES = ("bar", "dot")


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


def draw(kind: str, rng: np.random.Generator, size: int = 12) -> np.ndarray:
    """uint8 (size, size): a bright bar or dot somewhere on a dark, noisy ground."""
    image = rng.integers(0, 40, (size, size))
    row, column = rng.integers(2, size - 3, 2)
    if kind == "bar":
        image[row, 1:-1] += 200
    else:
        image[row - 1 : row + 2, column - 1 : column + 2] += 200
    return image.astype(np.uint8)


@pytest.fixture
def write_folder() -> Callable[..., Path]:
    """Write `each` images a class into FOLDER/CLASS/."""

    def write(folder: Path, each: int = 20, seed: int = 0, suffix: str = ".png") -> Path:
        rng = np.random.default_rng(seed)
        for kind in CLASSES:
            (folder / kind).mkdir(parents=True)
            for number in range(each):
                Image.fromarray(draw(kind, rng)).save(folder / kind / f"{number:03}{suffix}")
        return folder

    return write
