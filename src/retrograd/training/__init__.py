"""From arrays to a trained model: the loop, its history, and its stopping rules."""

from retrograd.training.callbacks import (
    BestWeights,
    Callback,
    EarlyStopping,
    FiniteLoss,
    TimeLimit,
)
from retrograd.training.history import Epoch, History, Verdict
from retrograd.training.sources import Rows, Source
from retrograd.training.trainer import Trainer

__all__ = [
    "BestWeights",
    "Callback",
    "EarlyStopping",
    "Epoch",
    "FiniteLoss",
    "History",
    "Rows",
    "Source",
    "TimeLimit",
    "Trainer",
    "Verdict",
]
