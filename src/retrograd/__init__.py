"""Retrograd: train neural networks by backpropagation, and see the error flow back."""

from importlib import import_module
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from retrograd import creation, dtypes, nn, ops, optim, random
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import no_grad
from retrograd.compiler import compile
from retrograd.creation import *  # noqa: F403  # the functions that make tensors
from retrograd.devices import Device as device
from retrograd.dtypes import *  # noqa: F403  # the dtypes by name
from retrograd.gradcheck import GradientError, check_gradients
from retrograd.ops import *  # noqa: F403  # the operations are the library's functions
from retrograd.random import (
    bernoulli,
    get_rng_state,
    manual_seed,
    multinomial,
    poisson,
    set_rng_state,
)
from retrograd.tensor import Tensor
from retrograd.transforms import checkpoint, grad, hvp, jacobian, value_and_grad, vjp
from retrograd.variable import Buffer, Key, Parameter, Slot, Variable

if TYPE_CHECKING:
    from ml_dtypes import bfloat16

    from retrograd import autograd, func, linalg, special, utils
    from retrograd.diagnosis.diagnose import diagnose, run_and_diagnose
    from retrograd.diagnosis.fix import fix
    from retrograd.diagnosis.nan.origin import find_nan
    from retrograd.diagnosis.recorder import record
    from retrograd.diagnosis.remedies.program import Program, Samples
    from retrograd.estimators import NeuralClassifier, NeuralRegressor
    from retrograd.runs import Run, load, train
    from retrograd.utils.saving import load_state, save

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
    "autograd",
    "bernoulli",
    "bfloat16",
    "check_gradients",
    "checkpoint",
    "compile",
    "device",
    "diagnose",
    "e",
    "find_nan",
    "fix",
    "func",
    "get_rng_state",
    "grad",
    "hvp",
    "inf",
    "jacobian",
    "linalg",
    "load",
    "load_state",
    "manual_seed",
    "multinomial",
    "nan",
    "newaxis",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "pi",
    "poisson",
    "primitive",
    "random",
    "record",
    "run_and_diagnose",
    "save",
    "set_rng_state",
    "special",
    "train",
    "utils",
    "value_and_grad",
    "vjp",
    # which type checkers do not see
    *vars(creation)["__all__"],
    *vars(dtypes)["__all__"],
    *vars(ops)["__all__"],
]

newaxis = None  # in an index, a new axis

# What takes more than NumPy is imported when it is asked for.
_LATER = {
    "NeuralClassifier": "retrograd.estimators",
    "NeuralRegressor": "retrograd.estimators",
    "Program": "retrograd.diagnosis.remedies.program",
    "Run": "retrograd.runs",
    "Samples": "retrograd.diagnosis.remedies.program",
    "bfloat16": "ml_dtypes",
    "diagnose": "retrograd.diagnosis.diagnose",
    "find_nan": "retrograd.diagnosis.nan.origin",
    "fix": "retrograd.diagnosis.fix",
    "load": "retrograd.runs",
    "load_state": "retrograd.utils.saving",
    "record": "retrograd.diagnosis.recorder",
    "run_and_diagnose": "retrograd.diagnosis.diagnose",
    "save": "retrograd.utils.saving",
    "train": "retrograd.runs",
}

_NAMESPACES = {"autograd", "func", "linalg", "special", "utils"}


def __getattr__(name: str) -> Any:
    if name in _NAMESPACES:
        return import_module(f"retrograd.{name}")
    if name == "__version__":
        return import_module("importlib.metadata").version("retrograd")
    if name not in _LATER:
        missing = import_module("retrograd.elsewhere").missing
        raise missing("module 'retrograd'", "torch", name, __all__)
    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
