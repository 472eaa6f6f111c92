"""The backward pass as functions, by the names of `torch.autograd`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrograd import ops
from retrograd.autodiff.tape import backpropagate, no_grad
from retrograd.gradcheck import check_gradients as gradcheck
from retrograd.tensor import Tensor

__all__ = ["backward", "grad", "gradcheck", "no_grad"]

Tensors = Tensor | Sequence[Tensor]


def _each(tensors: Any) -> list[Any]:
    return [tensors] if tensors is None or isinstance(tensors, Tensor) else list(tensors)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The slopes of the sum of `outputs` in each of `inputs`; no `.grad` changes.

    `grad_outputs` are the cotangents to start from, 1 by default, which needs single numbers.
    `create_graph` records the walk, `retain_graph` (by default as `create_graph`) keeps the graph.

    Raises RuntimeError if nothing was recorded, or unless `allow_unused`, which gives None, for an
    input that the outputs do not depend on.
    """
    targets, points = _each(outputs), _each(inputs)
    starts = [None] * len(targets) if grad_outputs is None else _each(grad_outputs)
    roots = [
        (target._node, target._cotangent(start))
        for target, start in zip(targets, starts, strict=True)
        if target._node is not None
    ]
    if not roots:
        raise RuntimeError("grad: no gradient was recorded for the outputs")
    for position, point in enumerate(points):
        if point._node is None:
            raise RuntimeError(f"grad: input {position} does not require a gradient")
    found = backpropagate(
        roots,
        until=[point._node for point in points],
        create_graph=create_graph,
        retain_graph=create_graph if retain_graph is None else retain_graph,
    )
    slopes = tuple(found.get(point._node) for point in points)
    unused = [position for position, slope in enumerate(slopes) if slope is None]
    if unused and not allow_unused:
        raise RuntimeError(
            f"grad: the outputs do not depend on input {unused[0]}; pass allow_unused=True for None"
        )
    return slopes


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Propagate back from several tensors at once, adding to every leaf's `.grad`.

    `grad_tensors` are the cotangents to start from, 1 by default, which needs single numbers.
    """
    targets = _each(tensors)
    starts = [None] * len(targets) if grad_tensors is None else _each(grad_tensors)
    total: Any = 0.0
    for target, start in zip(targets, starts, strict=True):
        total = total + ops.sum(target * target._cotangent(start))
    total.backward(retain_graph=retain_graph, create_graph=create_graph)
