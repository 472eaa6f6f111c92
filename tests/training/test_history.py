"""Which epoch is the best, and how long ago it was."""

from __future__ import annotations

import math

import pytest

from retrograd.training.history import Epoch, History


def history(*validation: float) -> History:
    return History(
        [
            Epoch(
                epoch=number,
                step=10 * number,
                seconds=0.5 * number,
                train_loss=1.0,
                validation_loss=loss,
                learning_rate=0.1,
                best=False,
            )
            for number, loss in enumerate(validation, 1)
        ]
    )


@pytest.mark.parametrize(
    ("validation", "best", "since"),
    [
        ((3.0, 2.0, 1.0), 3, 0),
        ((3.0, 1.0, 2.0, 4.0), 2, 2),
        ((1.0, 1.0, 1.0), 1, 2),  # of equals the first
        ((math.nan, 2.0, 3.0), 2, 1),
        ((2.0, math.nan, -math.inf, math.inf), 1, 3),
    ],
)
def test_the_best_epoch_has_the_lowest_finite_validation_loss(validation, best, since) -> None:
    found = history(*validation)
    assert found.best is not None
    assert found.best.epoch == best
    assert found.since_best() == since


@pytest.mark.parametrize("validation", [(), (math.nan,), (math.nan, math.inf, math.nan)])
def test_without_a_finite_loss_none_is_best_and_all_epochs_count_since(validation) -> None:
    assert history(*validation).best is None
    assert history(*validation).since_best() == len(validation)


def test_an_epoch_is_a_line_of_its_fields() -> None:
    assert history(2.5).epochs[0].as_dict() == {
        "epoch": 1,
        "step": 10,
        "seconds": 0.5,
        "train_loss": 1.0,
        "validation_loss": 2.5,
        "learning_rate": 0.1,
        "best": False,
    }
