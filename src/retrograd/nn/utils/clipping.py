"""Clipping: gradients that are too large are scaled down between `backward()` and `step()`.

No decision in Python depends on a gradient's value, so all of it can be part of a compiled step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from retrograd import ops
from retrograd.arrays import Array, namespace
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.precision import raised
from retrograd.tensor import Tensor

__all__ = [
    "clip_grad_norm_",
    "clip_grad_norm_per_layer_",
    "clip_grad_value_",
    "get_total_norm",
]


def get_total_norm(
    tensors: Iterable[Tensor] | Tensor, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """The joint p-norm of all elements of all tensors.

    Raises RuntimeError with `error_if_nonfinite` for a norm that is not finite.
    """
    arrays = [x.data for x in ([tensors] if isinstance(tensors, Tensor) else tensors)]
    with np.errstate(all="ignore"):
        norm = Tensor(_norm(_powers(arrays, norm_type), norm_type))
    if error_if_nonfinite:
        _must_be_finite(norm)
    return norm


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by one factor, so that their joint norm is at most `max_norm`.

        g ← g · min(1, max_norm / (‖g‖ + 1e-6))

    Returns ‖g‖ before clipping, a single number. `norm_type` is the p of the p-norm, and may be
    inf. Raises ValueError for a `max_norm` or `norm_type` that is not above 0, and with
    `error_if_nonfinite`, which a compiled step cannot tell, RuntimeError for a norm that is not
    finite.

    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013),
    algorithm 1.
    """
    if not max_norm > 0 or not norm_type > 0:
        raise ValueError(
            f"clip_grad_norm_: max_norm and norm_type must be above 0; found {max_norm} and "
            f"{norm_type}"
        )
    clipped = _with_gradients(parameters)
    grads = [grad.data for _, grad in clipped]
    with np.errstate(all="ignore"):
        powers = _powers([*map(raised, grads)], norm_type)  # squares leave half precision's range
        norm = _norm(powers, norm_type)
        if error_if_nonfinite:
            _must_be_finite(Tensor(norm))
        factor = namespace(norm).minimum(max_norm / (norm + 1e-6), 1.0)
        if hooks.active:
            changed = [parameter for parameter, _ in clipped]
            squares = powers if norm_type == 2 else None
            hooks.tell("clip", changed, squares, factor, max_norm)
        for (parameter, _), grad in zip(clipped, grads, strict=True):
            parameter.grad = Tensor._wrap(grad * factor.astype(grad.dtype), None)
    return Tensor(norm)


def clip_grad_norm_per_layer_(
    named_parameters: Iterable[tuple[str, Tensor]], max_norm: float, norm_type: float = 2.0
) -> dict[str, Tensor]:
    """`clip_grad_norm_` for each layer separately: one layer's burst shrinks no other layer's step.

    `named_parameters` is what `model.named_parameters()` gives; a layer is what stands before the
    last dot of a name, as `2` in `2.weight` and `2.bias`. Returns each layer's norm as it was.
    """
    layers: dict[str, list[Tensor]] = {}
    for name, parameter in named_parameters:
        layers.setdefault(name.rpartition(".")[0], []).append(parameter)
    return {
        layer: clip_grad_norm_(parameters, max_norm, norm_type)
        for layer, parameters in layers.items()
    }


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """Hold every element of every gradient within [-clip_value, clip_value].

    Raises ValueError for a `clip_value` that is not above 0.
    """
    if not clip_value > 0:
        raise ValueError(f"clip_grad_value_: clip_value must be above 0; found {clip_value}")
    clipped = _with_gradients(parameters)
    if hooks.active:
        hooks.tell("clip", [parameter for parameter, _ in clipped], None, None, clip_value)
    for parameter, grad in clipped:
        xp = namespace(grad.data)
        parameter.grad = Tensor._wrap(xp.clip(grad.data, -clip_value, clip_value), None)


def _must_be_finite(norm: Tensor) -> None:
    if not ops.isfinite(norm):
        raise RuntimeError(
            f"the gradients' norm is {norm.item()}, so they cannot be scaled; rg.find_nan looks "
            "for its origin"
        )


def _with_gradients(parameters: Iterable[Tensor] | Tensor) -> list[tuple[Tensor, Tensor]]:
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [(parameter, parameter.grad) for parameter in parameters if parameter.grad is not None]


def _powers(arrays: Sequence[Array], p: float) -> list[Array]:
    """Each array's sum of p-th powers, or for inf its largest element."""
    xp = namespace(*arrays)
    if p == math.inf:
        return [xp.max(xp.abs(array), initial=0) for array in arrays]
    return [xp.sum(xp.abs(array) ** p) for array in arrays]


def _norm(powers: Sequence[Array], p: float) -> Array:
    """The p-norm of all elements of all arrays of these powers; 0 for none."""
    if p == math.inf:
        return namespace(*powers).stack(powers).max()
    return sum(powers) ** (1 / p)
