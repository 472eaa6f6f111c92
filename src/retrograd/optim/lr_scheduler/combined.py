"""Schedules made of schedules: one after another, or all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from retrograd.arrays import namespace
from retrograd.optim.base import GroupedOptimizer
from retrograd.optim.lr_scheduler.base import LRScheduler

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Several(LRScheduler):
    """A schedule made of others."""

    schedulers: list[LRScheduler]

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


class SequentialLR(_Several):
    """One schedule after another: the next takes over at each milestone, starting from its step 0.

    Raises ValueError unless there is one milestone fewer than schedules, in rising order.
    """

    def __init__(
        self,
        optimizer: GroupedOptimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
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

    def _lrs(self, t: Any) -> list[Any]:
        xp = namespace(t)
        first, *following = self.schedulers
        lrs = first._lrs(t)
        for start, scheduler in zip(self.milestones, following, strict=True):
            later = scheduler._lrs(xp.maximum(t - start, 0))
            lrs = [xp.where(t >= start, b, a) for a, b in zip(lrs, later, strict=True)]
        return lrs


class ChainedScheduler(_Several):
    """Several schedules at once: lr = base · Π (each one's lr / base).

    So a warm-up and a decay act together, as PyTorch's recursions do for schedules that multiply.
    Raises ValueError for no schedules or those of several optimizers.
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: GroupedOptimizer | None = None
    ) -> None:
        self.schedulers = list(schedulers)
        if len({id(each.optimizer) for each in self.schedulers}) != 1:
            raise ValueError("ChainedScheduler: give one or more schedules of one optimizer")
        super().__init__(optimizer or self.schedulers[0].optimizer)

    def _lrs(self, t: Any) -> list[Any]:
        lrs: list[Any] = list(self.base_lrs)
        for scheduler in self.schedulers:
            pairs = zip(lrs, scheduler._lrs(t), scheduler.base_lrs, strict=True)
            lrs = [lr * (own / base if base else 0.0) for lr, own, base in pairs]
        return lrs
