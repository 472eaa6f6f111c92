"""Initial weights, written in place as in `torch.nn.init`, drawn from `random.host_rng()`.

A weight has shape `(out, in)`, or `(out, in, *kernel)` for a convolution. Each layer should keep
the variance of the forward signal (fan-in: the inputs of one output) or of the cotangents (fan-out:
the outputs of one input); the gain compensates for the activation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.tape import no_grad
from retrograd.nn.module import Module, evaluating
from retrograd.random import host_rng
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lsuv_",
    "normal_",
    "ones_",
    "orthogonal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Generator: TypeAlias = "np.random.Generator | None"  # in words: numpy.random loads slowly


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The gain that keeps the variance through an activation; `param` is leaky_relu's slope (0.01).

    Raises ValueError for an activation that has no recommended gain.
    """
    gains: dict[str, Callable[[], float]] = {
        "linear": lambda: 1.0,
        "sigmoid": lambda: 1.0,
        "tanh": lambda: 5 / 3,
        "relu": lambda: math.sqrt(2),  # half of the squares are cut: He et al. 2015, eq. 10
        "leaky_relu": lambda: math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2)),
        "selu": lambda: 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(f"no gain is known for {nonlinearity!r}; known are {', '.join(gains)}")
    return gains[nonlinearity]()


# By distribution ----------------------------------------------------------------------------------


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator = None) -> Tensor:
    """Numbers from [a, b)."""
    return _fill(tensor, _rng(generator).uniform(a, b, tensor.shape))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator = None
) -> Tensor:
    """Numbers from the normal distribution."""
    return _fill(tensor, _rng(generator).normal(mean, std, tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number everywhere."""
    return _fill(tensor, np.full(tensor.shape, val))


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


# By variance --------------------------------------------------------------------------------------


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Uniform with variance gain² · 2 / (fan_in + fan_out) (Glorot & Bengio 2010, eq. 16)."""
    return _uniform(tensor, _xavier_std(tensor, gain), generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Normal with variance gain² · 2 / (fan_in + fan_out) (Glorot & Bengio 2010)."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator = None,
) -> Tensor:
    """Uniform with variance gain² / fan (He et al. 2015); `a` is leaky_relu's slope."""
    return _uniform(tensor, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator = None,
) -> Tensor:
    """Normal with variance gain² / fan (He et al. 2015, eq. 10); `a` is leaky_relu's slope."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def lecun_normal_(tensor: Tensor, generator: Generator = None) -> Tensor:
    """Normal with variance 1 / fan_in (LeCun et al. 1998, eq. 16), which SELU needs."""
    return normal_(tensor, 0.0, 1 / math.sqrt(_fans(tensor)[0]), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator = None) -> Tensor:
    """Rows (or columns, if those are fewer) at right angles, each of length `gain`.

    Drawn evenly from all orthogonal matrices (Saxe et al. 2014).
    Raises ValueError for fewer than two axes.
    """
    _fans(tensor)  # refuses vectors
    rows = tensor.shape[0]
    flat = _rng(generator).normal(size=(rows, math.prod(tensor.shape[1:])))
    tall = flat if rows >= flat.shape[1] else flat.T
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diag(r))  # QR leaves the signs open; this choice makes the draw even
    return _fill(tensor, gain * (q if tall is flat else q.T).reshape(tensor.shape))


def _rng(generator: Generator) -> np.random.Generator:
    return host_rng() if generator is None else generator


def _fill(tensor: Tensor, values: np.ndarray[Any, Any]) -> Tensor:
    tensor.data = values.astype(tensor.dtype)
    return tensor


def _uniform(tensor: Tensor, std: float, generator: Generator) -> Tensor:
    bound = math.sqrt(3) * std  # the variance of a uniform on [-bound, bound] is bound² / 3
    return uniform_(tensor, -bound, bound, generator)


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs one output has, and how many outputs one input."""
    if tensor.ndim < 2:
        raise ValueError(
            f"fan-in and fan-out need a weight of shape (out, in, ...), found {tensor.shape}; "
            "use zeros_, constant_, uniform_ or normal_ for a bias"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2 / sum(_fans(tensor)))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', found {mode!r}")
    fan = _fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


# By the data --------------------------------------------------------------------------------------


def lsuv_(model: Module, batch: Any, tol: float = 0.1, max_iterations: int = 10) -> Module:
    """Layer-sequential unit variance (Mishkin & Matas 2016, algorithm 1).

    Weights become orthonormal and biases zero; then, layer by layer in the order in which they run
    on `batch`, each weight is divided by the standard deviation of its layer's output until that
    variance is within `tol` of 1, `max_iterations` times at most. The model runs as in evaluation.

    Raises ValueError if a layer's output is the same everywhere, which no scale can fix.
    """
    with evaluating(model):
        layers = list(_outputs(model, batch))
        for layer in layers:
            orthogonal_(layer.weight)
            if getattr(layer, "bias", None) is not None:
                zeros_(layer.bias)
        for layer in layers:
            for _ in range(max_iterations):
                variance = float(np.var(_outputs(model, batch)[layer]))
                if variance == 0:
                    raise ValueError(
                        f"lsuv_: {layer!r} gives the same number everywhere for this batch; "
                        "pass more and varied rows, or look for an activation before it that is "
                        "0 for all of them"
                    )
                if abs(variance - 1) < tol:
                    break
                layer.weight.data = layer.weight.data / math.sqrt(variance)
    return model


def _outputs(model: Module, batch: Any) -> dict[Any, np.ndarray[Any, Any]]:
    """The output of each layer that multiplies by a matrix, in the order of execution."""
    outputs: dict[Any, np.ndarray[Any, Any]] = {}

    def note(module: Module, inputs: tuple[Any, ...], output: Any) -> None:
        weight = vars(module).get("weight")
        # An embedding has a matrix too, but it takes integers and looks rows up.
        if isinstance(weight, Parameter) and weight.ndim >= 2 and inputs[0].dtype.kind in "fV":
            outputs[module] = output.numpy()

    with no_grad(), hooks(module=note):
        model(batch)
    return outputs
