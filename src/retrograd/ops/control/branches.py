"""Branches. Eagerly Python's `if`; in a compiled step one of XLA's, of which one side runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from retrograd.arrays import Array, is_traced, state
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Node, Output, Tensor, backpropagate, reached, recording
from retrograd.ops.control.trees import (
    flatten,
    has_slope,
    leaf,
    nodes_of,
    rebuild,
    same_layout,
    strong,
)
from retrograd.pytree import Layout

__all__ = ["cond"]


def cond(
    predicate: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], *operands: Any
) -> Any:
    """`true_fn(*operands)` if the predicate holds, else `false_fn(*operands)`.

    In a compiled step only the branch taken runs (its backward pass runs it again); both must
    return tensors of the same arrangement, shapes and dtypes. `where` is for elements, this for
    whole computations. Raises TypeError if the branches return differently.
    """
    chosen = getattr(predicate, "data", predicate)
    if not is_traced(chosen):
        return true_fn(*operands) if bool(chosen) else false_fn(*operands)
    import jax

    inputs: list[Tensor] = []
    arguments = flatten(operands, inputs)
    branches = [_Branch(function, arguments) for function in (true_fn, false_fn)]
    start = Node((), (), None).order
    results = [branch.run(inputs) for branch in branches]  # at this level, as in `scan`
    same_layout(false_fn, "cond", branches[1].layout, branches[0].layout)
    kinds = [[(each.shape, each.dtype) for each in result] for result in results]
    if kinds[0] != kinds[1]:
        raise TypeError(f"cond: the branches return {kinds[0]} and {kinds[1]}; expected the same")
    found = reached(*nodes_of([*results[0], *results[1]]), before=start)
    # Also the operands themselves: a branch may use them from around it as well.
    outer = [node for node in found if node.order < start]

    def taken(branch: _Branch) -> Callable[[], list[Array]]:
        def run() -> list[Array]:
            with recording(False):
                return [strong(each.data) for each in branch.run(inputs)]

        return run

    arrays = jax.lax.cond(chosen, *map(taken, branches))
    wrap = tape.tensor_type._wrap
    if not (state.recording and outer):
        return rebuild(branches[0].layout, iter([wrap(array, None) for array in arrays]))
    node = _Branched(chosen, branches, inputs, outer)
    tensors = [
        wrap(a, Output(node, i, a.shape, a.dtype) if has_slope(a.dtype) else None)
        for i, a in enumerate(arrays)
    ]
    return rebuild(branches[0].layout, iter(tensors))


class _Branch:
    """One way to go, on flat tensors."""

    def __init__(self, function: Callable[..., Any], arguments: Layout) -> None:
        self.function = function
        self.arguments = arguments
        self.layout: Layout = None

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        results: list[Tensor] = []
        self.layout = flatten(self.function(*rebuild(self.arguments, iter(inputs))), results)
        return results


class _Branched(Node):
    """A compiled branch, whose backward pass is a branch on the same predicate."""

    __slots__ = ("branches", "inputs", "outer", "predicate")

    def __init__(
        self, predicate: Array, branches: list[_Branch], inputs: list[Tensor], outer: list[Node]
    ) -> None:
        super().__init__([*nodes_of(inputs), *outer], (), None)
        self.predicate = predicate
        self.branches = branches
        self.inputs = inputs
        self.outer = outer

    def pull(self, cotangent: Any, create_graph: bool) -> Iterable[tuple[Node, Tensor]]:
        if create_graph:
            raise NotImplementedError(
                "cond: a gradient of a gradient through a compiled branch is not available; use "
                "where, or take @compile away"
            )
        import jax
        import jax.numpy

        wrap = tape.tensor_type._wrap

        def pulled(branch: _Branch) -> Callable[[], list[Array]]:
            def run() -> list[Array]:
                ends = [leaf(x.data) for x in self.inputs]
                with recording(True):
                    results = branch.run(ends)
                roots = [(results[i]._node, wrap(each.data, None)) for i, each in cotangent.items()]
                nodes = [end._node for end in ends]
                found = backpropagate(
                    [(node, each) for node, each in roots if node is not None],
                    until=[*(node for node in nodes if node is not None), *self.outer],
                )
                wanted = [
                    (node, x.shape, x.dtype) for node, x in zip(nodes, self.inputs, strict=True)
                ] + [(node, node.shape, node.dtype) for node in self.outer]
                return [
                    strong(found[node].data) if node in found else jax.numpy.zeros(shape, dtype)
                    for node, shape, dtype in wanted
                ]

            return run

        arrays = jax.lax.cond(self.predicate, *map(pulled, self.branches))
        targets = [*(x._node for x in self.inputs), *self.outer]
        return [
            (node, wrap(array, None))
            for node, array in zip(targets, arrays, strict=True)
            if node is not None
        ]
