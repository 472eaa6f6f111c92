"""Retrograd: train neural networks by backpropagation, and see the error flow back."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from retrograd import nn, ops, optim, random
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import no_grad
from retrograd.compiler import compile
from retrograd.gradcheck import GradientError, check_gradients
from retrograd.ops import *  # noqa: F403  # the operations are the library's functions
from retrograd.random import manual_seed
from retrograd.tensor import Tensor
from retrograd.transforms import checkpoint, grad, hvp, jacobian, value_and_grad, vjp
from retrograd.variable import Buffer, Key, Parameter, Slot, Variable

if TYPE_CHECKING:
    from retrograd.diagnosis.diagnose import diagnose, run_and_diagnose
    from retrograd.diagnosis.fix import fix
    from retrograd.diagnosis.nan.origin import find_nan
    from retrograd.diagnosis.recorder import record
    from retrograd.diagnosis.remedies.program import Program, Samples
    from retrograd.estimators import NeuralClassifier, NeuralRegressor
    from retrograd.runs import Run, load, train

__all__ = [
    "Buffer",
    "GradientError",
    "Key",
    "NeuralClassifier",
    "NeuralRegressor",
    "Parameter",
    "Program",
    "Run",
    "Samples",
    "Slot",
    "Tensor",
    "Variable",
    "check_gradients",
    "checkpoint",
    "compile",
    "diagnose",
    "find_nan",
    "fix",
    "grad",
    "hvp",
    "jacobian",
    "load",
    "manual_seed",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "primitive",
    "random",
    "record",
    "run_and_diagnose",
    "train",
    "value_and_grad",
    "vjp",
    *vars(ops)["__all__"],  # which type checkers do not see
]

# What takes more than NumPy is imported when it is asked for.
_LATER = {
    "NeuralClassifier": "retrograd.estimators",
    "NeuralRegressor": "retrograd.estimators",
    "Program": "retrograd.diagnosis.remedies.program",
    "Run": "retrograd.runs",
    "Samples": "retrograd.diagnosis.remedies.program",
    "diagnose": "retrograd.diagnosis.diagnose",
    "find_nan": "retrograd.diagnosis.nan.origin",
    "fix": "retrograd.diagnosis.fix",
    "load": "retrograd.runs",
    "record": "retrograd.diagnosis.recorder",
    "run_and_diagnose": "retrograd.diagnosis.diagnose",
    "train": "retrograd.runs",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'retrograd' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
