"""Flattens a compiled step's arguments and results, nested containers, into arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from retrograd import pytree
from retrograd.arrays import Array, is_jax, state
from retrograd.errors import TraceError
from retrograd.pytree import Layout
from retrograd.tensor import Tensor
from retrograd.variable import Held, Variable

__all__ = ["Layout", "flatten", "objects_in", "rebuild"]


def flatten(value: Any, arrays: list[Array]) -> Layout:
    """Take the arrays and numbers out of `value`; return the layout to put them back.

    Numbers are inputs, so that a changing number does not recompile. Flags, strings, objects such
    as a module, and the numbers among the results are part of the program. The layout is the
    program's key.
    """

    def leaf(each: Any) -> Layout:
        kind = type(each)
        if kind is np.ndarray:
            arrays.append(each)
            return (np.ndarray, each.shape, each.dtype)
        if isinstance(each, Tensor) and not isinstance(each, Variable):
            array = _from_outside(each)
            arrays.append(array)
            return (Tensor, array.shape, array.dtype)
        if kind in (int, float) and state.trace is None:
            arrays.append(each)
            return (kind,)
        if isinstance(each, np.generic) or is_jax(each):
            arrays.append(each)
            return (np.ndarray, each.shape, each.dtype)
        try:
            hash(each)
        except TypeError:
            raise TraceError(
                "a compiled step takes and returns tensors, arrays, numbers, strings, and lists, "
                f"tuples and dicts of them; found {kind.__name__}"
            ) from None
        return (object, each)

    return pytree.flatten(value, leaf)


def objects_in(layout: Layout) -> list[Any]:
    """The objects, such as a method's instance, that a layout holds as part of the program."""
    found: list[Any] = []
    pytree.rebuild(layout, lambda said: found.append(said[1]) if said[0] is object else None)
    return found


def _from_outside(tensor: Tensor) -> Array:
    """The array of an argument; TraceError if a gradient would have to flow out of the step."""
    if tensor._node is not None and state.trace is None and state.recording:
        raise TraceError(
            f"an argument of shape {tensor.shape} requires a gradient, but none can flow out of a "
            "compiled step: pass x.detach(), or take the gradient inside the step"
        )
    return tensor.held if isinstance(tensor, Held) else tensor.data


def rebuild(
    layout: Layout,
    arrays: Iterator[Array],
    wrap: Callable[[Array], Tensor],
    raw: Callable[[Array], Array] = lambda array: array,
) -> Any:
    """Put arrays back where `flatten` took them from: tensors through `wrap`, others `raw`."""

    def leaf(said: Any) -> Any:
        kind = said[0]
        if kind is Tensor:
            return wrap(next(arrays))
        return said[1] if kind is object else raw(next(arrays))

    return pytree.rebuild(layout, leaf)
