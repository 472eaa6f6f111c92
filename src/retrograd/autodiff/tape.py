"""The record of a forward pass, and the walk back over it.

Every recorded operation leaves one `Node`. A node knows the nodes that its operands came from (its
edges) and how to pull a cotangent back through itself, that is, its vector-Jacobian product. It
holds no tensor that leads back to it, so an unreferenced graph is freed at once, without the
garbage collector.

The walk knows no operation and no array class by name. The tensor class registers itself and
implements `Cotangent`.
"""

from __future__ import annotations

import itertools
import operator
import weakref
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, Self, TypeAlias

import numpy as np

from retrograd.arrays import Array, DType, state
from retrograd.autodiff.hooks import Handle, handed_on, hooks, moved

__all__ = [
    "Cotangent",
    "Leaf",
    "Node",
    "Output",
    "backpropagate",
    "freed",
    "no_grad",
    "reached",
    "recording",
    "register_tensor",
]


class Cotangent(Protocol):
    """What the walk needs of a tensor; `retrograd.tensor.Tensor` implements it."""

    @property
    def data(self) -> Array: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> DType: ...
    def __add__(self, other: Any) -> Any: ...
    def _sum_to(self, shape: tuple[int, ...]) -> Self:
        """Undo a broadcast: sum over the axes that `shape` lacks or that have size 1 in it."""

    def _cast(self, dtype: DType) -> Self:
        """The values as another dtype."""


# Operations take and return tensors, arrays and numbers alike.
Tensor: TypeAlias = Any

_order = itertools.count()
tensor_type: Any = type(None)


def register_tensor(cls: type) -> None:
    """Make `cls` the class whose instances are recorded."""
    global tensor_type
    tensor_type = cls


def recording(on: bool) -> Any:
    """Switch the recording of operations on or off within a block."""
    return _doing(recording=on)


@contextmanager
def _doing(**values: bool) -> Iterator[None]:
    before = {name: getattr(state, name) for name in values}
    vars(state).update(values)
    try:
        yield
    finally:
        vars(state).update(before)


def no_grad() -> Any:
    """A context (or decorator) in which nothing is recorded: no gradients, no memory kept."""
    return recording(False)


class Node:
    """One value in the graph: its shape and dtype, and the nodes its operands came from.

    Nodes are numbered as they are made. An operand is always older than its result, so descending
    numbers are a topological order and the walk needs no recursion.
    """

    __slots__ = ("__weakref__", "dtype", "edges", "hooks", "order", "shape")

    def __init__(self, edges: Sequence[Node | None], shape: tuple[int, ...], dtype: DType) -> None:
        self.order = next(_order)
        self.edges = edges
        self.shape = shape
        self.dtype = dtype
        self.hooks: tuple[Handle, ...] = ()

    def pull(self, cotangent: Any, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        """The cotangent of each edge that needs one, as `(edge, cotangent)` pairs."""
        raise NotImplementedError

    def release(self) -> None:
        """Drop the values kept for the backward pass."""


Nodes = Iterable[Node]
Roots = Iterable[tuple[Node, Any]]  # each with its cotangent


class Leaf(Node):
    """Where a gradient ends: a tensor that the user made with `requires_grad=True`."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Any, shape: tuple[int, ...], dtype: DType) -> None:
        super().__init__((), shape, dtype)
        # Weak, because the tensor holds this node, and .grad of a dead tensor cannot be read.
        self.tensor = weakref.ref(tensor)
        if tensor._node is not None:  # it had another shape or dtype
            self.hooks = moved(tensor._node.hooks, self)


class Output(Node):
    """One result of an operation that has several."""

    __slots__ = ("index", "source")

    def __init__(self, source: Node, index: int, shape: tuple[int, ...], dtype: DType) -> None:
        super().__init__((source,), shape, dtype)
        self.source = source
        self.index = index


def backpropagate(
    roots: Roots, *, until: Nodes = (), create_graph: bool = False, retain_graph: bool = False
) -> dict[Node, Any]:
    """Walk from `roots`, each with its cotangent, back to the leaves.

    Returns the cotangent of every leaf reached and of every node in `until`, where the walk stops.
    With `create_graph` the walk is itself recorded, so that its results can be differentiated
    again. Unless `retain_graph`, each node drops its saved values once it is passed.
    """
    pending: dict[Node, Any] = {}
    ends = set(until)
    kept: dict[Node, Any] = {}
    for node, cotangent in roots:
        _accumulate(pending, node, cotangent)
    with _doing(recording=create_graph, quiet=True), np.errstate(all="ignore"):
        for node in reached(*pending, ends=ends):
            cotangent = pending.pop(node, None)
            if cotangent is None:
                continue
            if node.hooks:
                cotangent = handed_on(node.hooks, cotangent)
            if type(node) is Leaf or node in ends:
                kept[node] = cotangent
            elif type(node) is Output:
                parts = pending.setdefault(node.source, {})
                # A rule that asks for `out` makes new outputs of the same index: they add up.
                before = parts.get(node.index)
                parts[node.index] = cotangent if before is None else before + cotangent
            else:
                pulls = node.pull(cotangent, create_graph)
                if hooks.active:
                    pulls = list(pulls)
                    hooks.tell("pull", node, cotangent, pulls)
                for edge, pulled in pulls:
                    _accumulate(pending, edge, pulled)
                if not retain_graph:
                    node.release()
    return kept


def freed(name: str) -> RuntimeError:
    """The error for a second backward pass through what the first one has freed."""
    return RuntimeError(
        f"backward was called a second time through {name}, whose values were freed by the first "
        "call; pass retain_graph=True to the first one, or run the forward pass again"
    )


def _accumulate(pending: dict[Node, Any], node: Node, cotangent: Cotangent) -> None:
    """Add a cotangent to what its node has received, with the node's own shape and dtype."""
    if cotangent.shape != node.shape:
        cotangent = cotangent._sum_to(node.shape)
    if cotangent.dtype != node.dtype:
        cotangent = cotangent._cast(node.dtype)
    before = pending.get(node)
    pending[node] = cotangent if before is None else before + cotangent


def reached(*roots: Node, ends: Container[Node] = (), before: int = 0) -> list[Node]:
    """Every node that `roots` depend on, newest first: each before what it was computed from.

    Goes no further than the nodes in `ends` and those numbered below `before`, which are included.
    """
    seen = set(roots)
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.order < before or node in ends:
            continue
        for edge in node.edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return sorted(seen, key=_by_order, reverse=True)


_by_order = operator.attrgetter("order")
