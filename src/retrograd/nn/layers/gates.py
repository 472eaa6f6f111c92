"""Activations with a bend, a threshold or a gate, as PyTorch defines them, each with its module."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd import ops, random
from retrograd.nn.layers.activation import MaybeInPlace, elu, relu6
from retrograd.nn.module import Module
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = [
    "CELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "LogSigmoid",
    "PReLU",
    "RReLU",
    "Softmax2d",
    "Softmin",
    "Softshrink",
    "Softsign",
    "Tanhshrink",
    "Threshold",
    "celu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "logsigmoid",
    "prelu",
    "rrelu",
    "softmin",
    "softshrink",
    "softsign",
    "tanhshrink",
    "threshold",
]


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where it is positive, else α (exp(x / α) - 1) (Barron 2017)."""
    return alpha * elu(input / alpha)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (1 + ops.abs(input))


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b) for the two halves a and b of x along `dim` (Dauphin et al. 2017).

    Raises ValueError for an axis of odd size.
    """
    if input.shape[dim] % 2:
        raise ValueError(f"glu: axis {dim} must have an even size, found {input.shape[dim]}")
    a, b = ops.chunk(input, 2, dim)
    return a * ops.sigmoid(b)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1 / 2, held within [0, 1]."""
    return relu6(input + 3) / 6


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x hardsigmoid(x) (Howard et al. 2019)."""
    return input * hardsigmoid(input)


def logsigmoid(input: Tensor) -> Tensor:
    """log(1 / (1 + exp(-x))), without overflow."""
    return -ops.softplus(-input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x, but 0 within [-λ, λ]."""
    return ops.where(ops.abs(input) > lambd, input, 0.0)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x drawn toward 0 by λ, and 0 within [-λ, λ]."""
    return ops.where(ops.abs(input) > lambd, input - lambd * ops.sign(input), 0.0)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - ops.tanh(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where it is above the threshold, else `value`."""
    return ops.where(input > threshold, input, value)


def softmin(input: Tensor, dim: int = -1) -> Tensor:
    """exp(-x) / Σ exp(-x) along `dim`."""
    return ops.softmax(-input, dim=dim)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where it is positive, else w x, with one w or one for each channel (He et al. 2015).

    Channels are axis 1. Raises ValueError for another number of weights.
    """
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.numel() not in (1, channels):
        raise ValueError(
            f"prelu: expected 1 weight or one for each of {channels} channels, found "
            f"{weight.numel()}"
        )
    behind = (-1, *(1,) * (input.ndim - 2)) if weight.numel() > 1 else ()
    weight = ops.reshape(weight, shape=behind)
    return ops.where(input > 0, input, weight * input)


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x where it is positive, else a x: in training a is drawn from [lower, upper) for each
    element, in evaluation it is their mean (Xu et al. 2015).
    """
    slope: Any = (lower + upper) / 2
    if training:
        slope = lower + (upper - lower) * random.uniform(input.shape, input.dtype)
    return ops.where(input >= 0, input, slope * input)


def gumbel_softmax(logits: Tensor, tau: float = 1.0, hard: bool = False, dim: int = -1) -> Tensor:
    """softmax((logits + noise of Gumbel's distribution) / τ): about a draw of one class.

    With `hard` exactly one, whose slope is the soft one's (Jang et al. 2017; Maddison et al. 2017).
    """
    tiny = float(np.finfo(np.float32).tiny)
    uniform = ops.clip(random.uniform(logits.shape, logits.dtype), min=tiny)
    soft = ops.softmax((logits - ops.log(-ops.log(uniform))) / tau, dim=dim)
    if not hard:
        return soft
    best = ops.argmax(soft, dim=dim, keepdim=True)
    one = ops.scatter(soft.detach() * 0.0, dim, best, 1.0)
    return one - soft.detach() + soft


class CELU(MaybeInPlace):
    """x where it is positive, else α (exp(x / α) - 1) (Barron 2017)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return celu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Tensor) -> Tensor:
        return softsign(x)


class GLU(Module):
    """a sigmoid(b) for the two halves a and b of x along `dim` (Dauphin et al. 2017).

    Raises ValueError for an axis of odd size.
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return glu(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Hardsigmoid(MaybeInPlace):
    """x / 6 + 1 / 2, held within [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return hardsigmoid(x)


class Hardswish(MaybeInPlace):
    """x hardsigmoid(x) (Howard et al. 2019)."""

    def forward(self, x: Tensor) -> Tensor:
        return hardswish(x)


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x)))."""

    def forward(self, x: Tensor) -> Tensor:
        return logsigmoid(x)


class Hardshrink(Module):
    """x, but 0 within [-λ, λ]."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        return hardshrink(x, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Hardshrink):
    """x drawn toward 0 by λ, and 0 within [-λ, λ]. Raises ValueError for λ below 0."""

    def __init__(self, lambd: float = 0.5) -> None:
        if lambd < 0:
            raise ValueError(f"Softshrink: lambd must be at least 0, found {lambd}")
        super().__init__(lambd)

    def forward(self, x: Tensor) -> Tensor:
        return softshrink(x, self.lambd)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return tanhshrink(x)


class Threshold(MaybeInPlace):
    """x where it is above the threshold, else `value`."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return threshold(x, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"


class Softmin(Module):
    """exp(-x) / Σ exp(-x) along `dim`, the last axis by default."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, x: Tensor) -> Tensor:
        return softmin(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Softmax over the channels at each place: (n, c, height, width) -> the same."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim not in (3, 4):
            raise ValueError(
                "Softmax2d: expected (n, c, height, width) or (c, height, width), found an input "
                f"of shape {tuple(x.shape)}"
            )
        return ops.softmax(x, dim=-3)


class PReLU(Module):
    """x where it is positive, else w x, with a trained w, or one for each channel.

    He et al. 2015. `weight` has shape `(num_parameters,)` and starts at `init`.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, np.float32))

    def forward(self, x: Tensor) -> Tensor:
        return prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(MaybeInPlace):
    """x where it is positive, else a x, a drawn from [lower, upper) in training; see `rrelu`."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, x: Tensor) -> Tensor:
        return rrelu(x, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"
