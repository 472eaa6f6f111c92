"""Checks gradients against central finite differences, to first and second order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.autodiff.tape import backpropagate
from retrograd.tensor import Tensor

__all__ = ["GradientError", "check_gradients"]

Float64 = np.ndarray[Any, np.dtype[np.float64]]


class GradientError(AssertionError):
    """A gradient differs from the finite difference of its function."""


def check_gradients(
    function: Callable[..., Any],
    *inputs: Any,
    order: int = 2,
    eps: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-7,
) -> None:
    """Compare the gradients of `function(*inputs)` with finite differences, in float64.

    Each element of each floating-point input is perturbed by ±`eps`. The function may return a
    tensor of any shape (weighted with fixed random weights, so that no element hides another), or a
    tuple or list of tensors. `order=2` also checks the gradient of the gradient the same way.

    Raises GradientError, naming the function, the order, the input and the index of the element
    that is furthest off, with both values; ValueError for another order; TypeError if the function
    returns anything else.
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradients: order must be 1 or 2, found {order}")
    name = getattr(function, "__name__", type(function).__name__)
    points = [_float64(x) for x in inputs]
    scalar = _weighed(function)
    _compare(scalar, points, name, "gradient", eps, rtol, atol)
    if order == 2:

        def slopes(*args: Any) -> Any:
            tracked = [x for x in args if isinstance(x, Tensor) and x.requires_grad]
            return tuple(_gradients(scalar(*args), tracked, create_graph=True))

        # A difference of gradients is itself rounded to about machine precision / eps.
        _compare(_weighed(slopes), points, name, "second-order gradient", eps, rtol, atol)


def _float64(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype(np.float64) if array.dtype.kind == "f" else value


def _weighed(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """`function` reduced to one number by random weights, the same for every call."""

    def scalar(*args: Any) -> Tensor:
        outputs = function(*args)
        rng = np.random.default_rng(0)
        total: Any = Tensor(np.zeros(()))
        for output in outputs if isinstance(outputs, tuple | list) else (outputs,):
            if not isinstance(output, Tensor):
                raise TypeError(
                    f"check_gradients: expected a tensor or a tuple of tensors from the function, "
                    f"found {type(output).__name__}"
                )
            if output.dtype.kind == "f":
                weights = rng.uniform(0.5, 1.5, output.shape)
                total = total + ops.sum(output * weights)
        return total

    return scalar


def _gradients(value: Tensor, points: Sequence[Tensor], create_graph: bool) -> list[Tensor]:
    found = {}
    if value._node is not None:
        found = backpropagate(
            [(value._node, value._cotangent(None))],
            until=[x._node for x in points if x._node is not None],
            create_graph=create_graph,
            retain_graph=True,
        )
    return [found[x._node] if x._node in found else Tensor(np.zeros(x.shape)) for x in points]


def _compare(
    scalar: Callable[..., Tensor],
    points: Sequence[Any],
    name: str,
    what: str,
    eps: float,
    rtol: float,
    atol: float,
) -> None:
    def is_point(x: Any) -> bool:
        return isinstance(x, np.ndarray) and x.dtype == np.float64

    tensors = [Tensor(x, requires_grad=True) if is_point(x) else x for x in points]
    tracked = [x for x in tensors if isinstance(x, Tensor)]
    ours = iter(_gradients(scalar(*tensors), tracked, create_graph=False))
    for position, point in enumerate(points):
        if not is_point(point):
            continue
        analytic = next(ours).numpy()
        numeric = _differences(scalar, points, position, eps)
        excess = np.abs(analytic - numeric) - (atol + rtol * np.abs(numeric))
        excess = np.where(np.isnan(excess), np.inf, excess)
        if excess.size and excess.max() > 0:
            index = tuple(int(i) for i in np.unravel_index(excess.argmax(), excess.shape))
            raise GradientError(
                f"{name}: the {what} with respect to input {position} is wrong at index {index}: "
                f"{analytic[index]:.10g} by the backward pass, {numeric[index]:.10g} by finite "
                f"differences ({int((excess > 0).sum())} of {excess.size} elements are off)"
            )


def _differences(
    scalar: Callable[..., Tensor], points: Sequence[Any], position: int, eps: float
) -> Float64:
    """(f(x + eps) - f(x - eps)) / 2 eps for each element of one input."""
    slopes = np.empty(points[position].shape)
    for index in np.ndindex(*slopes.shape):
        ends = []
        for step in (eps, -eps):
            moved = [x.copy() if i == position else x for i, x in enumerate(points)]
            moved[position][index] += step
            ends.append(scalar(*[_tracked(x) for x in moved]).item())
        slopes[index] = (ends[0] - ends[1]) / (2 * eps)
    return slopes


def _tracked(x: Any) -> Any:
    """Float inputs as leaves here too: the second order differentiates inside the function."""
    return Tensor(x, requires_grad=True) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
