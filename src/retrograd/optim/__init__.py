"""Optimizers, learning-rate schedules and averages of the weights."""

from retrograd.optim import lr_scheduler
from retrograd.optim.adagrad import Adagrad
from retrograd.optim.adam import Adam
from retrograd.optim.adamw import AdamW
from retrograd.optim.averaging import ExponentialMovingAverage
from retrograd.optim.base import Optimizer
from retrograd.optim.rmsprop import RMSprop
from retrograd.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "ExponentialMovingAverage",
    "Optimizer",
    "RMSprop",
    "lr_scheduler",
]
