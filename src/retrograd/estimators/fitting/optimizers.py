"""Optimizers and a schedule whose numbers are Variables, so that changing one compiles nothing.

A search over learning rates and decays so runs on the programs of its first fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from retrograd import optim
from retrograd.arrays import Array, Namespace
from retrograd.kinds.table.recipe import WARM_UP
from retrograd.optim.base import rounded
from retrograd.optim.slots import Slots
from retrograd.variable import Buffer

__all__ = ["DecayedAdam", "DecayedSGD", "TunableOneCycle"]


class DecayedAdam(optim.AdamW):
    """AdamW whose decay is `decay` times a group's `weight_decay`: 1 for what decays, else 0."""

    def __init__(self, params: Any) -> None:
        self.decay = Buffer(np.zeros(()))
        super().__init__(params)

    def _update(
        self,
        xp: Namespace,
        x: Array,
        g: Array,
        slots: Slots,
        lr: Any,
        t: Any,
        options: Mapping[str, Any],
    ) -> Array:
        x, options = _decayed(x, lr, self.decay, options)
        return super()._update(xp, x, g, slots, lr, t, options)


class DecayedSGD(optim.SGD):
    """SGD with momentum; its decay is apart, as `DecayedAdam`'s (Loshchilov & Hutter 2019)."""

    def __init__(self, params: Any, momentum: float) -> None:
        self.decay = Buffer(np.zeros(()))
        super().__init__(params, momentum=momentum)

    def _update(
        self,
        xp: Namespace,
        x: Array,
        g: Array,
        slots: Slots,
        lr: Any,
        t: Any,
        options: Mapping[str, Any],
    ) -> Array:
        x, options = _decayed(x, lr, self.decay, options)
        return super()._update(xp, x, g, slots, lr, t, options)


def _decayed(
    x: Array, lr: Any, decay: Buffer, options: Mapping[str, Any]
) -> tuple[Array, Mapping[str, Any]]:
    """x ← x − γ λ x, and the options of a step without decay."""
    if options["weight_decay"]:
        x = x * rounded(1.0 - lr * decay.data, x.dtype)
    return x, {**options, "weight_decay": 0.0}


class TunableOneCycle(optim.lr_scheduler.OneCycleLR):
    """One cycle whose height and length are Variables."""

    def __init__(self, optimizer: optim.Optimizer) -> None:
        self.height = Buffer(np.ones(()))
        self.length = Buffer(np.ones(()))
        super().__init__(optimizer, 1.0, 1, pct_start=WARM_UP)

    @property
    def last(self) -> Any:
        return self.length.data - 1

    @last.setter
    def last(self, value: Any) -> None:
        """The length says it."""

    @property
    def peak(self) -> Any:
        return WARM_UP * self.length.data - 1

    @peak.setter
    def peak(self, value: Any) -> None:
        """The length says it."""

    def tune(self, height: float, length: int) -> None:
        """Rise to `height` and fall, in `length` steps."""
        self.height.data, self.length.data = np.asarray(height, float), np.asarray(length, float)
        self._set(self.last_epoch)

    def _lrs(self, t: Any) -> list[Any]:
        return [self._lr(self.height.data, t)] * len(self.optimizer.param_groups)
