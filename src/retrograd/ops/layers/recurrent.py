"""Recurrent cells along time: eagerly a Python loop, in a compiled step one of XLA's.

The compiled loop's backward pass is one loop from the last step to the first, which carries only
the states' cotangents. The recurrent weight's gradient is one product over all steps afterwards:
within the loop it would be added up step by step (a GRU's whole step, benchmarks/layers.py, then
took 1.3 times the CPU time).

Legend: t time, n batch, h hidden, p the cell's gates side by side, a multiple of h.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from retrograd.arrays import Array, Namespace, is_jax, state
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Node, Output, Tensor, backpropagate, freed, recording
from retrograd.ops.control.trees import strong
from retrograd.ops.elementwise.activations import relu, sigmoid
from retrograd.ops.elementwise.selection import where
from retrograd.ops.elementwise.trigonometric import tanh
from retrograd.ops.linalg.products import linear
from retrograd.ops.shapes.parts import stack, unbind

__all__ = ["ElmanStep", "GRUStep", "LSTMStep", "recur"]


class ElmanStep:
    """h' = tanh(a + b), or relu (Elman 1990): `a` from the input and `b` from the state before."""

    gates = 1
    states = 1

    def __init__(self, nonlinearity: str = "tanh") -> None:
        self.nonlinearity = nonlinearity

    def step(self, a: Tensor, b: Tensor, states: Sequence[Tensor]) -> tuple[Any, Any]:
        """The new states, and what `back` needs."""
        new = tanh(a + b) if self.nonlinearity == "tanh" else relu(a + b)
        return (new,), (new,)

    def back(
        self, xp: Namespace, kept: Sequence[Array], before: Sequence[Array], g: Sequence[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """The cotangents of a, of b, and of the states beside the way through b."""
        (new,) = kept
        slope = 1 - new * new if self.nonlinearity == "tanh" else (new > 0).astype(new.dtype)
        summed = g[0] * slope
        return summed, summed, [xp.zeros_like(summed)]


class LSTMStep:
    """c' = f c + i g, h' = o tanh(c') (Hochreiter & Schmidhuber 1997), gates in order i f g o."""

    gates = 4
    states = 2

    def step(self, a: Tensor, b: Tensor, states: Sequence[Tensor]) -> tuple[Any, Any]:
        """The new states, and what `back` needs."""
        _, c = states
        size = c.shape[-1]
        summed = a + b
        i, f, o = (sigmoid(summed[:, k * size : (k + 1) * size]) for k in (0, 1, 3))
        g = tanh(summed[:, 2 * size : 3 * size])
        new = f * c + i * g
        squashed = tanh(new)
        return (o * squashed, new), (i, f, g, o, squashed)

    def back(
        self, xp: Namespace, kept: Sequence[Array], before: Sequence[Array], g: Sequence[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """The cotangents of a, of b, and of the states beside the way through b."""
        i, f, candidate, o, squashed = kept
        g_h, g_c = g
        g_c = g_c + g_h * o * (1 - squashed * squashed)
        parts = [
            g_c * candidate * i * (1 - i),
            g_c * before[1] * f * (1 - f),
            g_c * i * (1 - candidate * candidate),
            g_h * squashed * o * (1 - o),
        ]
        summed = xp.concatenate(parts, axis=-1)
        return summed, summed, [xp.zeros_like(g_h), g_c * f]


class GRUStep:
    """h' = (1 - z) n + z h, n = tanh(aₙ + r bₙ) (Cho et al. 2014), gates in the order r z n."""

    gates = 3
    states = 1

    def step(self, a: Tensor, b: Tensor, states: Sequence[Tensor]) -> tuple[Any, Any]:
        """The new states, and what `back` needs."""
        (h,) = states
        size = h.shape[-1]
        both = sigmoid(a[:, : 2 * size] + b[:, : 2 * size])
        r, z = both[:, :size], both[:, size:]
        inner = b[:, 2 * size :]
        n = tanh(a[:, 2 * size :] + r * inner)
        return (n + z * (h - n),), (r, z, n, inner)

    def back(
        self, xp: Namespace, kept: Sequence[Array], before: Sequence[Array], g: Sequence[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """The cotangents of a, of b, and of the states beside the way through b."""
        r, z, n, inner = kept
        (g_h,) = g
        g_n = g_h * (1 - z) * (1 - n * n)
        g_r = g_n * inner * r * (1 - r)
        g_z = g_h * (before[0] - n) * z * (1 - z)
        return (
            xp.concatenate([g_r, g_z, g_n], axis=-1),
            xp.concatenate([g_r, g_z, g_n * r], axis=-1),
            [g_h * z],
        )


Cell = ElmanStep | LSTMStep | GRUStep


def recur(
    cell: Cell,
    projected: Tensor,
    states: Sequence[Tensor],
    weight: Tensor,
    bias: Tensor | None = None,
    mask: Any = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """(t, n, p), each (n, h), (p, h), (p,) -> (t, n, h), the first state after each step, and the
    last states, each (n, h).

    `projected` is the input's part of the gates. Where the boolean `mask`, (t, n, 1), is False the
    states stay as they were. `reverse` begins with the last step.
    """
    loop = _Recurrence(cell, mask, reverse)
    operands = [projected, *states, weight, *([] if bias is None else [bias])]
    if state.trace is None and not any(is_jax(x.data) for x in operands):
        return loop.run_eagerly(operands)
    return loop.run_compiled(operands)


class _Recurrence:
    """A cell, which steps count, and in which direction they are taken."""

    def __init__(self, cell: Cell, mask: Any, reverse: bool) -> None:
        self.cell = cell
        self.mask = mask
        self.reverse = reverse

    def apart(self, operands: Sequence[Any]) -> tuple[Any, list[Any], Any, Any]:
        """The input's part, the states, the weight and the bias."""
        count = self.cell.states
        projected, states, weight = operands[0], list(operands[1 : 1 + count]), operands[1 + count]
        return projected, states, weight, operands[-1] if len(operands) > count + 2 else None

    def run_eagerly(self, operands: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        projected, states, weight, bias = self.apart(operands)
        rows = unbind(projected)
        outputs: list[Tensor] = []
        steps = range(len(rows))
        for t in reversed(steps) if self.reverse else steps:
            new, _ = self.cell.step(rows[t], linear(states[0], weight, bias), states)
            if self.mask is not None:
                new = [where(self.mask[t], b, a) for a, b in zip(states, new, strict=True)]
            states = list(new)
            outputs.append(states[0])
        return stack(outputs[::-1] if self.reverse else outputs), tuple(states)

    def run_compiled(self, operands: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        import jax
        import jax.numpy

        wrap = tape.tensor_type._wrap
        projected, states, weight, bias = self.apart([x.data for x in operands])
        needed = state.recording and any(x._node is not None for x in operands)

        def body(before: list[Array], x: tuple[Array, Array]) -> Any:
            a, seen = x
            b = before[0] @ weight.T
            b = b if bias is None else b + bias
            with recording(False):
                new, kept = self.cell.step(
                    wrap(a, None), wrap(b, None), [wrap(each, None) for each in before]
                )
            after = [each.data for each in new]
            if seen is not None:
                after = [jax.numpy.where(seen, b, a) for a, b in zip(before, after, strict=True)]
            if not needed:
                return after, (after[:1], [])
            return after, (after, [each.data for each in kept])

        mask = None if self.mask is None else jax.numpy.asarray(self.mask)
        last, (stacked, kept) = jax.lax.scan(
            body, [strong(each) for each in states], (projected, mask), reverse=self.reverse
        )
        results = [stacked[0], *last]
        if not needed:
            tensors = [wrap(each, None) for each in results]
        else:
            node = _Recurred(self, operands, stacked, kept, results)
            tensors = [
                wrap(each, Output(node, i, each.shape, each.dtype))
                for i, each in enumerate(results)
            ]
        return tensors[0], tuple(tensors[1:])


class _Recurred(Node):
    """A compiled loop over a cell's steps, whose backward pass is one loop in reverse."""

    __slots__ = ("kept", "loop", "operands", "results", "stacked")

    def __init__(
        self,
        loop: _Recurrence,
        operands: Sequence[Tensor],
        stacked: list[Array],
        kept: list[Array],
        results: list[Array],
    ) -> None:
        super().__init__([x._node for x in operands], (), None)
        self.loop = loop
        # Tensors of their own: those given may be Variables, which a later step changes.
        self.operands = [tape.tensor_type._wrap(x.data, x._node) for x in operands]
        self.stacked = stacked
        self.kept: list[Array] | None = kept
        self.results = [(each.shape, each.dtype) for each in results]

    def release(self) -> None:
        self.kept = None

    def pull(self, cotangent: Any, create_graph: bool) -> Iterable[tuple[Node, Tensor]]:
        if self.kept is None:
            raise freed("a recurrent layer")
        if create_graph:
            return self._pull_step_by_step(cotangent)
        import jax.numpy

        given = [
            cotangent[i].data if i in cotangent else jax.numpy.zeros(shape, dtype)
            for i, (shape, dtype) in enumerate(self.results)
        ]
        pulled = self._backward(given[0], given[1:])
        wrap = tape.tensor_type._wrap
        return [
            (edge, wrap(array, None))
            for edge, array in zip(self.edges, pulled, strict=True)
            if edge is not None
        ]

    def _backward(self, g_outputs: Array, g_last: list[Array]) -> list[Array]:
        """The cotangent of every operand."""
        import jax
        import jax.numpy as jnp

        loop = self.loop
        _, states, weight, bias = loop.apart([x.data for x in self.operands])
        before = [
            jnp.concatenate([each[1:], first[None]] if loop.reverse else [first[None], each[:-1]])
            for first, each in zip(states, self.stacked, strict=True)
        ]

        def body(g: list[Array], x: Any) -> Any:
            g_output, kept, before, seen = x
            g = [g[0] + g_output, *g[1:]]
            used = g if seen is None else [jnp.where(seen, each, 0) for each in g]
            g_a, g_b, direct = loop.cell.back(jnp, kept, before, used)
            new = [direct[0] + g_b @ weight, *direct[1:]]
            if seen is not None:
                new = [jnp.where(seen, n, each) for n, each in zip(new, g, strict=True)]
            return new, (g_a, None if g_b is g_a else g_b)

        mask = None if loop.mask is None else jnp.asarray(loop.mask)
        g_states, (g_a, g_b) = jax.lax.scan(
            body,
            [strong(each) for each in g_last],
            (g_outputs, self.kept, before, mask),
            reverse=not loop.reverse,
        )
        flat = (g_a if g_b is None else g_b).reshape(-1, weight.shape[0])
        g_weight = flat.T @ before[0].reshape(-1, weight.shape[1])
        return [g_a, *g_states, g_weight, *([] if bias is None else [flat.sum(axis=0)])]

    def _pull_step_by_step(self, cotangent: Any) -> Iterable[tuple[Node, Tensor]]:
        """For gradients of gradients the steps are recorded one by one."""
        with recording(True):
            outputs, last = self.loop.run_eagerly(self.operands)
        results = [outputs, *last]
        roots = [(results[i]._node, each) for i, each in cotangent.items()]
        found = backpropagate(
            [(node, each) for node, each in roots if node is not None],
            until=[edge for edge in self.edges if edge is not None],
            create_graph=True,
            retain_graph=True,
        )
        return found.items()
