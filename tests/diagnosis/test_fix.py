"""A fix keeps what is shown to help, and nothing else; it says what was tried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrograd import nn, optim
from retrograd.diagnosis.fix import fix
from retrograd.diagnosis.remedies.program import Program, Samples


@pytest.fixture(scope="module")
def healthy() -> Program:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)).astype(np.float32)
    y = (x[:, 0] - 0.5 * x[:, 1] * x[:, 2]).astype(np.float32)
    parts = [Samples(x[a:b], y[a:b]) for a, b in ((0, 240), (240, 320), (320, 400))]
    return Program(
        model=lambda: nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1)),
        loss=lambda output, target: nn.mse_loss(output[:, 0], target),
        train=parts[0],
        valid=parts[1],
        test=parts[2],
        task="regression",
        options={"lr": 1e-2},
        epochs=12,
        batch_size=16,
    )


def test_a_learning_rate_that_is_too_high_is_found_and_mended(healthy: Program) -> None:
    faulty = replace(healthy, optimizer=optim.SGD, options={"lr": 3.0})
    found = fix(faulty, seeds=(0, 1), budget=12, beside_random=False)
    assert found.kept
    assert found.subject.options["lr"] < 0.5
    assert np.mean(found.scores) > 0.9 * healthy.run(0).score
    assert faulty.options == {"lr": 3.0}
    assert "helps" in str(found)


def test_a_healthy_program_is_left_alone(healthy: Program) -> None:
    found = fix(healthy, seeds=(0, 1), budget=12, beside_random=False)
    assert found.subject is healthy or found.kept
    errors = [
        trial for trial in found.trials if trial.finding and trial.finding.severity == "error"
    ]
    assert errors == []


def test_two_faults_that_hide_each_other_are_mended_together(healthy: Program) -> None:
    """Outputs that cannot be negative, and steps that are far too long."""

    def cut_off() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1), nn.ReLU())

    faulty = replace(healthy, model=cut_off, optimizer=optim.SGD, options={"lr": 3.0})
    found = fix(faulty, seeds=(0, 1), budget=14, beside_random=False)
    assert {trial.finding.code for trial in found.kept if trial.finding} >= {"RG404"}
    assert found.subject.options["lr"] < 0.5
    assert np.mean(found.scores) > 0.9 * healthy.run(0).score


def test_few_epochs_come_before_a_larger_network(healthy: Program) -> None:
    """Two epochs are plainly too few; no other remedy may take the credit for what they lack."""
    found = fix(replace(healthy, epochs=2), seeds=(0, 1), budget=6, beside_random=False)
    assert found.trials[0].finding is not None
    assert found.trials[0].finding.code == "RG216"
    assert found.subject.epochs > 2
