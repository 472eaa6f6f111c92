"""Each remedy stands once, and is drawn at random as it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from retrograd import nn, optim
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.diagnosis.remedies.table import OPTION_REMEDIES, PROGRAM_REMEDIES
from retrograd.diagnosis.remedies.variants import Remedies
from retrograd.kinds.table.model import TableOptions

X = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
PROGRAM = Program(
    model=lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)),
    loss=lambda output, y: nn.mse_loss(output[:, 0], y),
    train=Samples(X, X[:, 0]),
    valid=Samples(X, X[:, 0]),
    task="regression",
)
OPTIONS = TableOptions(target="y", epochs=40, patience=15, batch_size=32)


def rates(change: str, rate: float, code: str | None = None, **changes: Any) -> list[float]:
    program = replace(PROGRAM, options={"lr": rate}, **changes)
    found = None if code is None else finding(code, "x")
    return [p.options["lr"] for _, p in PROGRAM_REMEDIES.variants(change, program, found)]


@pytest.mark.parametrize(
    ("rate", "code", "lower"),
    [
        (0.1, "RG201", [0.001, 0.01]),
        (0.5, "RG201", [0.001, 0.05, 0.005]),  # the usual one first, if it is far away
        (2.1e-3, "RG201", [0.001, 2.1e-4, 2.1e-5]),
        (1.9e-3, "RG201", [1.9e-4, 1.9e-5]),
        (5.1e-3, "RG103", [0.001, 5.1e-4, 5.1e-5]),
        (4.9e-3, "RG103", []),  # about the usual rate, of which units do not die
        (4.9e-3, None, [0.001, 4.9e-4, 4.9e-5]),
    ],
)
def test_lower_learning_rates_of_a_program(
    rate: float, code: str | None, lower: list[float]
) -> None:
    assert rates("lower_learning_rate", rate, code) == pytest.approx(lower)


@pytest.mark.parametrize(
    ("rate", "code", "higher"),
    [
        (1e-4, "RG203", [1e-3, 1e-2]),
        (1e-5, "RG203", [1e-3, 1e-4]),
        (1e-6, "RG203", [1e-3, 1e-5, 1e-4]),  # the usual one first, if it is far away
        (1e-3, "RG203", [1e-2]),
        (3e-3, "RG203", []),  # 20 times the usual one is the most
        (1e-3, "RG206", [1e-2, 1e-4]),
        (1e-3, "RG504", [1e-2, 1e-4]),
        (3e-3, "RG504", [3e-4, 1e-3]),
        (1e-3, None, [1e-2]),
    ],
)
def test_higher_learning_rates_of_a_program(
    rate: float, code: str | None, higher: list[float]
) -> None:
    assert rates("raise_learning_rate", rate, code) == pytest.approx(higher)


def test_the_usual_rate_is_the_optimizers() -> None:
    assert rates("lower_learning_rate", 0.2, optimizer=optim.SGD) == pytest.approx(
        [0.05, 0.02, 0.002]
    )


def options(change: str, **changes: Any) -> list[tuple[str, Any]]:
    return OPTION_REMEDIES.variants(change, OPTIONS.replaced(**changes))


@pytest.mark.parametrize(
    ("change", "before", "words"),
    [
        ("raise_learning_rate", {"learning_rate": 0.01}, ["learning_rate 0.01 -> 0.03",
                                                          "learning_rate 0.01 -> 0.1"]),
        ("clip_gradients", {"clip_norm": 1.0}, ["clip_norm 1 -> 0.1"]),
        ("larger_batch", {}, ["batch_size 32 -> 128"]),
        ("smaller_batch", {}, ["batch_size 32 -> 8"]),
        ("more_epochs", {}, ["epochs 40 -> 120"]),
        ("more_epochs", {"epochs": 2}, ["epochs 2 -> 6", "epochs 2 -> 20"]),
        ("fewer_epochs", {}, ["epochs 40 -> 20", "epochs 40 -> 10"]),
        ("early_stopping", {}, ["patience 15 -> 4"]),
        ("early_stopping", {"patience": 4}, []),
        ("early_stopping", {"epochs": 20}, ["patience 15 -> 3"]),
        ("add_weight_decay", {"weight_decay": 0.0}, ["weight_decay 0 -> 0.01",
                                                     "weight_decay 0 -> 0.1"]),
        ("add_weight_decay", {"weight_decay": 0.02}, ["weight_decay 0.02 -> 0.2"]),
        ("lower_weight_decay", {"weight_decay": 0.02}, ["weight_decay 0.02 -> 0"]),
        ("lower_weight_decay", {"weight_decay": 0.0}, []),
        ("raise_dropout", {"dropout": 0.0}, ["dropout 0 -> 0.1", "dropout 0 -> 0.3"]),
        ("raise_dropout", {"dropout": 0.1}, ["dropout 0.1 -> 0.3"]),
        ("lower_dropout", {"dropout": 0.2}, ["dropout 0.2 -> 0.1", "dropout 0.2 -> 0"]),
        ("lower_dropout", {"dropout": 0.1}, ["dropout 0.1 -> 0"]),
        ("larger_model", {"width": 64}, ["width 64 -> 128"]),
        ("smaller_model", {"width": 64}, ["width 64 -> 32"]),
        ("shuffle", {}, []),
        ("no such remedy", {}, []),
    ],
)  # fmt: skip
def test_remedies_for_the_options_of_a_run(
    change: str, before: dict[str, Any], words: list[str]
) -> None:
    assert [each for each, _ in options(change, **before)] == words


def test_more_epochs_come_with_more_patience() -> None:
    ((_, changed),) = options("more_epochs")
    assert (changed.epochs, changed.patience) == (120, 30)
    unresolved = TableOptions(target="y")
    assert OPTION_REMEDIES.variants("more_epochs", unresolved) == []
    assert OPTION_REMEDIES.variants("early_stopping", unresolved) == []


def test_a_random_remedy_is_another_one_that_applies() -> None:
    made = Remedies[str](
        {
            "a": lambda subject, finding: [("a", subject)],
            "b": lambda subject, finding: [],
            "c": lambda subject, finding: [("c", subject), ("c2", subject)],
        }
    )
    for seed in range(8):
        assert made.random("s", "a", seed) == [("c", "s"), ("c2", "s")]
        assert made.random("s", "c", seed) == [("a", "s")]
        assert made.random("s", "x", seed) == made.random("s", "x", seed)
    assert {made.random("s", "x", seed)[0][0] for seed in range(8)} == {"a", "c"}
    assert Remedies[str]({"b": lambda subject, finding: []}).random("s", "x", 0) == []
