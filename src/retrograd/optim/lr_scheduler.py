"""Learning-rate schedules: the learning rate as a function of the number of steps taken.

    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1000)
    ...
    optimizer.step()
    scheduler.step()

Each class has one formula, `_lr`, from a group's initial learning rate and the count t of
`scheduler.step()` calls; PyTorch's recursions give the same numbers. The count and the learning
rate are Slots, so `scheduler.step()` may stand after a compiled step or within it, once for each
mini-batch of `over()` (all but ReduceLROnPlateau, which decides in Python).

Deviation from PyTorch: a schedule sets the learning rate rather than multiplying it, so one
schedule drives one optimizer; SequentialLR makes one of several.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from retrograd.arrays import namespace, state
from retrograd.optim.base import Optimizer
from retrograd.optim.plateau import ReduceLROnPlateau
from retrograd.tensor import Tensor
from retrograd.variable import Slot

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LRScheduler(ABC):
    """Sets the learning rate of every group by a formula of the count of `step()` calls.

    The formula starts from the learning rates that the optimizer was made with. A group that is
    added later keeps its own.
    """

    def __init__(self, optimizer: Optimizer, base_lrs: Sequence[float] | None = None) -> None:
        self.optimizer = optimizer
        initial = [group.base_lr() for group in optimizer.param_groups]
        self.base_lrs = initial if base_lrs is None else list(base_lrs)
        self._count = Slot(np.zeros((), np.int64))
        self._set(0)

    @property
    def last_epoch(self) -> int:
        """How many times `step()` was called."""
        return int(self._count.data)

    def step(self) -> None:
        """Count one more step, and set the learning rates to the formula's."""
        count = self._count.data + 1
        self._count.data = count if state.trace is not None else np.asarray(count)
        self._set(count if state.trace is not None else int(count))

    def get_last_lr(self) -> list[Any]:
        """The learning rate of each group, as it is now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The count and the initial learning rates."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; also sets the learning rates."""
        self._load(state_dict)
        self._set(self.last_epoch)

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        self._count.data = np.asarray(state_dict["last_epoch"], np.int64)
        self.base_lrs = list(state_dict["base_lrs"])

    def _set(self, t: Any) -> None:
        for group, lr in zip(self.optimizer.param_groups, self._lrs(t), strict=False):
            group["lr"] = Tensor(lr) if state.trace is not None else float(lr)

    @abstractmethod
    def _lrs(self, t: Any) -> list[Any]:
        """Each group's learning rate after `t` steps, a Python int or a traced 0-d array."""


class FormulaLR(LRScheduler):
    """A schedule with one formula for all groups."""

    def _lrs(self, t: Any) -> list[Any]:
        if state.trace is not None:
            state.trace.guard(self, "base_lrs", list(self.base_lrs))
        return [self._lr(base, t) for base in self.base_lrs]

    @abstractmethod
    def _lr(self, base: float, t: Any) -> Any:
        """The learning rate after `t` steps from the initial one."""


class LambdaLR(FormulaLR):
    """lr = base · f(t), for a function f of the count.

    Within a compiled step f receives a float64 Tensor: write it with operators and with operations
    such as `rg.minimum`, which take Python's numbers too.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[Any], Any]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        # float64, since operations of Tensors on integers give float32.
        return base * self.lr_lambda(t if state.trace is None else Tensor(t, dtype=np.float64))


class ConstantLR(FormulaLR):
    """lr = base · factor for the first `total_iters` steps, then base."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5) -> None:
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        return base * namespace(t).where(t < self.total_iters, self.factor, 1.0)


class LinearLR(FormulaLR):
    """Warm-up: lr goes straight from base · start_factor to base · end_factor in `total_iters`.

    Goyal et al., "Accurate, large minibatch SGD" (2017), section 2.2.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = _at_least_one("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        done = namespace(t).minimum(t / self.total_iters, 1.0)
        return base * _linear(self.start_factor, self.end_factor, done)


class StepLR(FormulaLR):
    """lr = base · gamma^⌊t / step_size⌋: smaller by `gamma` every `step_size` steps."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = _at_least_one("StepLR", "step_size", step_size)
        self.gamma = gamma
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        return base * self.gamma ** (t // self.step_size)


class ExponentialLR(FormulaLR):
    """lr = base · gammaᵗ."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        return base * self.gamma**t


class CosineAnnealingLR(FormulaLR):
    """lr = eta_min + (base − eta_min) (1 + cos(π t / T_max)) / 2.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), equation
    5, without restarts: after `T_max` steps the learning rate rises again as it fell.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = _at_least_one("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = eta_min
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        return _cosine(base, self.eta_min, t / self.T_max)


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
        optimizer: Optimizer,
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
        self.last = _at_least_one("OneCycleLR", "total_steps", total_steps) - 1
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


class SequentialLR(LRScheduler):
    """One schedule after another: the next takes over at each milestone, starting from its step 0.

    Raises ValueError unless there is one milestone fewer than schedules, in rising order.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        for scheduler in schedulers:
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(
                    "SequentialLR: a schedule must be a formula of the step count; found "
                    f"{type(scheduler).__name__}"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError("SequentialLR: the schedules must be of this same optimizer")
        if len(milestones) != len(schedulers) - 1 or any(a >= b for a, b in pairwise(milestones)):
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} milestones "
                f"in rising order; found {list(milestones)}"
            )
        self.schedulers = list(schedulers)
        self.milestones = list(milestones)
        super().__init__(optimizer)

    def state_dict(self) -> dict[str, Any]:
        """The count, and the states of the schedules."""
        return {
            **super().state_dict(),
            "schedulers": [scheduler.state_dict() for scheduler in self.schedulers],
        }

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        super()._load(state_dict)
        for scheduler, saved in zip(self.schedulers, state_dict["schedulers"], strict=True):
            scheduler._load(saved)

    def _lrs(self, t: Any) -> list[Any]:
        xp = namespace(t)
        first, *following = self.schedulers
        lrs = first._lrs(t)
        for start, scheduler in zip(self.milestones, following, strict=True):
            later = scheduler._lrs(xp.maximum(t - start, 0))
            lrs = [xp.where(t >= start, b, a) for a, b in zip(lrs, later, strict=True)]
        return lrs


def _cosine(start: float, end: float, done: Any) -> Any:
    """From `start` (done = 0) to `end` (done = 1) along half a cosine wave."""
    return end + (start - end) / 2 * (1 + namespace(done).cos(math.pi * done))


def _linear(start: float, end: float, done: Any) -> Any:
    return start + (end - start) * done


_BETWEEN = {"cos": _cosine, "linear": _linear}


def _at_least_one(owner: str, name: str, value: int) -> int:
    if not value >= 1:
        raise ValueError(f"{owner}: {name} must be at least 1; found {value}")
    return value
