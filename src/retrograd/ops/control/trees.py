"""Nested tuples, lists and dicts of tensors, as loops and branches pass them, and their nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from retrograd.arrays import Array
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Leaf, Node, Tensor

Layout = Any


def flatten(value: Any, leaves: list[Tensor]) -> Layout:
    """Add the tensors (and numbers) in `value` to `leaves`; return what puts them back."""
    if value is None:
        return None
    if isinstance(value, dict):
        named = {name: flatten(value[name], leaves) for name in _in_order(value)}
        return {name: named[name] for name in value}
    if isinstance(value, tuple | list):
        parts = [flatten(each, leaves) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    leaves.append(value if isinstance(value, tape.tensor_type) else tape.tensor_type(value))
    return Ellipsis


def _in_order(names: Iterable[Any]) -> list[Any]:
    """The names in a dict, in an order that does not depend on how the dict was built."""
    return sorted(names, key=repr)


def rebuild(layout: Layout, leaves: Iterator[Any]) -> Any:
    """Put `leaves` back where `flatten` took them from."""
    if layout is Ellipsis:
        return next(leaves)
    if isinstance(layout, dict):
        named = {name: rebuild(layout[name], leaves) for name in _in_order(layout)}
        return {name: named[name] for name in layout}
    if isinstance(layout, tuple | list):
        parts = [rebuild(each, leaves) for each in layout]
        return type(layout)(*parts) if hasattr(layout, "_fields") else type(layout)(parts)
    return None


def same_layout(function: Callable[..., Any], name: str, found: Layout, wanted: Layout) -> None:
    """Raise TypeError unless what a step returned is arranged as what it received."""
    if found != wanted:
        called = getattr(function, "__name__", "the step")
        raise TypeError(f"{name}: {called} returns {found}, expected {wanted} (... for a tensor)")


def nodes_of(tensors: Iterable[Tensor]) -> list[Node]:
    """The nodes of the tensors that have one."""
    return [tensor._node for tensor in tensors if tensor._node is not None]


def strong(array: Array) -> Array:
    """A JAX array of exactly its dtype, as what goes in and out of a loop or branch must be."""
    import jax.numpy

    return jax.numpy.asarray(array, array.dtype)


def leaf(array: Array) -> Tensor:
    """A tensor of a step's own, at which its backward pass ends."""
    tensor = tape.tensor_type._wrap(array, None)
    if array.dtype.kind in "fV":
        tensor._node = Leaf(tensor, array.shape, array.dtype)
    return tensor


def has_slope(dtype: Any) -> bool:
    """Whether a gradient can flow through values of this dtype."""
    return np.dtype(dtype).kind in "fV"
