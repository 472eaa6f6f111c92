"""Schedules that go one way: down, or up to where the training starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd.arrays import namespace, state
from retrograd.optim.base import GroupedOptimizer
from retrograd.optim.lr_scheduler.base import FormulaLR, at_least_one
from retrograd.tensor import Tensor

__all__ = [
    "ConstantLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "PolynomialLR",
    "StepLR",
    "linear",
]


class LambdaLR(FormulaLR):
    """lr = base · f(t), for a function f of the count.

    Within a compiled step f receives a float64 Tensor: write it with operators and with operations
    such as `rg.minimum`, which take Python's numbers too.
    """

    def __init__(self, optimizer: GroupedOptimizer, lr_lambda: Callable[[Any], Any]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        # float64, since operations of Tensors on integers give float32.
        return base * self.lr_lambda(t if state.trace is None else Tensor(t, dtype=np.float64))


class ConstantLR(FormulaLR):
    """lr = base · factor for the first `total_iters` steps, then base."""

    def __init__(
        self, optimizer: GroupedOptimizer, factor: float = 1 / 3, total_iters: int = 5
    ) -> None:
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
        optimizer: GroupedOptimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = at_least_one("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        done = namespace(t).minimum(t / self.total_iters, 1.0)
        return base * linear(self.start_factor, self.end_factor, done)


class StepLR(FormulaLR):
    """lr = base · gamma^⌊t / step_size⌋: smaller by `gamma` every `step_size` steps."""

    def __init__(self, optimizer: GroupedOptimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = at_least_one("StepLR", "step_size", step_size)
        self.gamma = gamma
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(FormulaLR):
    """lr = base · gamma^(the number of milestones up to t): smaller by `gamma` at each."""

    def __init__(
        self, optimizer: GroupedOptimizer, milestones: Sequence[int], gamma: float = 0.1
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        return base * self.gamma ** sum(milestone <= t for milestone in self.milestones)


class PolynomialLR(FormulaLR):
    """lr = base · (1 − t / total_iters)^power, and 0 afterwards."""

    def __init__(
        self, optimizer: GroupedOptimizer, total_iters: int = 5, power: float = 1.0
    ) -> None:
        self.total_iters = at_least_one("PolynomialLR", "total_iters", total_iters)
        self.power = power
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        left = 1 - namespace(t).minimum(t / self.total_iters, 1.0)
        return base * left**self.power


class ExponentialLR(FormulaLR):
    """lr = base · gammaᵗ."""

    def __init__(self, optimizer: GroupedOptimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def _lr(self, base: float, t: Any) -> Any:
        return base * self.gamma**t


def linear(start: float, end: float, done: Any) -> Any:
    """From `start` (done = 0) to `end` (done = 1) in a straight line."""
    return start + (end - start) * done
