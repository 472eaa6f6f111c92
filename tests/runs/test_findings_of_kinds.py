"""What is found in the product's own runs: nothing where they end well, the setting where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import retrograd as rg
from retrograd.datasets import sacramento_homes
from retrograd.kinds.registry import KINDS


def reviews() -> pa.Table:
    """Texts of a dozen words, one of which tells the verdict."""
    rng = np.random.default_rng(1)
    words = np.array(
        [
            "sea",
            "city",
            "moon",
            "farm",
            "river",
            "king",
            "horse",
            "ship",
            "war",
            "love",
            "song",
            "night",
        ]
    )
    code = rng.integers(0, 2, 300)
    texts = [
        " ".join([*rng.choice(words, 6), ["dull", "lovely"][c], *rng.choice(words, 5)])
        for c in code
    ]
    return pa.table({"review": texts, "verdict": np.array(["bad", "good"])[code].tolist()})


def pulses() -> dict[str, np.ndarray[Any, Any]]:
    """Signals (240, 2, 16) that rise or fall."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 240)
    x = np.linspace(-1, 1, 16) * (2 * y[:, None, None] - 1) + rng.normal(0, 0.3, (240, 2, 16))
    return {"x": x, "y": y}


def pictures() -> dict[str, np.ndarray[Any, Any]]:
    """Bytes (240, 8, 8, 1) of which the upper half or the lower one is bright."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 240)
    x = rng.integers(0, 90, (240, 8, 8, 1))
    for image, side in zip(x, y, strict=True):
        image[4 * side : 4 * side + 4] += 120
    return {"x": x.astype(np.uint8), "y": y}


def tides() -> pa.Table:
    """Four hundred hours that repeat after twelve."""
    hours = np.arange(400)
    drawn = np.random.default_rng(5).normal(0, 0.1, 400)
    return pa.table({"level": np.sin(2 * np.pi * hours / 12) + drawn})


def shanty() -> dict[str, list[str]]:
    return {"text": ["haul away the bowline", "haul away the rope", "the bowline haul"] * 40}


SMALL = {"width": 16, "depth": 1}
WELL: dict[str, tuple[Any, dict[str, Any]]] = {
    "table table": (sacramento_homes, {"target": "price", "width": 16, "members": 4}),
    **{
        f"text {model}": (reviews, {"target": "verdict", "epochs": 10, **SMALL})
        for model in ("bag", "cnn", "gru", "lstm", "transformer")
    },
    **{f"signals {model}": (pulses, {"epochs": 8}) for model in ("cnn", "gru", "lstm")},
    **{f"images {model}": (pictures, {"epochs": 8}) for model in ("mlp", "cnn", "resnet")},
    "forecast forecaster": (tides, {"target": "level", "task": "forecast", "horizon": 6}),
    **{
        f"language-model {model}": (
            shanty,
            {"task": "language-model", "context": 24, "batch_size": 8, "epochs": 20, **SMALL},
        )
        for model in ("lstm", "transformer")
    },
}


def trained(name: str, out: Path, **options: Any) -> Any:
    made, usual = WELL[name]
    return rg.train(made(), model=name.split()[1], out=out / "run", **{**usual, **options})


def found(run: Any) -> list[str]:
    return [each.code for each in run.findings() if each.severity != "note"]


def test_every_architecture_is_tried() -> None:
    known = {f"{kind.name} {each.name}" for kind in KINDS.values() for each in kind.architectures}
    assert known == set(WELL)


@pytest.mark.parametrize("name", WELL)
def test_a_run_that_ends_well_has_no_findings(name: str, tmp_path: Path) -> None:
    run = trained(name, tmp_path)
    assert found(run) == []


# Of kinds whose data is easier, a rate that is far too high does no harm: under batch normalization
# it shrinks by itself.
@pytest.mark.parametrize(
    "name", ["table table", "signals gru", "forecast forecaster", "language-model lstm"]
)
def test_a_rate_that_is_far_too_high_is_named_first(name: str, tmp_path: Path) -> None:
    run = trained(name, tmp_path, learning_rate=100.0, epochs=4)
    assert found(run)[:1] in (["RG201"], ["RG202"])


@pytest.mark.parametrize(
    "name",
    [
        *("table table", "text bag", "signals gru", "images mlp", "forecast forecaster"),
        "language-model lstm",
    ],
)
def test_a_rate_that_is_far_too_low_is_named_first(name: str, tmp_path: Path) -> None:
    run = trained(name, tmp_path, learning_rate=1e-7, epochs=4)
    assert found(run)[:1] == ["RG203"]
