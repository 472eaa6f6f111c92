"""Loops. Eagerly they are Python's; in a compiled step each is one of XLA's.

A compiled loop leaves one node on the tape, whose backward pass is one loop as well, in reverse
(backpropagation through time). Python runs the step while tracing it, so it must not change
anything outside, and must draw no random numbers: pass those in as `xs`. It may call `backward()`,
whose gradients then add up over the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from retrograd.arrays import Array, is_jax, is_traced, state
from retrograd.autodiff import tape
from retrograd.autodiff.primitive import Applied
from retrograd.autodiff.tape import (
    Leaf,
    Node,
    Output,
    Tensor,
    backpropagate,
    freed,
    reached,
    recording,
)
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
from retrograd.ops.shapes.parts import stack
from retrograd.pytree import Layout

__all__ = ["scan"]

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    step: Step,
    carry: Any,
    xs: Any = None,
    length: int | None = None,
    recompute: bool = False,
    truncate: int | None = None,
) -> tuple[Any, Any]:
    """`carry, y = step(carry, x)` for each x along the leading axis of `xs`: `(carry, stacked ys)`.

    `carry`, `x` and `y` are tensors or nested tuples, lists and dicts of them; the carry keeps its
    shapes and dtypes. Without `xs` the step runs `length` times and receives None. In a compiled
    step this is one loop, of which the backward pass keeps every step's inner values, or with
    `recompute` only the carries, running each step again (Chen et al. 2016). `truncate` stops
    gradients at each boundary between that many steps (Williams & Peng 1990).

    Raises ValueError if the lengths of `xs` differ or a carry changes its shape or dtype, TypeError
    if it changes its arrangement.
    """
    inputs: list[Tensor] = []
    xs_layout = flatten(xs, inputs)
    lengths = {x.shape[0] for x in inputs} | ({length} if length is not None else set())
    if len(lengths) != 1:
        raise ValueError(f"scan: xs and length must agree on one length, found {sorted(lengths)}")
    carries: list[Tensor] = []
    layout = flatten(carry, carries)
    loop = _Scan(step, layout, xs_layout, lengths.pop(), recompute, truncate)
    if not any(is_jax(x.data) for x in [*carries, *inputs]) and state.trace is None:
        return loop.run_eagerly(carries, inputs)
    return loop.run_compiled(carries, inputs)


class _Scan:
    """A step, how its arguments are arranged, and how its gradient is to be found."""

    def __init__(
        self,
        step: Step,
        carry_layout: Layout,
        xs_layout: Layout,
        length: int,
        recompute: bool,
        truncate: int | None,
    ) -> None:
        self.step = step
        self.carry_layout = carry_layout
        self.xs_layout = xs_layout
        self.ys_layout: Layout = None
        self.length = length
        self.recompute = recompute
        self.truncate = truncate

    def once(self, carries: Sequence[Tensor], xs: Sequence[Tensor]) -> tuple[list[Any], list[Any]]:
        """One step on flat tensors; raises if the carry it returns is not as it came."""
        carry, y = self.step(
            rebuild(self.carry_layout, iter(carries)), rebuild(self.xs_layout, iter(xs))
        )
        new: list[Tensor] = []
        same_layout(self.step, "scan", flatten(carry, new), self.carry_layout)
        for old, each in zip(carries, new, strict=True):
            if (old.shape, old.dtype) != (each.shape, each.dtype):
                raise ValueError(
                    f"scan: a carry of {old.dtype}{list(old.shape)} came back from the step as "
                    f"{each.dtype}{list(each.shape)}; it must stay the same"
                )
        ys: list[Tensor] = []
        self.ys_layout = flatten(y, ys)
        return new, ys

    def run_eagerly(self, carries: list[Tensor], inputs: list[Tensor]) -> tuple[Any, Any]:
        rows: list[list[Tensor]] = []
        for t in range(self.length):
            if self.truncate and t and t % self.truncate == 0:
                carries = [carry.detach() for carry in carries]
            carries, ys = self.once(carries, [x[t] for x in inputs])
            rows.append(ys)
        columns = [stack(column) for column in zip(*rows, strict=True)]
        return (
            rebuild(self.carry_layout, iter(carries)),
            rebuild(self.ys_layout, iter(columns)) if rows else None,
        )

    def run_compiled(self, carries: list[Tensor], inputs: list[Tensor]) -> tuple[Any, Any]:
        import jax

        # Once outside the loop: every Variable that the step reads is read here, at this level, and
        # what the step depends on becomes known. XLA drops the computation, which nobody uses.
        start = Node((), (), None).order
        with gradients_apart("scan") as summed:
            new, ys = self.once(carries, [x[0] for x in inputs])
        found = reached(*nodes_of([*new, *ys]), before=start)
        # Also the carries and xs themselves: the step may use them from around it as well.
        outer = [node for node in found if node.order < start]
        needed = state.recording and bool(outer)
        keeper = _Keeper(self, outer, tuple(summed))

        def body(carried: tuple[list[Array], list[Array]], x: list[Array]) -> Any:
            after, grads, y, kept = keeper.forward(*carried, x, needed)
            return (after, grads), (y, kept)

        (last, grads), (columns, kept) = jax.lax.scan(
            body,
            ([strong(c.data) for c in carries], [gradient_array(v, {}) for v in summed]),
            [x.data for x in inputs],
            self.length,
        )
        for variable, array in zip(summed, grads, strict=True):
            variable.grad = tape.tensor_type._wrap(array, None)
        results = [*last, *columns]
        if needed:
            node = _Scanned(keeper, carries, inputs, kept, results)
            tensors = [
                tape.tensor_type._wrap(a, Output(node, i, a.shape, a.dtype))
                if a.dtype.kind in "fV"
                else tape.tensor_type._wrap(a, None)
                for i, a in enumerate(results)
            ]
        else:
            tensors = [tape.tensor_type._wrap(a, None) for a in results]
        count = len(carries)
        return (
            rebuild(self.carry_layout, iter(tensors[:count])),
            rebuild(self.ys_layout, iter(tensors[count:])),
        )


class _Keeper:
    """Runs a step forward while the loop is traced, keeping what running it backward needs.

    The tape of one step is recorded once. Its nodes stay, as a template: of each step the loop
    keeps the arrays that the nodes hold, and the backward loop puts them into the nodes again.
    """

    def __init__(self, loop: _Scan, outer: list[Node], summed: tuple[Any, ...]) -> None:
        self.loop = loop
        self.outer = outer
        self.summed = summed  # the Variables whose .grad the step's own backward() adds to
        self.holders: list[tuple[Applied, Any]] = []

    def forward(
        self, carries: list[Array], grads: list[Array], xs: list[Array], needed: bool
    ) -> Any:
        """One step: the arrays carried on, the gradients, what is returned, and what is kept."""
        start = Node((), (), None).order
        self.ends = [leaf(array) for array in [*carries, *xs]]
        with recording(needed or bool(self.summed)), gradients_apart("scan") as left:
            for variable, array in zip(self.summed, grads, strict=True):
                variable.grad = tape.tensor_type._wrap(array, None)
            new, ys = self.loop.once(self.ends[: len(carries)], self.ends[len(carries) :])
        after, y = [strong(c.data) for c in new], [strong(each.data) for each in ys]
        grads = [gradient_array(variable, left) for variable in self.summed]
        if not needed:
            return after, grads, y, []
        self.roots = [tensor._node for tensor in [*new, *ys]]
        inside = [n for n in reached(*nodes_of([*new, *ys]), before=start) if n.order > start]
        if self.loop.recompute or not all(isinstance(n, Applied | Output | Leaf) for n in inside):
            self.holders = []
            self.recompute = True
            return after, grads, y, [*carries]
        self.recompute = False
        self.holders = [
            (n, (n.saved, n.out, n.attributes)) for n in inside if isinstance(n, Applied)
        ]
        kept: list[Array] = []
        mark = next(array for array in [*carries, *xs] if is_traced(array))

        def keep(array: Array) -> Array:
            kept.append(array)
            return array

        for _, held in self.holders:
            _swap(held, keep, mark)
        self.mark = mark
        for node, _ in self.holders:
            node.release()
        return after, grads, y, kept

    def backward(self, cotangents: list[Any], xs: list[Array], kept: list[Array]) -> list[Any]:
        """The cotangents of the step's carries and xs, and of what it depends on outside."""
        if self.recompute:
            self.forward_again(kept, xs)
        else:
            arrays = iter(kept)
            for node, held in self.holders:
                node.saved, node.out, node.attributes = _swap(
                    held, lambda array: next(arrays), self.mark
                )
        wrap = tape.tensor_type._wrap
        roots = [
            (root, wrap(array, None))
            for root, array in zip(self.roots, cotangents, strict=True)
            if root is not None and array is not None
        ]
        ends = [end._node for end in self.ends]
        until = [*(node for node in ends if node is not None), *self.outer]
        found = backpropagate(roots, until=until)
        return [found.get(node) if node is not None else None for node in [*ends, *self.outer]]

    def forward_again(self, carries: list[Array], xs: list[Array]) -> None:
        self.ends = [leaf(array) for array in [*carries, *xs]]
        with recording(True), gradients_apart("scan"):
            new, ys = self.loop.once(self.ends[: len(carries)], self.ends[len(carries) :])
        self.roots = [tensor._node for tensor in [*new, *ys]]


def _swap(value: Any, visit: Callable[[Array], Array], mark: Any) -> Any:
    """`value` with `visit` applied to the arrays computed in the same trace as `mark`."""
    if is_traced(value):
        # Which trace an array belongs to is not public in JAX. An array from outside the loop (a
        # weight) is the same in every step and must not be kept once a step.
        return visit(value) if value._trace is mark._trace else value
    if isinstance(value, tuple | list):
        return type(value)(_swap(each, visit, mark) for each in value)
    if isinstance(value, dict):
        return {name: _swap(each, visit, mark) for name, each in value.items()}
    return value


class _Scanned(Node):
    """A compiled loop, whose backward pass is one loop from the last step to the first."""

    __slots__ = ("carries", "inputs", "keeper", "kept", "results")

    def __init__(
        self,
        keeper: _Keeper,
        carries: list[Tensor],
        inputs: list[Tensor],
        kept: list[Array],
        results: list[Array],
    ) -> None:
        super().__init__([*nodes_of([*carries, *inputs]), *keeper.outer], (), None)
        self.keeper = keeper
        self.carries = carries
        self.inputs = inputs
        self.kept: list[Array] | None = kept
        self.results = [(each.shape, each.dtype) for each in results]

    def release(self) -> None:
        self.kept = None

    def pull(self, cotangent: Any, create_graph: bool) -> Iterable[tuple[Node, Tensor]]:
        if self.kept is None:
            raise freed("scan")
        if create_graph:
            return self._pull_unrolled(cotangent)
        import jax
        import jax.numpy

        zeros = jax.numpy.zeros
        given = [
            cotangent[i].data
            if i in cotangent
            else zeros(shape, dtype)
            if has_slope(dtype)
            else None
            for i, (shape, dtype) in enumerate(self.results)
        ]
        keeper, loop, count = self.keeper, self.keeper.loop, len(self.carries)
        rows = [array if array is not None else zeros(loop.length) for array in given[count:]]
        floating = [has_slope(tensor.dtype) for tensor in self.carries]
        sizes = [len(self.carries), len(self.inputs), len(keeper.outer)]

        def body(state_: Any, each: Any) -> Any:
            carried, total = state_
            t, xs, kept, ys = each
            ys = [y if given[count + i] is not None else None for i, y in enumerate(ys)]
            pulled = keeper.backward([*carried, *ys], xs, kept)
            before = pulled[: sizes[0]]
            carried = [
                (zeros(c.shape, c.dtype) if p is None else strong(p.data)) if ok else None
                for p, c, ok in zip(before, self.carries, floating, strict=True)
            ]
            if loop.truncate:
                cut = (t % loop.truncate == 0) & (t > 0)
                carried = [c if c is None else jax.numpy.where(cut, 0, c) for c in carried]
            of_xs = [
                zeros(x.shape[1:], x.dtype) if p is None else p.data
                for p, x in zip(pulled[sizes[0] : sizes[0] + sizes[1]], self.inputs, strict=True)
            ]
            outside = pulled[sizes[0] + sizes[1] :]
            total = [
                sum_ if p is None else sum_ + p.data for sum_, p in zip(total, outside, strict=True)
            ]
            return (carried, total), of_xs

        first = [array if ok else None for array, ok in zip(given[:count], floating, strict=True)]
        total = [zeros(node.shape, node.dtype) for node in keeper.outer]
        places = jax.numpy.arange(loop.length)
        (carried, total), of_xs = jax.lax.scan(
            body,
            (first, total),
            (places, [x.data for x in self.inputs], self.kept, rows),
            reverse=True,
        )
        wrap = tape.tensor_type._wrap
        pairs = [
            (tensor._node, wrap(array, None))
            for tensor, array in zip([*self.carries, *self.inputs], [*carried, *of_xs], strict=True)
            if tensor._node is not None
        ]
        return [*pairs, *((n, wrap(a, None)) for n, a in zip(keeper.outer, total, strict=True))]

    def _pull_unrolled(self, cotangent: Any) -> Iterable[tuple[Node, Tensor]]:
        """For gradients of gradients the steps are recorded one by one."""
        with recording(True), gradients_apart("scan"):
            carry, ys = self.keeper.loop.run_eagerly(self.carries, self.inputs)
        results: list[Tensor] = []
        flatten((carry, ys), results)
        roots = [(results[i]._node, each) for i, each in cotangent.items()]
        edges = [edge for edge in self.edges if edge is not None]
        found = backpropagate(
            [(node, each) for node, each in roots if node is not None],
            until=edges,
            create_graph=True,
            retain_graph=True,
        )
        return found.items()
