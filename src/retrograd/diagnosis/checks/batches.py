"""Checks of batches: their size against the gradient noise, their order, clipping."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.register import check

# Masters & Luschi 2018 find that batches of 2 to 32 rows work well, and Bengio 2012 uses 32 by
# default; with 4 or fewer a learning rate that suits 32 is too high, and batch statistics are
# noise.
_FEW = 4
# Their steps do not depend on the size of the gradient.
_UNDO_SCALE = frozenset({"Adam", "AdamW", "RMSprop", "Adagrad"})


@check("RG209", reads=("record",))
def too_small(case: Case, record: Record) -> Iterator[Finding]:
    """RG209. At most four rows in a batch, and the run did badly; a note if the batch is far below
    the noise scale.

    Not reported if the batch is the whole data. McCandlish et al. 2018: a batch far below the noise
    scale averages out hardly any noise.
    """
    rows, scale = case.rows_per_step, _noise_scale(record)
    if not rows >= 1 or case.steps_per_epoch == 1:
        return
    if rows <= _FEW and case.fared_badly:
        yield finding(
            "RG209",
            f"A batch has {rows:.0f} rows; the gradient noise scale is {scale:.3g} rows.",
            rows=rows,
            noise_scale=scale,
        )
    elif math.isfinite(scale) and scale > 100 * rows and case.fared_badly:
        yield finding(
            "RG209",
            f"A batch has {rows:.0f} rows; the gradient noise scale is {scale:.3g} rows.",
            severity="note",
            rows=rows,
            noise_scale=scale,
        )


@check("RG210", reads=("record", "steps_per_epoch"))
def too_large(case: Case, record: Record, steps_per_epoch: int) -> Iterator[Finding]:
    """RG210. Fewer than 200 steps in total, with at most ten batches per epoch.

    A network needs hundreds of steps, however large the batches (Hoffer et al. 2017, "Train longer,
    generalize better"). Not reported if the run did well.
    """
    rows = case.rows_per_step
    if not rows > 64:
        return
    taken = int(case.steps[-1])
    if taken < 200 and steps_per_epoch <= 10 and case.fared_badly:
        yield finding(
            "RG210",
            f"Batches of {rows:.0f} rows give {steps_per_epoch} steps per epoch, {taken} in total.",
            rows=rows,
            steps_per_epoch=steps_per_epoch,
            steps_taken=taken,
            noise_scale=_noise_scale(record),
        )


@check("RG211", reads=("record",))
def clipping(case: Case, record: Record) -> Iterator[Finding]:
    """RG211. More than 95 % of the steps are clipped, the median step to less than a tenth.

    Clipping is meant for the rare step (Pascanu et al. 2013 set the limit at the mean norm or
    above). A note if the run did well, or under Adam and its like, which undo the scale.
    """
    before, after = case.series("gradient_norm"), case.series("clipped_norm")
    measured = np.isfinite(before) & np.isfinite(after) & (before > 0)
    if measured.sum() < 10:
        return
    kept = after[measured] / before[measured]
    cut, middle = float(np.mean(kept < 0.999)), float(np.median(kept))
    undone = record.optimizer[0] in _UNDO_SCALE
    if cut > 0.95 and middle < 0.1:
        yield finding(
            "RG211",
            f"{cut:.0%} of the steps are clipped, the median step to {middle:.1e} of its length. "
            f"The median gradient norm is {np.median(before[measured]):.3g} before clipping and "
            f"{np.median(after[measured]):.3g} after it.",
            severity=None if case.fared_badly and not undone else "note",
            steps=(int(case.steps[0]), int(case.steps[-1])),
            share=cut,
            kept=middle,
            norm=float(np.median(before[measured])),
        )


@check("RG217")
def order(case: Case) -> Iterator[Finding]:
    """RG217. Batches come in the same order in every epoch, and that order is not random.

    Either the rows are known not to be shuffled, and the targets of neighboring rows are more alike
    than those of others. Or the loss within an epoch correlates with that of the epoch before far
    more than by chance: above 0.5, which has a probability below 1 % with 30 steps or more. Bengio
    2012, section 3.1; TheDeepChecker checks the same.
    """
    alike = _neighbors_alike(case)
    repeats = _repeats(case)
    known = case.shuffled is False
    sorted_rows = known and alike > 0.3
    repeated = case.shuffled is not True and repeats > 0.5
    if sorted_rows or repeated:
        text = (
            "The rows are not shuffled, and the targets of neighboring rows differ by "
            f"{alike:.0%} less than those of rows drawn at random."
            if sorted_rows
            else f"The loss of a step has a correlation of {repeats:.2f} with that of the same "
            "step in the previous epoch: the same batches come in the same order."
        )
        yield finding("RG217", text, alike=alike, correlation=repeats)


def _neighbors_alike(case: Case) -> float:
    """0 if successive targets differ as much as any two do, 1 if they are equal."""
    if case.train is None or len(case.train) < 20:
        return math.nan
    y = case.row_classes(case.train)
    if y is not None:
        shares = np.unique(y, return_counts=True)[1] / len(y)
        by_chance = 1 - float((shares**2).sum())
        differ = float(np.mean(y[1:] != y[:-1]))
    elif case.numbers is None:
        return math.nan
    else:
        numbers = np.asarray(case.train.target, np.float64).reshape(len(case.train), -1)
        by_chance = 2 * float(numbers.var(0).sum())
        differ = float(((numbers[1:] - numbers[:-1]) ** 2).sum(1).mean())
    return 1 - differ / by_chance if by_chance > 0 else math.nan


def _repeats(case: Case) -> float:
    """The correlation between the loss within an epoch and within the next one."""
    found = [_repeats_after(case, steps) for steps in _epoch_lengths(case)]
    return max((each for each in found if math.isfinite(each)), default=math.nan)


def _epoch_lengths(case: Case) -> set[int]:
    """The steps of an epoch: as recorded, or with and without a last, smaller batch."""
    if case.steps_per_epoch is None:
        return set()
    if case.epochs or case.train is None or not case.batch_size:
        return {case.steps_per_epoch}
    return {case.steps_per_epoch, -(-len(case.train) // case.batch_size)}


def _repeats_after(case: Case, per_epoch: int) -> float:
    steps = case.steps
    if per_epoch < 8 or len(steps) < 3 * per_epoch:
        return math.nan
    if len(steps) != steps[-1]:  # thinned, so neighbors are missing
        return math.nan
    epochs = len(steps) // per_epoch
    table = case.losses[: epochs * per_epoch].reshape(epochs, per_epoch)[1:]
    table = table[np.isfinite(table).all(1)]
    if table.shape[0] < 2 or table.size < 60:
        return math.nan
    # Remove the fall of the loss: the mean and the slope of each epoch.
    at = np.linspace(-1, 1, per_epoch)
    table = table - table.mean(1, keepdims=True)
    table = table - (table @ at / (at @ at))[:, None] * at
    norms = np.sqrt((table**2).sum(1))
    products = (table[1:] * table[:-1]).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = products / (norms[1:] * norms[:-1])
    found = found[np.isfinite(found)]
    return float(np.median(found)) if len(found) else math.nan


def _noise_scale(record: Record) -> float:
    """The gradient noise scale in the second half of the run, in rows; NaN if not measured."""
    try:
        scale = record.noise_scale().astype(np.float64)
    except KeyError:
        return math.nan
    late = scale[len(scale) // 2 :]
    late = late[~np.isnan(late)]
    return float(np.median(late)) if len(late) else math.nan
