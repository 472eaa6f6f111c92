"""The recipe for a table's network: AdamW, one cycle of the learning rate, averaged weights."""

from __future__ import annotations

import math
from typing import Any

from retrograd import optim
from retrograd.kinds.base.resolved import Resolved
from retrograd.kinds.table.architectures import ARCHITECTURES
from retrograd.kinds.table.options import TableOptions
from retrograd.models import TableNet
from retrograd.training.objective import Objective
from retrograd.training.trainer import Trainer

__all__ = ["WARM_UP", "averaged_trainer", "decay_groups", "resolved"]

WARM_UP = 0.05
"""The share of the steps in which the learning rate rises."""


def resolved(options: TableOptions, rows: int) -> Resolved[TableOptions]:
    """The options left open, chosen by the number of training rows."""
    batch_size = options.batch_size
    if batch_size is None:
        # About 40 steps per epoch, with batches of 32 to 256 rows.
        batch_size = min(256, max(32, 2 ** round(math.log2(max(rows, 40) / 40))))
    batch_size = min(batch_size, rows)
    epochs = options.epochs
    if epochs is None:
        epochs = min(50, max(12, 1200 // (rows // batch_size)))
    model = "table" if options.model == "auto" else ARCHITECTURES.find(options.model).name
    return Resolved(
        asked=options,
        model=model,
        batch_size=batch_size,
        epochs=epochs,
        patience=options.patience or 15,
    )


def decay_groups(network: TableNet, weight_decay: float) -> list[dict[str, Any]]:
    """The parameters for an optimizer: the matrices of the hidden layers decay, others do not."""
    matrices = [layer.weight for layer in network.layers]
    others = [p for p in network.parameters() if all(p is not each for each in matrices)]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def averaged_trainer(
    network: TableNet,
    objective: Objective,
    optimizer: optim.Optimizer,
    scheduler: optim.lr_scheduler.LRScheduler | None,
    options: TableOptions,
) -> Trainer:
    """A trainer that clips the gradient's norm, and validates and keeps the averaged weights."""
    return Trainer(
        network,
        objective,
        optimizer,
        scheduler=scheduler,
        average=optim.ExponentialMovingAverage(
            network.parameters(), options.average, bias_correction=True
        ),
        clip_norm=options.clip_norm,
    )
