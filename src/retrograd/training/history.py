"""The course of a training run, epoch by epoch, and how it ended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Epoch", "History", "Verdict", "part_of"]


class Verdict(StrEnum):
    """Why training stopped."""

    CONVERGED = "converged"  # the validation loss had stopped falling
    OUT_OF_EPOCHS = "out of epochs"
    OUT_OF_TIME = "out of time"
    INTERRUPTED = "interrupted"  # by Ctrl-C
    DIVERGED = "diverged"  # the loss is not finite


@dataclass(frozen=True)
class Epoch:
    """One pass over the training rows. Losses are means over rows, in the units of the loss."""

    epoch: int  # from 1
    step: int  # optimizer steps so far
    seconds: float  # since training started
    train_loss: float
    validation_loss: float  # NaN without validation rows
    learning_rate: float
    best: bool  # whether every earlier epoch had a higher validation loss

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, as in a line of metrics.jsonl."""
        return asdict(self)


@dataclass
class History:
    """All epochs so far, and the verdict once training has ended."""

    epochs: list[Epoch] = field(default_factory=list)
    verdict: Verdict | None = None

    @property
    def best(self) -> Epoch | None:
        """The epoch with the lowest finite validation loss; None if there is none."""
        finite = [each for each in self.epochs if math.isfinite(each.validation_loss)]
        return min(finite, key=lambda each: each.validation_loss, default=None)

    def since_best(self) -> int:
        """The number of epochs since the best one, or since the start if there is none."""
        best = self.best
        return len(self.epochs) - (best.epoch if best is not None else 0)


def part_of(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The arrays of a state whose names begin with `prefix`, by the rest of their names."""
    return {
        name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)
    }
