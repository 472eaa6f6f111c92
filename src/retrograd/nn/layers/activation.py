"""Activations: the functions between layers, as PyTorch defines them, each with its module."""

from __future__ import annotations

import math

from retrograd import ops
from retrograd.nn.module import Module
from retrograd.tensor import Tensor

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Hardtanh",
    "LeakyReLU",
    "LogSoftmax",
    "MaybeInPlace",
    "Mish",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "elu",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "mish",
    "relu",
    "relu6",
    "selu",
    "silu",
    "softplus",
]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return ops.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where it is positive, else negative_slope · x."""
    return ops.where(input > 0, input, input * negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where it is positive, else α (eˣ - 1) (Clevert et al. 2016)."""
    # The branch that is not taken must stay finite, or its slope would be infinity times 0.
    return ops.where(input > 0, input, alpha * ops.expm1(ops.clip(input, max=0.0)))


# α and λ for which mean 0 and variance 1 are a fixed point: Klambauer et al. 2017, eq. 14.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_LAMBDA = 1.0507009873554804934193349852946


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """λ elu(x, α), through which mean 0 and variance 1 stay (Klambauer et al. 2017)."""
    return _SELU_LAMBDA * elu(input, _SELU_ALPHA)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016).

    `approximate="tanh"` takes the paper's approximation of Φ; ValueError for another but "none".
    """
    if approximate == "none":
        return input * (0.5 * (1 + ops.erf(input / math.sqrt(2))))
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (input + 0.044715 * (input * input * input))
        return input * (0.5 * (1 + ops.tanh(inner)))
    raise ValueError(f"gelu: approximate must be 'none' or 'tanh', found {approximate!r}")


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x), also called swish (Elfwing et al. 2018)."""
    return input * ops.sigmoid(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(β x)) / β; x itself where β x > threshold, as PyTorch does."""
    scaled = input * beta
    return ops.where(scaled > threshold, input, ops.softplus(scaled) / beta)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(log(1 + eˣ)) (Misra 2020)."""
    return input * ops.tanh(ops.softplus(input))


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x held within [min_val, max_val]; on the bounds, unlike in `clip`, the slope is 0."""
    return ops.where(input <= min_val, min_val, ops.where(input >= max_val, max_val, input))


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x held within [0, 6]."""
    return hardtanh(input, 0.0, 6.0)


class MaybeInPlace(Module):
    """An activation that takes PyTorch's `inplace`, which changes nothing: XLA reuses memory."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(MaybeInPlace):
    """max(x, 0), elementwise."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.relu(x)


class LeakyReLU(MaybeInPlace):
    """x where it is positive, else negative_slope · x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(MaybeInPlace):
    """x where it is positive, else α (eˣ - 1) (Clevert et al. 2016)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(MaybeInPlace):
    """λ elu(x, α); use it with weights from `init.lecun_normal_` (Klambauer et al. 2017)."""

    def forward(self, x: Tensor) -> Tensor:
        return selu(x)


class GELU(Module):
    """x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016)."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(MaybeInPlace):
    """x sigmoid(x), also called swish (Elfwing et al. 2018)."""

    def forward(self, x: Tensor) -> Tensor:
        return silu(x)


class Mish(MaybeInPlace):
    """x tanh(log(1 + eˣ)) (Misra 2020)."""

    def forward(self, x: Tensor) -> Tensor:
        return mish(x)


class Tanh(Module):
    """The hyperbolic tangent, elementwise."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.tanh(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x)), elementwise."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.sigmoid(x)


class Softplus(Module):
    """log(1 + exp(β x)) / β; x itself where β x > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardtanh(MaybeInPlace):
    """x held within [min_val, max_val]."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, x: Tensor) -> Tensor:
        return hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Hardtanh):
    """x held within [0, 6]."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return ""


class Softmax(Module):
    """exp(x) / Σ exp(x) along `dim`, the last axis by default (PyTorch has no fixed default)."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return ops.softmax(x, dim=self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """x - log Σ exp(x) along `dim`, the last axis by default."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.log_softmax(x, dim=self.dim)
