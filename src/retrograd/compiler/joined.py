"""The graph of what a compiled function computes from Parameters outside of a step.

The function's results are linked to the Parameters, and a backward pass that reaches them runs a
second program: the forward pass again, on the values of the first, and the backward pass from the
cotangents. So a part of a model may be compiled, its loss and optimizer eager.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from retrograd.arrays import Array
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Node, Output, backpropagate, freed, reached, recording
from retrograd.compiler.arguments import flatten
from retrograd.compiler.trace import Trace, tracing
from retrograd.pytree import flatten as leaves_of
from retrograd.tensor import Tensor
from retrograd.variable import Parameter, Slot, Variable

__all__ = ["Joined", "nodes_of", "outside"]


def nodes_of(result: Any) -> list[Node | None]:
    """The node of each array of a result, in the order in which `flatten` takes them."""
    found: list[Node | None] = []

    def leaf(each: Any) -> None:
        arrays: list[Array] = []
        flatten(each, arrays)
        follows = isinstance(each, Tensor) and not isinstance(each, Variable)
        found.extend([each._node if follows else None] * len(arrays))

    leaves_of(result, leaf)
    return found


def outside(trace: Trace, nodes: Iterable[Node | None]) -> list[Node]:
    """What the results of a function depend on around it, unless the function is a step.

    A step runs its own backward pass, or changes Parameters; its results have no graph.
    """
    steps = trace.grads_written or any(isinstance(v, Parameter | Slot) for v in trace.written)
    roots = [node for node in nodes if node is not None]
    if steps or not roots:
        return []
    found = reached(*roots, before=trace.start)
    return [node for node in found if node.order < trace.start]


class Joined:
    """How to go back through a compiled function."""

    def __init__(
        self,
        run: Callable[[Sequence[Array]], Any],
        variables: Sequence[Variable],
        nodes: Sequence[Node | None],
        edges: list[Node],
    ) -> None:
        self.run = run  # the function of its flat arguments
        self.variables = variables
        self.follows = [node is not None for node in nodes]
        self.edges = edges
        self._program: Any = None

    def values(self) -> list[Array]:
        """What the function is about to read, kept for its backward pass."""
        return [variable.settled() for variable in self.variables]

    def link(self, tensors: Iterable[Tensor], values: list[Array], arguments: list[Array]) -> None:
        """Link the results of one call to what they depend on."""
        node = _Called(self, values, arguments)
        for index, (tensor, follows) in enumerate(zip(tensors, self.follows, strict=True)):
            if follows:
                tensor._node = Output(node, index, tensor.shape, tensor.dtype)

    def back(
        self, values: list[Array], arguments: list[Array], cotangents: dict[int, Array]
    ) -> list[Array]:
        """The cotangent of each of `edges`."""
        import jax

        if self._program is None:
            self._program = jax.jit(self._back)
        with jax.enable_x64(True):
            found: list[Array] = self._program(values, arguments, cotangents)
        return found

    def _back(
        self, values: list[Array], arguments: list[Array], cotangents: dict[int, Array]
    ) -> list[Array]:
        import jax.numpy

        wrap = tape.tensor_type._wrap
        trace = Trace(dict(zip(self.variables, values, strict=True)), {})
        with tracing(trace), recording(True):
            nodes = nodes_of(self.run(arguments))
            roots = [(nodes[i], wrap(array, None)) for i, array in cotangents.items()]
            found = backpropagate(
                [(node, each) for node, each in roots if node is not None], until=self.edges
            )
        return [
            found[edge].data if edge in found else jax.numpy.zeros(edge.shape, edge.dtype)
            for edge in self.edges
        ]


class _Called(Node):
    """One call of a compiled function, with what its backward pass starts from."""

    __slots__ = ("arguments", "joined", "values")

    def __init__(self, joined: Joined, values: list[Array], arguments: list[Array]) -> None:
        super().__init__(joined.edges, (), None)
        self.joined = joined
        self.values: list[Array] | None = values
        self.arguments = arguments

    def release(self) -> None:
        self.values = None

    def pull(self, cotangent: Any, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        if create_graph:
            raise NotImplementedError(
                "a gradient of a gradient through the results of a compiled function is not "
                "available: compile the whole step, or take @compile away"
            )
        if self.values is None:
            raise freed("a compiled function")
        given = {i: each.data for i, each in cotangent.items()}
        wrap = tape.tensor_type._wrap
        arrays = self.joined.back(self.values, self.arguments, given)
        return [
            (edge, wrap(np.asarray(array), None))
            for edge, array in zip(self.joined.edges, arrays, strict=True)
        ]
