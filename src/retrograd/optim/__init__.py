"""Optimizers, learning-rate schedules and averages of the weights."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from retrograd.optim import lr_scheduler
from retrograd.optim.adagrad import Adagrad
from retrograd.optim.adam import Adam
from retrograd.optim.adamw import AdamW
from retrograd.optim.averaging import ExponentialMovingAverage
from retrograd.optim.base import Optimizer
from retrograd.optim.rmsprop import RMSprop
from retrograd.optim.sgd import SGD

if TYPE_CHECKING:
    from retrograd.optim.adaptive.adadelta import Adadelta
    from retrograd.optim.adaptive.adafactor import Adafactor
    from retrograd.optim.adaptive.adamax import Adamax
    from retrograd.optim.adaptive.asgd import ASGD
    from retrograd.optim.adaptive.nadam import NAdam
    from retrograd.optim.adaptive.radam import RAdam
    from retrograd.optim.adaptive.rprop import Rprop
    from retrograd.optim.adaptive.schedule_free import AdamWScheduleFree
    from retrograd.optim.lr_finder import LRCurve, find_lr
    from retrograd.optim.whole.lamb import LAMB
    from retrograd.optim.whole.lbfgs import LBFGS
    from retrograd.optim.whole.lion import Lion
    from retrograd.optim.whole.muon import Muon
    from retrograd.optim.whole.sam import SAM

__all__ = [
    "ASGD",
    "LAMB",
    "LBFGS",
    "SAM",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "AdamWScheduleFree",
    "Adamax",
    "ExponentialMovingAverage",
    "LRCurve",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "find_lr",
    "lr_scheduler",
]

# The rarer ones are imported when they are asked for, so that `import retrograd` stays quick.
_LATER = {
    "ASGD": "adaptive.asgd",
    "Adadelta": "adaptive.adadelta",
    "Adafactor": "adaptive.adafactor",
    "AdamWScheduleFree": "adaptive.schedule_free",
    "Adamax": "adaptive.adamax",
    "LAMB": "whole.lamb",
    "LBFGS": "whole.lbfgs",
    "LRCurve": "lr_finder",
    "Lion": "whole.lion",
    "Muon": "whole.muon",
    "NAdam": "adaptive.nadam",
    "RAdam": "adaptive.radam",
    "Rprop": "adaptive.rprop",
    "SAM": "whole.sam",
    "find_lr": "lr_finder",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        missing = import_module("retrograd.elsewhere").missing
        raise missing("module 'retrograd.optim'", "torch.optim", name, __all__)
    return getattr(import_module(f"retrograd.optim.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
