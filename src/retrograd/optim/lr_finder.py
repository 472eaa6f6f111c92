"""A learning rate from the losses that rising ones give."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from retrograd.optim.base import GroupedOptimizer

__all__ = ["LRCurve", "find_lr"]


class Restorable(Protocol):
    """A model, as far as the finder knows it."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state_dict: Any) -> Any: ...


class LRCurve(NamedTuple):
    """The losses, each at the learning rate beside it, and the rate at which they fell fastest."""

    lrs: list[float]
    losses: list[float]
    suggestion: float


def find_lr(
    model: Restorable,
    optimizer: GroupedOptimizer,
    step: Callable[..., Any],
    batches: Iterable[Any],
    *,
    lowest: float = 1e-7,
    highest: float = 10.0,
    steps: int = 100,
) -> LRCurve:
    """Raise the learning rate from `lowest` to `highest` over `steps` steps, and watch the loss.

        curve = optim.find_lr(model, optimizer, step, loader)
        optimizer.param_groups[0]["lr"] = curve.suggestion

    `step(*batch)` trains on one batch and returns its loss; it may be compiled. The batches are
    repeated as needed. It ends early where the smoothed loss is four times the least. The model and
    the optimizer are then as before.

    Smith, "Cyclical learning rates for training neural networks" (2017), section 3.3. Raises
    ValueError for no batches, bounds that do not rise or fewer than 3 steps.
    """
    if not 0 < lowest < highest or steps < 3:
        raise ValueError(
            f"find_lr: lowest must be above 0 and below highest, and steps at least 3; found "
            f"{lowest}, {highest} and {steps}"
        )
    before = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    lrs: list[float] = []
    losses: list[float] = []
    smooth: list[float] = []
    try:
        for lr, batch in zip(
            np.geomspace(lowest, highest, steps).tolist(), _repeated(batches), strict=False
        ):
            for group in optimizer.param_groups:
                group["lr"] = lr
            loss = float(step(*batch) if isinstance(batch, tuple | list) else step(batch))
            lrs.append(lr)
            losses.append(loss)
            smooth.append(_smoothed(losses))
            if not math.isfinite(loss) or smooth[-1] > 4 * min(smooth):
                break
    finally:
        model.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
    if not lrs:
        raise ValueError("find_lr: there are no batches")
    return LRCurve(lrs, losses, lrs[_steepest(smooth)])


def _repeated(batches: Iterable[Any]) -> Iterable[Any]:
    """The batches again and again; none if there are none."""
    return itertools.chain.from_iterable(itertools.takewhile(_some, itertools.repeat(batches)))


def _some(batches: Iterable[Any]) -> bool:
    return next(iter(batches), None) is not None


def _smoothed(losses: list[float], decay: float = 0.9) -> float:
    """The mean of the losses so far, the latest counting most."""
    weights = decay ** np.arange(len(losses))[::-1]
    return float(np.average(losses, weights=weights))


def _steepest(losses: list[float]) -> int:
    """Where the losses fall fastest, up to the least of them.

    The first tenth is left out: its means are of so few batches that these decide.
    """
    first, end = len(losses) // 10, int(np.nanargmin(losses)) + 1
    if end - first < 2:
        return end - 1
    return first + int(np.argmin(np.gradient(losses[first:end])))
