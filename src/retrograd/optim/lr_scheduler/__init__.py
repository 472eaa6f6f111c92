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

from retrograd.optim.lr_scheduler.base import LRScheduler
from retrograd.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from retrograd.optim.lr_scheduler.cycles import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    OneCycleLR,
)
from retrograd.optim.lr_scheduler.decays import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from retrograd.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
