"""A short training on a copy, to see what harm there is before a run begins."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd import nn, optim
from retrograd.diagnosis.data import Data
from retrograd.random import default_key
from retrograd.training.sources import Rows, Stack
from retrograd.training.trainer import Trainer

__all__ = ["Rehearsal", "rehearse"]

Array = np.ndarray[Any, Any]

_STEPS = 150
_BATCH = 32


@dataclass(frozen=True)
class Rehearsal:
    """The copy after its steps, and the loss of each of them."""

    model: nn.Module
    losses: Array


def rehearse(
    model: nn.Module,
    loss: Any,
    rows: Data,
    optimizer: optim.Optimizer | None,
    batch_size: int | None,
) -> Rehearsal | None:
    """Train a copy of `model` for 150 steps as the run would; with Adam if nothing is known.

    None if nothing can be trained, or if the model cannot be copied or the step compiled. The
    random numbers of the run stay as they are.
    """
    if not any(each.requires_grad for each in model.parameters()):
        return None
    rng = np.random.default_rng(0)
    size = min(batch_size or _BATCH, len(rows))
    each_epoch = len(rows) // size
    epochs = -(-_STEPS // each_epoch)
    order = [rng.permutation(len(rows))[: each_epoch * size] for _ in range(epochs)]
    batches = np.concatenate(order).reshape(-1, size)[:_STEPS]
    before = np.array(default_key.data)
    try:
        # Together, so that the copied optimizer steps the copied model.
        copied, stepping = copy.deepcopy((model, optimizer))
        if stepping is None:
            stepping = optim.Adam([each for each in copied.parameters() if each.requires_grad])
        trainer = Trainer(copied.train(), loss, stepping)
        with np.errstate(all="ignore"):
            losses = trainer.run(Rows(rows.inputs, rows.target), Stack(None, (batches,)))
    except Exception:  # a user's model or loss may fail in any way; other checks say how
        return None
    finally:
        default_key.data = before
    return Rehearsal(copied, losses.astype(np.float64))
