"""The recipe for networks other than the table's: AdamW, one cycle, averaged weights."""

from __future__ import annotations

from retrograd import nn, optim
from retrograd.training.objective import Objective
from retrograd.training.options import Options
from retrograd.training.trainer import Trainer

__all__ = ["one_cycle_trainer"]


def one_cycle_trainer(
    network: nn.Module, objective: Objective, config: Options, steps_per_epoch: int
) -> Trainer:
    """A trainer for `config`, whose number of epochs must be resolved.

    Weights with two axes or more decay, the others (biases, norms) do not (Loshchilov & Hutter
    2019). The learning rate rises over the first tenth of the steps and falls along a cosine (Smith
    & Topin 2019). The average includes running statistics, so that they fit its weights.
    """
    assert config.epochs is not None
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = optim.AdamW(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        betas=(0.9, 0.99),
    )
    statistics = [buffer for buffer in network.buffers() if buffer.dtype.kind == "f"]
    return Trainer(
        network,
        objective,
        optimizer,
        scheduler=optim.lr_scheduler.OneCycleLR(
            optimizer, config.learning_rate, config.epochs * steps_per_epoch, pct_start=0.1
        ),
        average=optim.ExponentialMovingAverage(
            [*parameters, *statistics], config.average, bias_correction=True
        ),
        clip_norm=config.clip_norm,
    )
