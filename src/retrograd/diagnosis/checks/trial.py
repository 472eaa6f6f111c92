"""Checks that try the model before a run: its gradient, and whether it can overfit one batch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from retrograd import optim
from retrograd.autodiff.tape import no_grad
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.register import check
from retrograd.errors import TraceError
from retrograd.tensor import Tensor
from retrograd.training.sources import OneBatch
from retrograd.training.trainer import Trainer

Array = np.ndarray[Any, Any]

_ROWS = 32
_STEPS = 150
_RATES = (5e-3, 5e-2)
_PARAMETERS = 8
_WIDTH = 5e-6


def _rows(case: Case) -> Data | None:
    """A few finite rows, if training has yet to begin and the model has trainable parameters."""
    if case.has_run or case.model is None or case.loss is None or case.sample is None:
        return None
    if not any(each.requires_grad for each in case.model.parameters()):
        return None
    rows = case.sample.rows(np.arange(min(_ROWS, len(case.sample))))
    arrays = [each for each in (*rows.inputs, rows.target) if each.dtype.kind == "f"]
    return rows if len(rows) > 1 and all(np.isfinite(each).all() for each in arrays) else None


@check("RG409", reads=("model", "loss", "sample"))
def wrong_gradient(case: Case) -> Iterator[Finding]:
    """RG409. The largest gradient entry of several parameters differs from a central difference.

    In float64 both agree to about 1e-6 if the loss is smooth. An entry is skipped if its slopes
    ahead and behind differ, since the loss then has a kink there, or if the loss is so large that
    rounding hides the slope. A deviation above 1 % is an error (Bengio 2012, section 3.4).
    """
    tried = _rows(case)
    if tried is None:
        return
    assert case.model is not None
    assert case.loss is not None
    rows = tried.few(_ROWS)
    model = copy.deepcopy(case.model).eval().to(np.dtype(np.float64))
    inputs = [Tensor(x.astype(np.float64) if x.dtype.kind == "f" else x) for x in rows.inputs]
    target = rows.target.astype(np.float64) if rows.target.dtype.kind == "f" else rows.target
    loss = case.loss

    def value() -> float:
        with no_grad():
            return float(np.asarray(loss(model(*inputs), Tensor(target))).sum())

    try:
        model.zero_grad()
        with np.errstate(all="ignore"):
            cost = loss(model(*inputs), Tensor(target))
            cost.backward()
    except (TypeError, ValueError):
        return  # a model or a loss that only works in float32
    here = float(cost.numpy().sum())
    blur = np.finfo(np.float64).eps * abs(here) / _WIDTH
    named = [(n, p) for n, p in model.named_parameters() if p.grad is not None]
    for name, parameter in named[:: max(1, len(named) // _PARAMETERS)]:
        slopes = np.asarray(parameter.grad, np.float64)
        at = np.unravel_index(int(np.abs(slopes).argmax()), slopes.shape)
        slope = float(slopes[at])
        high, low = _ends(parameter, at, value)
        central = (high - low) / (2 * _WIDTH)
        size = max(abs(slope), abs(central))
        # A kink puts the central difference off by half of what the two slopes differ by.
        smooth = abs(high + low - 2 * here) / _WIDTH <= 0.01 * size and blur <= 1e-3 * size
        off = abs(slope - central)
        if math.isfinite(size) and size > 1e-7 and smooth and off > 0.01 * size:
            # Values near the end of a range, as a sigmoid's near 1, are rounded too coarsely for
            # differences: then another width gives another slope.
            high, low = _ends(parameter, at, value, 8 * _WIDTH)
            if abs((high - low) / (16 * _WIDTH) - central) > 0.1 * off:
                continue
            yield finding(
                "RG409",
                f"The gradient of {name} at {tuple(map(int, at))} is {slope:.6g}, but by finite "
                f"differences the slope of the loss there is {central:.6g}.",
                layers=[name],
                gradient=slope,
                difference=central,
            )
            return


def _ends(
    parameter: Any, at: Any, value: Callable[[], float], width: float = _WIDTH
) -> tuple[float, float]:
    """`value()` with one entry larger by the width, and smaller."""
    before = np.array(parameter.data, np.float64)
    ends = []
    for sign in (1, -1):
        moved = before.copy()
        moved[at] += sign * width
        parameter.data = moved
        ends.append(value())
    parameter.data = before
    return ends[0], ends[1]


@check("RG411", reads=("model", "loss", "sample"))
def one_batch(case: Case) -> Iterator[Finding]:
    """RG411. 150 steps of Adam on 32 rows leave more than half of the loss, at either of two rates.

    The check trains a copy of the model without dropout; a working model memorizes the rows
    (Karpathy's recipe, "overfit one batch"; TheDeepChecker checks the same). Embeddings and outputs
    far from 0 have a long way to go, which takes the larger rate.
    """
    rows = _rows(case)
    if rows is None:
        return
    for rate in _RATES:
        losses = _losses_on_one_batch(case, rows, rate)
        if losses is None or not math.isfinite(losses[0]):
            return
        first, last = float(losses[0]), float(np.min(losses[-10:]))
        left = last / first if first > 0 else math.nan
        if math.isfinite(last) and not left > 0.5:
            return
    yield finding(
        "RG411",
        f"{_STEPS} steps of Adam on the same {len(rows)} rows took the loss from {first:.4g} to "
        f"{last:.4g}.",
        first=first,
        last=last,
    )


def _losses_on_one_batch(case: Case, rows: Data, rate: float) -> Array | None:
    """The loss of each step; None if nothing is trained, or not in a compiled step."""
    assert case.model is not None
    assert case.loss is not None
    model = copy.deepcopy(case.model).eval()
    parameters = [each for each in model.parameters() if each.requires_grad]
    if not parameters:
        return None
    trainer = Trainer(model, case.loss, optim.Adam(parameters, lr=rate))
    try:
        # Not `fit`, which would switch dropout on.
        with np.errstate(all="ignore"):
            return trainer.run(OneBatch(rows.inputs, rows.target), OneBatch.stack(_STEPS))
    except TraceError:
        return None  # a loss that trains by itself, or looks at values, runs in its own loop only
