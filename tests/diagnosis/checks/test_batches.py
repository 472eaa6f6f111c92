"""Batches: too few rows or too many, clipped steps, rows in order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.cases import BAD, GOOD, epoch_losses, losses, only, record, told

from retrograd.diagnosis.checks.batches import clipping, order, too_large, too_small
from retrograd.diagnosis.checks.case import Case, Data


def batch(
    rows: float, scale: float | None = None, left: float = BAD, per_epoch: int = 10, steps: int = 40
) -> Case:
    """Batches of `rows`, whose gradients have the noise scale `scale`, in rows."""
    series: dict[Any, Any] = {"loss": losses(steps, left), "batch_size": rows}
    if scale is not None:
        series |= {"gradient_dot": 1.0, "gradient_square": 1.0 + scale / rows}
    epochs = [{"step": per_epoch, **each} for each in epoch_losses([1.0])]
    return Case(record=record(series, epochs=epochs))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (batch(4), [("RG209", "warning")]),
        (batch(5), []),
        (batch(4, left=GOOD), []),
        (batch(1), [("RG209", "warning")]),
        (batch(4, per_epoch=1), []),
        (batch(32, 32 * 101), [("RG209", "note")]),
        (batch(32, 32 * 99.5), []),
        (batch(32, 32 * 101, left=GOOD), []),
        (batch(np.nan), []),
        (batch(0), []),
    ],
)
def test_batches_of_few_rows(case: Case, expected: list[Any]) -> None:
    assert told(too_small, case) == expected


def test_the_size_and_the_noise_of_small_batches_are_told() -> None:
    found = only(too_small, batch(2, 50)).evidence
    assert found.text == "A batch has 2 rows; the gradient noise scale is 50 rows."
    assert found.numbers == pytest.approx({"rows": 2, "noise_scale": 50}, rel=1e-4)
    noted = only(too_small, batch(32, 6400)).evidence
    assert noted.text == "A batch has 32 rows; the gradient noise scale is 6.4e+03 rows."
    assert noted.numbers == pytest.approx({"rows": 32, "noise_scale": 6400}, rel=1e-4)


def test_the_noise_is_that_of_the_second_half() -> None:
    """Of 198 steps the last 99; a step's is a mean over the last 32."""
    for begins, noise in ((99, 6500), (130, 6500 * 19 / 32)):
        square = np.where(np.arange(198) < begins, 1.0, 101.0)  # 0 rows, then 6500
        series = {"loss": losses(198, BAD), "gradient_dot": 1.0, "gradient_square": square}
        run = record({**series, "batch_size": 65.0})
        found = only(too_large, Case(record=run, train=ROWS, batch_size=65))
        assert found.evidence.numbers["noise_scale"] == pytest.approx(noise, rel=1e-3)


ROWS = Data((np.zeros((650, 1), np.float32),), np.zeros(650, np.float32))


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (batch(65, steps=199), True),
        (batch(64, steps=199), False),
        (batch(65, steps=200), False),
        (batch(65, steps=199, per_epoch=11), False),
        (batch(65, steps=199, left=GOOD), False),
    ],
)
def test_few_steps_of_many_rows(case: Case, is_found: bool) -> None:
    assert told(too_large, case) == ([("RG210", "warning")] if is_found else [])


def test_steps_and_rows_of_large_batches_are_told() -> None:
    found = only(too_large, batch(80, 160)).evidence
    assert found.text == "Batches of 80 rows give 10 steps per epoch, 40 in total."
    assert found.numbers == pytest.approx(
        {"rows": 80, "steps_per_epoch": 10, "steps_taken": 40, "noise_scale": 160}, rel=1e-4
    )


def test_steps_an_epoch_are_known_from_the_rows_too() -> None:
    run = record({"loss": losses(40, BAD), "batch_size": 100.0})
    assert told(too_large, Case(record=run)) == []
    assert told(too_large, Case(record=run, train=ROWS, batch_size=65)) == [("RG210", "warning")]
    assert told(too_large, Case(record=run, train=ROWS, batch_size=59)) == []


def clipped(
    kept: Any, left: float = BAD, norm: Any = 4.0, steps: int = 40, optimizer: str = "SGD"
) -> Case:
    series = {
        "loss": losses(steps, left),
        "gradient_norm": norm,
        "clipped_norm": np.multiply(kept, norm),
    }
    return Case(record=record(series, optimizer=optimizer))


def some(count: int, kept: float, steps: int = 40) -> np.ndarray[Any, Any]:
    """`count` of the steps are cut."""
    return np.where(np.arange(steps) < count, kept, 1.0)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (clipped(0.099), [("RG211", "warning")]),
        (clipped(0.099, GOOD), [("RG211", "note")]),
        (clipped(0.101), []),
        (clipped(some(39, 0.05)), [("RG211", "warning")]),
        (clipped(some(38, 0.05)), []),  # exactly 95 %
        (clipped(np.where(np.arange(40) < 30, 0.05, 0.998)), [("RG211", "warning")]),
        (clipped(np.where(np.arange(40) < 30, 0.05, 0.9995)), []),
        (clipped(0.05, steps=10), [("RG211", "warning")]),
        (clipped(0.05, steps=9), []),
        (clipped(0.05, norm=0.5), [("RG211", "warning")]),
        (clipped(0.05, norm=np.where(np.arange(40) < 10, 4.0, 0.0)), [("RG211", "warning")]),
        (clipped(0.05, norm=np.where(np.arange(40) < 9, 4.0, 0.0)), []),
        (clipped(0.05, norm=np.where(np.arange(40) < 9, 4.0, np.nan)), []),
    ],
)
def test_steps_that_are_nearly_all_clipped(case: Case, expected: list[Any]) -> None:
    assert told(clipping, case) == expected


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "RMSprop", "Adagrad"])
def test_clipping_is_no_warning_where_the_optimizer_undoes_the_scale(optimizer: str) -> None:
    assert told(clipping, clipped(0.05, optimizer=optimizer)) == [("RG211", "note")]


def test_how_much_is_clipped_is_told() -> None:
    found = only(clipping, clipped(0.05)).evidence
    assert found.text == (
        "100% of the steps are clipped, the median step to 5.0e-02 of its length. The median "
        "gradient norm is 4 before clipping and 0.2 after it."
    )
    assert found.numbers == pytest.approx({"share": 1, "kept": 0.05, "norm": 4})
    assert found.steps == (1, 40)


def ordered(target: Any, shuffled: bool | None = False, task: str = "classification") -> Case:
    y = np.asarray(target)
    return Case(train=Data((np.zeros((len(y), 1)),), y), task=task, shuffled=shuffled)


def runs(length: int, rows: int = 200) -> np.ndarray[Any, Any]:
    """Two classes in turn, `length` rows of each."""
    return np.arange(rows) // length % 2


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (ordered(runs(50)), True),
        (ordered(runs(50), shuffled=True), False),
        (ordered(runs(50), shuffled=None), False),
        (ordered(runs(1)), False),
        (ordered(runs(10, 20)), True),
        (ordered(runs(9, 19)), False),
        (ordered(np.zeros(200, int)), False),
        (ordered(np.linspace(0, 1, 200), task="regression"), True),
        (ordered(np.linspace(0, 1, 200)[:, None], task="regression"), True),
        (ordered(np.resize([0.0, 1.0], 200), task="regression"), False),
        (ordered(np.zeros(200), task="regression"), False),
    ],
)
def test_rows_in_the_order_of_their_targets(case: Case, is_found: bool) -> None:
    assert told(order, case) == ([("RG217", "warning")] if is_found else [])


@pytest.mark.parametrize(("changes", "is_found"), [(68, True), (70, False)])
def test_neighbors_alike_by_30_percent(changes: int, is_found: bool) -> None:
    """Of 199 pairs `changes` differ, where half of all pairs do."""
    y = np.concatenate([np.resize([0, 1], changes), np.full(100 - changes // 2, 0),
                        np.full(100 - changes // 2, 1)])  # fmt: skip
    differ = np.mean(y[1:] != y[:-1])
    assert (1 - differ / 0.5 > 0.3) == is_found
    found = order(ordered(y))
    assert bool(found) == is_found
    for each in found:
        assert each.evidence.numbers["alike"] == pytest.approx(1 - differ / 0.5)
        assert each.evidence.text.startswith("The rows are not shuffled")
        assert "31% less" in each.evidence.text


def test_alike_numbers_are_measured_by_their_squared_distance() -> None:
    y = np.random.default_rng(0).normal(size=100).cumsum()
    expected = 1 - np.mean((y[1:] - y[:-1]) ** 2) / (2 * y.var())
    found = only(order, ordered(y, task="regression"))
    assert found.evidence.numbers["alike"] == pytest.approx(expected)


def test_of_several_numbers_a_row_all_are_compared() -> None:
    y = np.random.default_rng(0).normal(size=(100, 2)).cumsum(0)
    expected = 1 - ((y[1:] - y[:-1]) ** 2).sum(1).mean() / (2 * y.var(0).sum())
    found = only(order, ordered(y, task="regression"))
    assert found.evidence.numbers["alike"] == pytest.approx(expected)


def repeating(
    share: float, per_epoch: int = 20, epochs: int = 6, shuffled: bool | None = None
) -> Case:
    """Losses of which each epoch's are, by `share`, those of the epoch before."""
    rng = np.random.default_rng(0)
    same = rng.normal(size=per_epoch)
    rows = [share * same + (1 - share) * rng.normal(size=per_epoch) for _ in range(epochs)]
    # A falling loss, whose slope is no repetition.
    loss = np.concatenate(rows) * 0.01 + np.linspace(2, 1, per_epoch * epochs)
    lines = [
        {"step": per_epoch * place, **each}
        for place, each in enumerate(epoch_losses([1.0] * epochs), 1)
    ]
    return Case(record=record({"loss": loss}, epochs=lines), shuffled=shuffled)


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (repeating(1.0), True),
        (repeating(1.0, shuffled=False), True),
        (repeating(1.0, shuffled=True), False),
        (repeating(0.0), False),
        (repeating(1.0, epochs=3), False),  # 40 steps behind the first epoch
        (repeating(1.0, epochs=4), True),  # 60
        (repeating(1.0, per_epoch=59, epochs=2), False),
        (repeating(1.0, per_epoch=29, epochs=3), False),  # 58
        (repeating(1.0, per_epoch=8, epochs=9), True),
        (repeating(1.0, per_epoch=7, epochs=12), False),
        (repeating(1.0, per_epoch=60, epochs=2), False),
        (repeating(1.0, per_epoch=30, epochs=3), True),
    ],
)
def test_losses_that_repeat_from_epoch_to_epoch(case: Case, is_found: bool) -> None:
    assert told(order, case) == ([("RG217", "warning")] if is_found else [])


@pytest.mark.parametrize(
    ("rows", "batch_size", "is_found"),
    [
        (200, 10, True),
        (209, 10, True),  # without the last nine
        (191, 10, True),  # with a last batch of one
        (190, 10, False),  # 19 steps
        (210, 10, False),
    ],
)
def test_epochs_that_are_not_recorded_are_those_of_the_rows(
    rows: int, batch_size: int, is_found: bool
) -> None:
    losses = repeating(1.0).losses
    known = {"train": Data((np.zeros((rows, 1)),), np.zeros(rows)), "batch_size": batch_size}
    found = told(order, Case(record=record({"loss": losses}), **known))
    assert found == ([("RG217", "warning")] if is_found else [])
    assert told(order, Case(record=record({"loss": losses}))) == []


def test_the_correlation_from_epoch_to_epoch_is_told() -> None:
    case = repeating(0.6)
    table = case.losses.reshape(6, 20)[1:]
    at = np.arange(20)
    left = [row - np.polyval(np.polyfit(at, row, 1), at) for row in table]
    expected = np.median([np.corrcoef(one, other)[0, 1] for one, other in pairwise(left)])
    found = only(order, case).evidence
    assert found.numbers["correlation"] == pytest.approx(expected, rel=1e-6)
    assert found.text == (
        f"The loss of a step has a correlation of {expected:.2f} with that of the same step in the "
        "previous epoch: the same batches come in the same order."
    )


def test_a_thinned_record_tells_no_order() -> None:
    whole = repeating(1.0)
    thinned = record(
        {"loss": whole.losses}, steps=np.arange(2, 242, 2).tolist(), epochs=whole.epochs
    )
    assert told(order, Case(record=thinned)) == []


def test_epochs_with_a_loss_that_is_not_finite_are_left_out() -> None:
    loss = repeating(1.0, epochs=5).losses
    loss[25] = np.nan
    case = Case(record=record({"loss": loss}, epochs=repeating(1.0, epochs=5).epochs))
    assert told(order, case) == [("RG217", "warning")]
    loss[45] = np.nan
    case = Case(record=record({"loss": loss}, epochs=repeating(1.0, epochs=5).epochs))
    assert told(order, case) == []
