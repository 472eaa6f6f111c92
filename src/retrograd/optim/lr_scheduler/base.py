"""What the schedules share: a count, and a formula of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.arrays import state
from retrograd.optim.base import GroupedOptimizer
from retrograd.tensor import Tensor
from retrograd.variable import Slot

__all__ = ["FormulaLR", "LRScheduler", "at_least_one"]


class LRScheduler(ABC):
    """Sets the learning rate of every group by a formula of the count of `step()` calls.

    The formula starts from the learning rates that the optimizer was made with. A group that is
    added later keeps its own.
    """

    def __init__(
        self, optimizer: GroupedOptimizer, base_lrs: Sequence[float] | None = None
    ) -> None:
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


def at_least_one(owner: str, name: str, value: int) -> int:
    if not value >= 1:
        raise ValueError(f"{owner}: {name} must be at least 1; found {value}")
    return value
