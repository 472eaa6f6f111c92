"""Identical blocks in sequence, compiled as one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.arrays import Array, DType, state
from retrograd.autodiff.hooks import hooks
from retrograd.nn.module import Module, Place
from retrograd.ops.control.trees import flatten, rebuild
from retrograd.random import default_key
from retrograd.tensor import Tensor
from retrograd.variable import Buffer, Parameter, Variable

__all__ = ["Repeat"]


class Repeat(Module):
    """`n` identical blocks in sequence: `Repeat(lambda: Block(64), 24)`.

    A function is called for each block, so that every block draws its own initial weights; a module
    is copied with its weights. A compiled step traces and compiles the block once and loops over
    the weights, so that compile time does not grow with `n`; eagerly the blocks run in a Python
    loop. The block's output must have the shape and dtype of its input, `x`; what else `forward`
    receives goes to every block as it is.

    The weights of all blocks are kept stacked: `parameters()` yields one Parameter of shape
    `(n, ...)` for each of the block's, which is what an optimizer sees and `requires_grad` freezes.
    `state_dict()` has them apart, as a `ModuleList` of the blocks would: "0.weight", "1.weight".

    Raises ValueError unless the blocks differ only in their numbers, and for a block that contains
    a `Repeat`.
    """

    def __init__(self, block: Module | Callable[[], Module], n: int) -> None:
        super().__init__()
        if n < 1:
            raise ValueError(f"Repeat: n must be at least 1, found {n}")
        if isinstance(block, Module):
            blocks = [copy.deepcopy(block) for _ in range(n)]
        else:
            blocks = [block() for _ in range(n)]
        for i, each in enumerate(blocks[1:], 1):
            if repr(each) != repr(blocks[0]):
                raise ValueError(
                    f"Repeat: the blocks may differ only in their numbers; block 0 is\n"
                    f"{blocks[0]!r}\nand block {i} is\n{each!r}"
                )
        if any(isinstance(module, Repeat) for module in blocks[0].modules()):
            raise ValueError("Repeat: a block cannot contain a Repeat; repeat the inner one longer")
        self.n = n
        self.block = blocks[0]
        for name, variable in self._variables(blocks[0]):
            parts = [dict(self._variables(each))[name].data for each in blocks]
            _replace(variable, np.stack(parts))

    @staticmethod
    def _variables(block: Module) -> Iterator[tuple[str, Variable]]:
        yield from block.named_parameters()
        yield from block.named_buffers()

    def forward(self, x: Any, *arguments: Any, **options: Any) -> Any:
        leaves: list[Tensor] = []
        layout = flatten(x, leaves)
        x = rebuild(layout, iter(leaves))  # arrays as tensors, as a compiled loop has them
        variables = [variable for _, variable in self._variables(self.block)]
        # The arrays as they are now: the blocks may move what a buffer holds.
        stacked = [Tensor._wrap(each.data, each._node) for each in variables]

        def run(x: Any, row: Sequence[Tensor]) -> tuple[Any, list[Tensor]]:
            """The output of one block, and its buffers afterwards."""
            with _Lent(self.block, variables, row):
                out = self.block(x, *arguments, **options)
            return out, [
                Tensor._wrap(tensor.data, None)
                for variable, tensor in zip(variables, row, strict=True)
                if isinstance(variable, Buffer)
            ]

        if state.trace is None or hooks.unrolls:
            rows = zip(*(ops.unbind(each) for each in stacked), strict=True)
            left = []
            for row in rows if variables else [()] * self.n:
                x, buffers = run(x, row)
                left.append(buffers)
            columns = [ops.stack(column) for column in zip(*left, strict=True)]
        else:
            x, columns = self._scanned(run, x, stacked)
        for buffer, column in zip(self.block.buffers(), columns, strict=True):
            buffer.data = column.data
        return x

    def _scanned(self, run: Callable[..., Any], x: Any, stacked: list[Tensor]) -> tuple[Any, Any]:
        """The blocks as one loop, which carries the random stream along."""
        drawn: set[bool] = set()

        def step(carry: tuple[Any, Tensor], row: list[Tensor]) -> tuple[Any, Any]:
            x, key = carry
            trace = state.trace
            before, written = trace.arrays[default_key], default_key in trace.written
            trace.arrays[default_key] = key.data
            x, left = run(x, row)
            after = trace.arrays[default_key]
            drawn.add(after is not key.data)
            trace.arrays[default_key] = before
            if not written:
                trace.written.pop(default_key, None)
            return (x, Tensor(after)), left

        key = Tensor(default_key.data)
        (x, key), left = ops.scan(step, (x, key), stacked, length=self.n)
        if True in drawn:
            default_key.data = key.data
        return x, left

    def _named_state(self, prefix: str = "") -> Iterator[tuple[str, Place]]:
        for i in range(self.n):
            for name, place in self.block._named_state():
                yield f"{prefix}{i}.{name}", _Row(place, i)

    def extra_repr(self) -> str:
        return f"n={self.n}"


class _Row:
    """One block's part of a stacked Variable, as a state names it."""

    def __init__(self, whole: Place, index: int) -> None:
        self.whole = whole
        self.index = index

    @property
    def shape(self) -> tuple[int, ...]:
        return self.whole.shape[1:]

    @property
    def dtype(self) -> DType:
        return self.whole.dtype

    @property
    def data(self) -> Array:
        return self.whole.data[self.index]

    @data.setter
    def data(self, array: Array) -> None:
        whole = np.array(self.whole.data)
        whole[self.index] = array
        self.whole.data = whole


class _Lent:
    """Within the block a module's Variables are the tensors of one row, wherever they are used."""

    def __init__(self, block: Module, variables: Sequence[Variable], row: Sequence[Tensor]) -> None:
        tensors = dict(zip(variables, row, strict=True))
        self.places = [
            (vars(module), name, variable, tensors[variable])
            for module in block.modules()
            for kind in (Parameter, Buffer)
            for name, variable in module._own(kind)
        ]

    def __enter__(self) -> None:
        for attributes, name, _, tensor in self.places:
            attributes[name] = tensor

    def __exit__(self, *error: object) -> None:
        for attributes, name, variable, _ in self.places:
            attributes[name] = variable


def _replace(variable: Variable, array: Array) -> None:
    """Give a Variable contents of another shape."""
    trained = variable.requires_grad
    variable.requires_grad = False
    variable.data = array
    variable.requires_grad = trained  # a new leaf, of the new shape
