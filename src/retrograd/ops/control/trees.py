"""Nested tensors, as loops and branches pass them, and their nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from retrograd import pytree
from retrograd.arrays import Array
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Leaf, Node, Tensor
from retrograd.pytree import Layout


def flatten(value: Any, leaves: list[Tensor]) -> Layout:
    """Add the tensors (and numbers) in `value` to `leaves`; return what puts them back.

    In the layout an ellipsis stands for a tensor; None is nothing.
    """

    def leaf(each: Any) -> Layout:
        if each is None:
            return None
        leaves.append(each if isinstance(each, tape.tensor_type) else tape.tensor_type(each))
        return Ellipsis

    return pytree.flatten(value, leaf)


def rebuild(layout: Layout, leaves: Iterator[Any]) -> Any:
    """Put `leaves` back where `flatten` took them from."""
    return pytree.rebuild(layout, lambda said: next(leaves) if said is Ellipsis else None)


def same_layout(function: Callable[..., Any], name: str, found: Layout, wanted: Layout) -> None:
    """Raise TypeError unless what a step returned is arranged as what it received."""
    returned, received = pytree.skeleton(found), pytree.skeleton(wanted)
    if returned != received:
        called = getattr(function, "__name__", "the step")
        raise TypeError(
            f"{name}: {called} returns {returned}, expected {received} (... for a tensor)"
        )


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
