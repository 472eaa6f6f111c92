"""Small programs, and what a remedy makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.diagnosis.remedies.table import PROGRAM_REMEDIES

ROWS = 120

variants = PROGRAM_REMEDIES.variants


def sample_data(seed: int = 0, classes: int = 0) -> dict[str, Samples]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, 6)).astype(np.float32)
    y: Any = (x[:, 0] - x[:, 1]).astype(np.float32)
    if classes:
        y = np.digitize(y, np.linspace(-1, 1, classes - 1)).astype(np.int64)
    return {"train": Samples(x[:80], y[:80]), "valid": Samples(x[80:], y[80:])}


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output[:, 0], target)


def regression(model: Callable[[], nn.Module] | None = None, **changes: Any) -> Program:
    program = Program(
        model=model or (lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))),
        loss=squared,
        task="regression",
        epochs=4,
        batch_size=16,
        **sample_data(),
    )
    return replace(program, **changes)


def classification(model: Callable[[], nn.Module] | None = None, **changes: Any) -> Program:
    program = Program(
        model=model or (lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))),
        loss=nn.cross_entropy,
        task="classification",
        epochs=4,
        batch_size=16,
        **sample_data(classes=3),
    )
    return replace(program, **changes)


def only(change: str, program: Program, code: str = "RG206", **numbers: float) -> Program:
    found = variants(change, program, finding(code, "x", **numbers))
    assert found, f"{change} does not apply"
    return found[0][1]


def layer_kinds(program: Program) -> list[str]:
    leaves = [m for m in program.model().modules() if not list(m.children())]
    return [type(module).__name__ for module in leaves]
