"""Schedules along waves: once, or again and again."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd.arrays import namespace
from retrograd.optim.base import GroupedOptimizer
from retrograd.optim.lr_scheduler.base import FormulaLR, LRScheduler, at_least_one
from retrograd.optim.lr_scheduler.decays import linear

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


class CosineAnnealingLR(FormulaLR):
    """lr = eta_min + (base − eta_min) (1 + cos(π t / T_max)) / 2.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), equation
    5, without restarts: after `T_max` steps the learning rate rises again as it fell.
    """

    def __init__(self, optimizer: GroupedOptimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = at_least_one("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = eta_min
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        return _cosine(base, self.eta_min, t / self.T_max)


class CosineAnnealingWarmRestarts(FormulaLR):
    """Half a cosine wave from base down to eta_min, again and again, each `T_mult` times as long.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), equation
    5: the first run takes `T_0` steps. `T_mult` is a whole number.
    """

    def __init__(
        self, optimizer: GroupedOptimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0
    ) -> None:
        self.T_0 = at_least_one("CosineAnnealingWarmRestarts", "T_0", T_0)
        self.T_mult = at_least_one("CosineAnnealingWarmRestarts", "T_mult", T_mult)
        self.eta_min = eta_min
        # Where each run starts, while it can be counted.
        runs = range(1 if T_mult == 1 else int(math.log(2**52, T_mult)))
        self._starts = np.array([T_0 * sum(T_mult**i for i in range(k)) for k in runs], np.float64)
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        if self.T_mult == 1:
            return _cosine(base, self.eta_min, (t % self.T_0) / self.T_0)
        xp = namespace(t)
        run = xp.searchsorted(xp.asarray(self._starts), t, side="right") - 1
        length = self.T_0 * xp.asarray(float(self.T_mult)) ** run
        return _cosine(base, self.eta_min, (t - xp.asarray(self._starts)[run]) / length)


class OneCycleLR(FormulaLR):
    """lr rises from max_lr / div_factor to max_lr, then falls to the first / final_div_factor.

    The rise takes the share `pct_start` of `total_steps`; its shape is `anneal_strategy`, "cos" or
    "linear". After `total_steps` the learning rate stays.

    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning
    rates" (2018). PyTorch's also cycles the momentum; this one leaves it, as PyTorch's does with
    `cycle_momentum=False`.
    """

    def __init__(
        self,
        optimizer: GroupedOptimizer,
        max_lr: float | Sequence[float],
        total_steps: int,
        *,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        if anneal_strategy not in _BETWEEN:
            raise ValueError(
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear'; found {anneal_strategy!r}"
            )
        if not 0 <= pct_start < 1:
            raise ValueError(
                f"OneCycleLR: pct_start must be at least 0 and below 1; found {pct_start}"
            )
        groups = len(optimizer.param_groups)
        max_lrs = [max_lr] * groups if isinstance(max_lr, int | float) else list(max_lr)
        if len(max_lrs) != groups:
            raise ValueError(
                f"OneCycleLR: found {len(max_lrs)} values of max_lr for {groups} parameter groups"
            )
        self.last = at_least_one("OneCycleLR", "total_steps", total_steps) - 1
        self.peak = pct_start * total_steps - 1
        self.between = _BETWEEN[anneal_strategy]
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        super().__init__(optimizer, max_lrs)

    def _lr(self, base: float, t: Any) -> Any:
        xp = namespace(t)
        lowest = base / self.div_factor
        fall = xp.minimum((t - self.peak) / (self.last - self.peak), 1.0)
        falling = self.between(base, lowest / self.final_div_factor, fall)
        rising = self.between(lowest, base, t / xp.maximum(self.peak, 1e-9))
        return xp.where((t > self.peak) | (self.peak <= 0), falling, rising)


class CyclicLR(LRScheduler):
    """lr rises from base_lr to max_lr in `step_size_up` steps, falls back, and so on.

    `mode` says how high later cycles go: "triangular" as high, "triangular2" half as high each
    time, "exp_range" by gammaᵗ; or `scale_fn` does, a function of the cycle's number (from 1) or,
    with `scale_mode` "iterations", of t.

    Smith, "Cyclical learning rates for training neural networks" (2017). PyTorch's also cycles the
    momentum unless told not to; this one leaves it. Raises ValueError for another mode.
    """

    def __init__(
        self,
        optimizer: GroupedOptimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[Any], Any] | None = None,
        scale_mode: str = "cycle",
    ) -> None:
        if scale_fn is None and mode not in _CYCLES:
            raise ValueError(f"CyclicLR: mode must be one of {', '.join(_CYCLES)}; found {mode!r}")
        groups = len(optimizer.param_groups)
        lowest, highest = (
            [each] * groups if isinstance(each, int | float) else list(each)
            for each in (base_lr, max_lr)
        )
        if not len(lowest) == len(highest) == groups:
            raise ValueError(
                f"CyclicLR: found {len(lowest)} values of base_lr and {len(highest)} of max_lr for "
                f"{groups} parameter groups"
            )
        down = step_size_up if step_size_down is None else step_size_down
        self.total = at_least_one("CyclicLR", "step_size_up", step_size_up) + down
        self.ratio = step_size_up / self.total
        if scale_fn is None:
            height, self.by_cycle = _CYCLES[mode]
            self.scale_fn: Callable[[Any], Any] = functools.partial(height, gamma)
        else:
            self.scale_fn, self.by_cycle = scale_fn, scale_mode == "cycle"
        self.max_lrs = highest
        super().__init__(optimizer, lowest)

    def _lrs(self, t: Any) -> list[Any]:
        rise = self._rise(t)
        return [
            base + (highest - base) * rise
            for base, highest in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def _rise(self, t: Any) -> Any:
        """The share of the way from base_lr to max_lr."""
        xp = namespace(t)
        cycle = xp.floor(1 + t / self.total)
        place = 1 + t / self.total - cycle
        share = xp.where(place <= self.ratio, place / self.ratio, (place - 1) / (self.ratio - 1))
        return share * self.scale_fn(cycle if self.by_cycle else t)


# How high a cycle goes, of gamma and of what follows: its number (True) or the count of steps.
_CYCLES: dict[str, tuple[Callable[[float, Any], Any], bool]] = {
    "triangular": (lambda gamma, cycle: 1.0, True),
    "triangular2": (lambda gamma, cycle: 0.5 ** (cycle - 1), True),
    "exp_range": (lambda gamma, t: gamma**t, False),
}


def _cosine(start: float, end: float, done: Any) -> Any:
    """From `start` (done = 0) to `end` (done = 1) along half a cosine wave."""
    return end + (start - end) / 2 * (1 + namespace(done).cos(math.pi * done))


_BETWEEN = {"cos": _cosine, "linear": linear}
