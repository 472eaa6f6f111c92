"""Nested tensors, as loops and branches pass them, and their nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrograd import pytree
from retrograd.arrays import Array, state
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


@contextmanager
def gradients_apart(name: str) -> Iterator[dict[Any, Tensor | None]]:
    """Run a step within a compiled loop or branch so that nothing of it stays behind.

    Yields a dict that in the end holds the `.grad` of each Variable whose gradient the step's own
    `backward()` changed. Raises RuntimeError if it writes to a Variable.
    """
    trace = state.trace
    left: dict[Any, Tensor | None] = {}
    if trace is None:  # in someone else's JAX step
        yield left
        return
    written = dict(trace.written)
    with trace.gradients_apart() as changed:
        yield left
    left.update(changed)
    if trace.written.keys() != written.keys():
        raise RuntimeError(
            f"{name}: the step writes to a Variable (a buffer, or the random stream) within a "
            "compiled loop or branch; carry it along, and draw random numbers before the loop"
        )


def gradient_array(variable: Any, left: dict[Any, Tensor | None]) -> Array:
    """A Variable's gradient after a step that left `left`, or zeros for none."""
    import jax.numpy

    grad = left.get(variable, variable.grad)
    if grad is None:
        return jax.numpy.zeros(variable.shape, variable.dtype)
    return strong(grad.data)


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
