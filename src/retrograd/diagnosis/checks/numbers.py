"""Checks for values that are not finite: NaN and infinity in the data, the loss, the gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.register import check


@check("RG601")
def numbers_in_data(case: Case) -> Iterator[Finding]:
    """RG601. One such value is too many: the first gradient spreads it to every weight."""
    for name, data in (("training", case.train), ("validation", case.valid)):
        if data is None:
            continue
        for what, array in (*(("inputs", x) for x in data.inputs), ("target", data.target)):
            if array.dtype.kind != "f":
                continue
            wrong = ~np.isfinite(array)
            if wrong.any():
                rows = np.flatnonzero(wrong.reshape(len(array), -1).any(1))
                yield finding(
                    "RG601",
                    f"{len(rows):,} of {len(array):,} {name} rows have NaN or infinity in the "
                    f"{what}; the first is row {rows[0]}.",
                    rows=len(rows),
                    first_row=rows[0],
                    values=wrong.sum(),
                )
                return


@check("RG602", reads=("record",))
def numbers_in_loss(case: Case) -> Iterator[Finding]:
    """RG602. No step after the first loss that is not finite means anything."""
    wrong = np.flatnonzero(~np.isfinite(case.losses))
    if len(wrong):
        step = int(case.steps[wrong[0]])
        before = case.losses[wrong[0] - 1] if wrong[0] else np.nan
        text = f"The loss is {case.losses[wrong[0]]:g} in step {step}"
        text += f", after {before:.4g} in the step before." if np.isfinite(before) else "."
        yield finding("RG602", text, steps=(step, int(case.steps[-1])), before=before)


@check("RG603", reads=("record",))
def numbers_in_gradients(case: Case, record: Record) -> Iterator[Finding]:
    """RG603. The gradient is not finite while the loss is: the fault is in the backward pass."""
    norms = case.series("gradient_norm")
    wrong = np.flatnonzero(~np.isfinite(norms) & np.isfinite(case.losses))
    if not len(wrong) or not record.subjects("gradient_norm"):
        return
    first = wrong[0]
    layers = [
        each.name
        for each in case.weights
        if not np.isfinite(case.series("gradient_norm", each.name)[first])
    ]
    yield finding(
        "RG603",
        f"The gradient is not finite in step {case.steps[first]}, where the loss is "
        f"{case.losses[first]:.4g}; first in {layers[-1] if layers else 'a parameter'}.",
        layers=layers[::-1],
        steps=(int(case.steps[first]), int(case.steps[first])),
        loss=case.losses[first],
    )
