"""Branches. Eagerly Python's `if`; in a compiled step one of XLA's, of which one side runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from retrograd.arrays import Array, is_traced, state
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Node, Output, Tensor, backpropagate, reached, recording
from retrograd.ops.control.trees import (
    flatten,
    gradient_array,
    gradients_apart,
    has_slope,
    leaf,
    nodes_of,
    rebuild,
    same_layout,
    strong,
)
from retrograd.ops.elementwise.arithmetic import cast
from retrograd.pytree import Layout

__all__ = ["cond"]


def cond(
    predicate: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], *operands: Any
) -> Any:
    """`true_fn(*operands)` if the predicate holds, else `false_fn(*operands)`.

    In a compiled step only the branch taken runs (its backward pass runs it again); both must
    return tensors of the same arrangement, shapes and dtypes. `where` is for elements, this for
    whole computations. A branch may call `backward()`; of Variables that only the other branch's
    gradient reaches, `.grad` is then zeros. Raises TypeError if the branches return differently,
    RuntimeError if one writes to a Variable.
    """
    chosen = getattr(predicate, "data", predicate)
    if not is_traced(chosen):
        return true_fn(*operands) if bool(chosen) else false_fn(*operands)
    import jax

    inputs: list[Tensor] = []
    arguments = flatten(operands, inputs)
    branches = [_Branch(function, arguments) for function in (true_fn, false_fn)]
    start = Node((), (), None).order
    results: list[list[Tensor]] = []
    summed: dict[Any, None] = {}  # the Variables whose .grad a branch's own backward() changes
    for branch in branches:  # at this level, as in `scan`
        with gradients_apart("cond") as left:
            results.append(branch.run(inputs))
        summed |= dict.fromkeys(left)
    same_layout(false_fn, "cond", branches[1].layout, branches[0].layout)
    kinds = [[(each.shape, each.dtype) for each in result] for result in results]
    if kinds[0] != kinds[1]:
        raise TypeError(f"cond: the branches return {kinds[0]} and {kinds[1]}; expected the same")
    found = reached(*nodes_of([*results[0], *results[1]]), before=start)
    # Also the operands themselves: a branch may use them from around it as well.
    outer = [node for node in found if node.order < start]

    def taken(branch: _Branch) -> Callable[[], list[Array]]:
        def run() -> list[Array]:
            # A branch that calls backward() records what it goes back over.
            with recording(bool(summed)), gradients_apart("cond") as left:
                arrays = [strong(each.data) for each in branch.run(inputs)]
            return [*arrays, *(gradient_array(variable, left) for variable in summed)]

        return run

    arrays = jax.lax.cond(chosen, *map(taken, branches))
    wrap = tape.tensor_type._wrap
    for variable, array in zip(summed, arrays[len(kinds[0]) :], strict=True):
        variable.grad = wrap(array, None)
    arrays = arrays[: len(kinds[0])]
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
            return self._pull_recorded(cotangent)
        import jax
        import jax.numpy

        wrap = tape.tensor_type._wrap

        def pulled(branch: _Branch) -> Callable[[], list[Array]]:
            def run() -> list[Array]:
                ends = [leaf(x.data) for x in self.inputs]
                with recording(True), gradients_apart("cond"):
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
        return self._at_their_nodes([wrap(array, None) for array in arrays])

    def _pull_recorded(self, cotangent: dict[int, Tensor]) -> Iterable[tuple[Node, Tensor]]:
        """For gradients of gradients: a branch of inputs and cotangents, recorded as any other."""
        count = len(self.inputs)

        def pulled(branch: _Branch) -> Callable[..., list[Tensor]]:
            def run(*operands: Tensor) -> list[Tensor]:
                with recording(True), gradients_apart("cond"):
                    # A node of its own before each input, which may be used around the branch too.
                    ends = [cast(x, dtype=x.dtype) for x in operands[:count]]
                    results = branch.run(ends)
                roots = [
                    (results[i]._node, each)
                    for i, each in zip(cotangent, operands[count:], strict=True)
                ]
                nodes = [*(end._node for end in ends), *self.outer]
                found = backpropagate(
                    [(node, each) for node, each in roots if node is not None],
                    until=[node for node in nodes if node is not None],
                    create_graph=True,
                    retain_graph=True,
                )
                wanted = [*self.inputs, *self.outer]
                return [
                    found[node] if node in found else _zeros(each.shape, each.dtype)
                    for node, each in zip(nodes, wanted, strict=True)
                ]

            return run

        with recording(True):
            pulls = map(pulled, self.branches)
            tensors = cond(self.predicate, *pulls, *self.inputs, *cotangent.values())
        return self._at_their_nodes(tensors)

    def _at_their_nodes(self, tensors: Sequence[Tensor]) -> list[tuple[Node, Tensor]]:
        """The cotangents of the inputs and of what is around, each with its node."""
        targets = [*(x._node for x in self.inputs), *self.outer]
        return [
            (node, tensor)
            for node, tensor in zip(targets, tensors, strict=True)
            if node is not None
        ]


def _zeros(shape: tuple[int, ...], dtype: Any) -> Tensor:
    return tape.tensor_type._wrap(np.zeros(shape, dtype), None)
