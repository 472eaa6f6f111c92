"""Functions of functions: gradients, products with derivatives, and recomputation.

`grad`, `vjp` follow `torch.func`; `hvp`, `jacobian` follow `torch.autograd.functional`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from retrograd import ops
from retrograd.arrays import barrier, namespace, state
from retrograd.autodiff.tape import Leaf, Node, backpropagate, reached, recording
from retrograd.ops.control.trees import flatten, rebuild
from retrograd.pytree import Layout
from retrograd.random import default_key
from retrograd.tensor import Tensor

__all__ = ["checkpoint", "grad", "hvp", "jacobian", "value_and_grad", "vjp"]

Argnums = int | Sequence[int]


def grad(function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Any:
    """The function that computes d function / d argument, for a function that returns one number.

    `argnums` chooses the argument (its gradient is returned) or several (a tuple is). An argument
    may be a dict, list or tuple of tensors, also nested; its gradient is arranged alike. With
    `has_aux` the function returns `(value, aux)` and the result is `(gradient, aux)`. It can be
    nested: `grad(grad(f))` is the second derivative.
    """
    both = value_and_grad(function, argnums, has_aux)

    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def value_and_grad(
    function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Any:
    """Like `grad`, but returns `(value, gradient)`, where value is the function's result."""
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(function)
    def both(*args: Any, **kwargs: Any) -> Any:
        arguments = list(args)
        inputs: list[Tensor] = []
        layouts = []
        for index in chosen:
            start = len(inputs)
            layouts.append(_entered(arguments[index], inputs))
            arguments[index] = rebuild(layouts[-1], iter(inputs[start:]))
        with recording(True):
            value = function(*arguments, **kwargs)
        output = value[0] if has_aux else value
        if not isinstance(output, Tensor) or output.numel() != 1:
            returned = output.shape if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(
                f"grad: {getattr(function, '__name__', 'the function')} must return one number, "
                f"found {returned}; see vjp and jacobian"
            )
        slopes = iter(_pull(output, None, inputs))
        found = tuple(rebuild(layout, slopes) for layout in layouts)
        output = _outward(output, inputs)
        value = (output, *value[1:]) if has_aux else output
        return value, found[0] if isinstance(argnums, int) else found

    return both


def vjp(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """`(function(*primals), pull)`, where `pull(cotangent)` is cotangentᵀ J, one per primal.

    A primal may be a dict, list or tuple of tensors, as in `grad`. What `pull` returns is linear in
    the cotangent, and can be differentiated with respect to it.
    """
    inputs: list[Tensor] = []
    layouts = [_entered(primal, inputs) for primal in primals]
    given = iter(inputs)
    with recording(True):
        output = function(*(rebuild(layout, given) for layout in layouts))

    def pull(cotangent: Any) -> Any:
        found = iter(_pull(output, cotangent, inputs))
        return tuple(rebuild(layout, found) for layout in layouts)

    return _outward(output, inputs), pull


def hvp(function: Callable[..., Any], inputs: Any, v: Any) -> tuple[Tensor, Any]:
    """`(function(*inputs), H v)` for a function to one number, its Hessian H and a vector v.

    `inputs` and `v` are a tensor each, or tuples of tensors. H v = d(∇f · v)/dx (Pearlmutter 1994).
    """
    single = not isinstance(inputs, tuple | list)
    points = [_input(x) for x in ([inputs] if single else inputs)]
    vectors = [v] if single else list(v)
    with recording(True):
        value = function(*points)
        slopes = _pull(value, None, points, create_graph=True)
        along: Any = 0.0
        for slope, vector in zip(slopes, vectors, strict=True):
            along = along + ops.sum(slope * vector)
    products = _pull(along, None, points)
    return _outward(value, points), products[0] if single else products


def jacobian(function: Callable[..., Any], inputs: Any) -> Any:
    """d output[i] / d input[j], of shape output.shape + input.shape; a tuple for several inputs.

    One backward pass for each element of the output.
    """
    single = not isinstance(inputs, tuple | list)
    points = [_input(x) for x in ([inputs] if single else inputs)]
    with recording(True):
        output = function(*points)
    xp = namespace(output.data)
    rows = []
    for basis in xp.eye(output.numel(), dtype=output.dtype):
        rows.append(_pull(output, Tensor(basis.reshape(output.shape)), points))
    blocks = tuple(
        ops.reshape(ops.stack(column), shape=(*output.shape, *point.shape))
        if column
        else Tensor(xp.zeros((*output.shape, *point.shape), point.dtype))
        for column, point in zip(
            zip(*rows, strict=True) if rows else [()] * len(points), points, strict=True
        )
    )
    return blocks[0] if single else blocks


def _entered(argument: Any, inputs: list[Tensor]) -> Layout:
    """Add the tensors of an argument to `inputs`; return the layout that arranges them again."""
    if not _holds_tensors(argument):  # numbers in lists are one tensor
        inputs.append(_input(argument))
        return Ellipsis
    leaves: list[Tensor] = []
    layout = flatten(argument, leaves)
    inputs.extend(map(_input, leaves))
    return layout


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(hasattr(each, "ndim") or _holds_tensors(each) for each in value)
    return isinstance(value, dict)


def _input(value: Any) -> Tensor:
    """A new node in front of `value`, where this transform's gradient ends."""
    tensor = value if isinstance(value, Tensor) else Tensor(value)
    if state.recording and tensor.requires_grad:
        return ops.cast(tensor, dtype=tensor.dtype)  # linked to what is outside, for nesting
    return Tensor(tensor.data, requires_grad=True)


def _pull(
    output: Tensor, cotangent: Any, inputs: Sequence[Tensor], create_graph: bool = False
) -> tuple[Tensor, ...]:
    """The cotangents of `inputs`, zeros where the output does not depend on one."""
    found: dict[Node, Tensor] = {}
    if output._node is not None:
        mine = [x._node for x in inputs if x._node is not None]
        start = output._cotangent(cotangent)
        followed = state.recording and start.requires_grad
        found = backpropagate(
            [(output._node, start)],
            until=mine,
            create_graph=create_graph or followed or _is_seen(output, inputs),
            retain_graph=True,
        )
    return tuple(
        found[x._node] if x._node in found else Tensor(namespace(x.data).zeros(x.shape, x.dtype))
        for x in inputs
    )


def _is_seen(output: Tensor, inputs: Sequence[Tensor]) -> bool:
    """Whether code outside the transform may differentiate through it."""
    mine = [x._node for x in inputs if x._node is not None]
    if output._node is None or not state.recording:
        return False
    # A newer leaf is another transform's, within the function, and is done with.
    newest = max((node.order for node in mine), default=0)
    return any(
        type(node) is Leaf and node not in mine and node.order < newest
        for node in reached(output._node)
    )


def _outward(output: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """The function's result, detached from the graph that only the transform needed."""
    return output if _is_seen(output, inputs) else output.detach()


def checkpoint(function: Callable[..., Any], *args: Any) -> Tensor:
    """`function(*args)` without keeping its intermediate values: the backward pass recomputes them.

    Memory for time (Chen et al. 2016, "Training deep nets with sublinear memory cost"). Gradients
    flow to the arguments and to every parameter that the function uses. The function returns one
    tensor and, because it runs twice, must compute the same both times; the random stream is
    rewound for the second. Raises TypeError if it returns anything else.
    """
    start = Node((), (), None).order
    key = default_key.data
    output = function(*args)
    if not isinstance(output, Tensor):
        raise TypeError(f"checkpoint: expected one tensor, found {type(output).__name__}")
    if output._node is None:
        return output
    edges = [node for node in reached(output._node, before=start) if node.order < start]
    return Tensor._wrap(output.data, _Recomputed(function, args, edges, key, output))


class _Recomputed(Node):
    """A function's result, whose inner graph is rebuilt when a cotangent arrives."""

    __slots__ = ("args", "function", "key")

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        edges: list[Node],
        key: Any,
        output: Tensor,
    ) -> None:
        super().__init__(edges, output.shape, output.dtype)
        self.function = function
        self.args = args
        self.key = key

    def pull(self, cotangent: Any, create_graph: bool) -> Iterable[tuple[Node, Tensor]]:
        tensors = [arg for arg in self.args if isinstance(arg, Tensor)]
        *hidden, pulled = barrier([*(tensor.data for tensor in tensors), cotangent.data])
        fresh = iter([Tensor._wrap(data, x._node) for data, x in zip(hidden, tensors, strict=True)])
        args = [next(fresh) if isinstance(arg, Tensor) else arg for arg in self.args]
        now = default_key.data
        default_key.data = self.key
        try:
            with recording(True):
                output = self.function(*args)
        finally:
            default_key.data = now
        if not create_graph:
            cotangent = Tensor._wrap(pulled, None)
        edges = [edge for edge in self.edges if edge is not None]
        found = backpropagate(
            [(output._node, cotangent)],
            until=edges,
            create_graph=create_graph,
            retain_graph=create_graph,  # a gradient of the gradient passes here again
        )
        return found.items()
