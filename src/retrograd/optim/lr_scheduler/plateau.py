"""A schedule that acts when a metric stops improving."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from retrograd.arrays import state
from retrograd.errors import TraceError
from retrograd.optim.base import GroupedOptimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau:
    """Multiplies the learning rate by `factor` when a metric has stopped improving.

    `step(metrics)` takes the metric, usually once per epoch. More than `patience` calls in a row
    without an improvement on the best by more than `threshold` (a share of it with "rel", a
    difference with "abs") reduce the learning rate, not below `min_lr` and not by `eps` or less;
    `cooldown` calls then count for nothing. It decides in Python, so it stands outside of a
    compiled step.

    The share is of the best value's size, also of a negative one; PyTorch's then counts a slightly
    worse value as an improvement.
    """

    def __init__(
        self,
        optimizer: GroupedOptimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not 0 <= factor < 1:
            raise ValueError(
                f"ReduceLROnPlateau: factor must be at least 0 and below 1; found {factor}"
            )
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                "ReduceLROnPlateau: mode must be 'min' or 'max' and threshold_mode 'rel' or 'abs'; "
                f"found {mode!r} and {threshold_mode!r}"
            )
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    def step(self, metrics: Any) -> None:
        """Take the newest value of the metric, a number or a Tensor of one."""
        if state.trace is not None:
            raise TraceError(
                "ReduceLROnPlateau.step() decides in Python: call it outside of the compiled step"
            )
        current = float(metrics)
        if self._improves(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0

    def _improves(self, current: float) -> bool:
        gain = self.best - current if self.mode == "min" else current - self.best
        relative = self.threshold_mode == "rel" and math.isfinite(self.best)
        return gain > self.threshold * (abs(self.best) if relative else 1.0)

    def _reduce(self) -> None:
        for group in self.optimizer.param_groups:
            reduced = max(group["lr"] * self.factor, self.min_lr)
            if group["lr"] - reduced > self.eps:
                group["lr"] = reduced

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group, as it is now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The best value and the counts."""
        return {
            name: getattr(self, name) for name in ("best", "num_bad_epochs", "cooldown_counter")
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; the optimizer's own state has the learning rates."""
        self.best = float(state_dict["best"])
        self.num_bad_epochs = int(state_dict["num_bad_epochs"])
        self.cooldown_counter = int(state_dict["cooldown_counter"])
