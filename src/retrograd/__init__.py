"""Retrograd: train neural networks by backpropagation, and see the error flow back."""

from retrograd import nn, ops, optim, random
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import no_grad
from retrograd.compile import compile
from retrograd.gradcheck import GradientError, check_gradients
from retrograd.ops import *  # noqa: F403  # the operations are the library's functions
from retrograd.random import manual_seed
from retrograd.tensor import Tensor
from retrograd.transforms import checkpoint, grad, hvp, jacobian, value_and_grad, vjp
from retrograd.variable import Buffer, Key, Parameter, Slot, Variable

__all__ = [
    "Buffer",
    "GradientError",
    "Key",
    "Parameter",
    "Slot",
    "Tensor",
    "Variable",
    "check_gradients",
    "checkpoint",
    "compile",
    "grad",
    "hvp",
    "jacobian",
    "manual_seed",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "primitive",
    "random",
    "value_and_grad",
    "vjp",
    *ops.__all__,
]
