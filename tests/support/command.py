"""The command run in this process, in a folder of its own, and a small trained run to use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from retrograd.cli import main

QUICK = ("--epochs", "2", "--set", "width=8", "--set", "members=2", "--set", "bins=4")


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Command = Callable[..., Result]


@pytest.fixture
def retrograd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """Run `retrograd ARGUMENTS` as its script does, with `tmp_path` as the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Result:
        monkeypatch.setattr("sys.argv", ["retrograd", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def write_houses(path: Path, rows: int = 80, seed: int = 0) -> Path:
    """A table of invented houses whose price is a sum of what the other columns say."""
    rng = np.random.default_rng(seed)
    lines = ["size,beds,city,price"]
    for _ in range(rows):
        size, beds = rng.integers(40, 200), rng.integers(1, 6)
        city = rng.choice(["Albany", "Berne", "Cusco"])
        price = 1000 * size + 5000 * beds + 20_000 * (city == "Berne") + rng.integers(0, 999)
        lines.append(f"{size},{beds},{city},{price}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def _trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    write_houses(folder / "houses.csv")
    here = Path.cwd()
    os.chdir(folder)
    try:
        with pytest.MonkeyPatch.context() as patch:
            arguments = ["train", "houses.csv", "--target", "price", "--out", "run", "--quiet"]
            patch.setattr("sys.argv", ["retrograd", *arguments, *QUICK])
            with pytest.raises(SystemExit):
                main()
    finally:
        os.chdir(here)
    return folder


@pytest.fixture
def trained(_trained_once: Path, tmp_path: Path) -> Path:
    """A folder with `houses.csv` and the run `run` trained on it, to change at will."""
    shutil.copytree(_trained_once, tmp_path, dirs_exist_ok=True)
    return tmp_path
