"""Where a NaN or an infinity came from: run a function eagerly and check each operation.

    origin = find_nan(step, x, y)
    print(origin)       # log in layer 'head' made infinities in rows 3, 17 of the batch ...

Every operation whose result is not finite leaves an event with its inputs and its output. So does
each vector-Jacobian product of the backward pass and each update of a weight. From the first bad
result the walk goes back through values that are not finite, to the event whose inputs were all
finite. The normal run costs nothing extra: this is a second run of the failed step, from the values
of its Variables before it.
"""

from __future__ import annotations

import linecache
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from traceback import walk_stack
from typing import Any

import numpy as np

from retrograd import nn, optim
from retrograd.arrays import Array
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.primitive import Applied, Primitive
from retrograd.autodiff.tape import Leaf, Node
from retrograd.compiler.refusals import is_library
from retrograd.diagnosis.nan.words import NanOrigin, Range
from retrograd.tensor import Tensor
from retrograd.variable import Parameter, Variable

__all__ = ["find_nan"]


def find_nan(
    function: Callable[..., Any], *args: Any, model: nn.Module | None = None, **kwargs: Any
) -> NanOrigin | None:
    """Run `function(*args, **kwargs)` eagerly and find what first made a NaN or an infinity.

    A bad value counts if it reaches the function's result, a tensor that `backward()` is called on,
    a gradient or a weight; the result is None if all of those are finite. Intended infinities, such
    as -inf for a mask, count only once they turn into a NaN. `function` may be a compiled step. Its
    side effects happen. `model` provides the names of layers if the function calls only parts of
    it.
    """
    trail = _Trail(args, kwargs, model)
    with hooks(**trail.events()):
        result = function(*args, **kwargs)
    return trail.origin(result)


@dataclass
class _Place:
    """Where an operation was called: the layer's path, and the user's line."""

    layer: str
    file: str
    line: int


@dataclass
class _Event:
    """An operation, a vector-Jacobian product or an update gave a result that is not finite."""

    kind: str
    name: str
    place: _Place
    inputs: list[tuple[str, Any]]
    output: Array
    variables: dict[int, str] = field(default_factory=dict)  # which inputs are weights


class _Trail:
    """The values of one run that are not finite, by the array that holds them."""

    def __init__(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], model: nn.Module | None
    ) -> None:
        self.made_by: dict[int, _Event] = {}
        self.places: dict[Node, tuple[str, _Place]] = {}
        self.targets: list[Array] = []
        self.arguments = {
            id(array): name
            for name, value in [*((str(i), arg) for i, arg in enumerate(args)), *kwargs.items()]
            for array in _arrays(value)
        }
        sizes = Counter(
            each.shape[0] for v in (*args, *kwargs.values()) for each in _arrays(v) if each.ndim
        )
        self.batch_size = sizes.most_common(1)[0][0] if sizes else 0
        self._weights: dict[int, str] = {}
        self._paths: dict[int, str] = {}
        self._stack: list[nn.Module] = []
        self._raw_gradients: dict[int, Array] = {}
        if model is not None:
            self._meet(model)

    def events(self) -> dict[str, Any]:
        """The events to receive from `hooks`."""
        return {
            "operation": self._applied,
            "enter": self._entered,
            "module": self._left,
            "backward": self._begins,
            "pull": self._pulled,
            "clip": self._clipped,
            "update": self._updated,
            "eager": True,
        }

    # What the engine calls ------------------------------------------------------------------------

    def _meet(self, model: nn.Module) -> None:
        for path, module in model.named_modules():
            self._paths.setdefault(id(module), path or type(module).__name__)
        for name, variable in [*model.named_parameters(), *model.named_buffers()]:
            self._weights.setdefault(id(variable), name)

    def _entered(self, module: nn.Module) -> None:
        if id(module) not in self._paths:
            self._meet(module)
        self._stack.append(module)

    def _left(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._stack.pop()
        shape = getattr(inputs[0], "shape", None) if inputs else None
        if not self._stack and shape and not isinstance(module, _LOSSES):
            self.batch_size = shape[0]

    def _applied(
        self,
        applied: Primitive,
        operands: tuple[Any, ...],
        attributes: dict[str, Any],
        result: Any,
    ) -> None:
        place = self._place()
        names = applied.operands
        inputs, variables = [], {}
        for i, operand in enumerate(operands):
            name = f"{names[0]}[{i}]" if applied.variadic else names[i] if i < len(names) else ""
            array = operand.data if isinstance(operand, Tensor) else operand
            if isinstance(operand, Variable):  # not of a model: examples kept on the device
                variables[id(array)] = self._weights.get(id(operand), "")
            inputs.append((name, array))
        for each in result if type(result) is tuple else (result,):
            node = each._node
            if node is not None:
                self.places[getattr(node, "source", node)] = (applied.name, place)
            if not _finite(each.data) and all(each.data is not array for _, array in inputs):
                self.made_by[id(each.data)] = _Event(
                    "forward", applied.name, place, inputs, each.data, variables
                )

    def _pulled(self, node: Node, cotangent: Any, pulls: list[tuple[Node, Any]]) -> None:
        name, place = self.places.get(node, (type(node).__name__.lstrip("_").lower(), None))
        parts = cotangent.values() if isinstance(cotangent, dict) else [cotangent]
        inputs = [("cotangent", each.data) for each in parts]
        if isinstance(node, Applied) and node.saved is not None:
            names = node.primitive.operands
            for i, array in enumerate(node.saved):
                if array is not None:
                    inputs.append((names[0 if node.primitive.variadic else i], array))
            outs = node.out if type(node.out) is tuple else (node.out,)
            inputs += [("result", array) for array in outs if array is not None]
        for edge, pulled in pulls:
            if not _finite(pulled.data):
                if all(pulled.data is not array for _, array in inputs):
                    self.made_by[id(pulled.data)] = _Event(
                        "backward", name, place or self._place(), inputs, pulled.data
                    )
                if isinstance(edge, Leaf):
                    self.targets.append(pulled.data)

    def _begins(self, tensor: Tensor) -> None:
        if not _finite(tensor.data):
            self.targets.append(tensor.data)

    def _clipped(self, parameters: list[Tensor], squares: Any, factor: Any, limit: float) -> None:
        for parameter in parameters:
            if parameter.grad is not None:
                self._raw_gradients[id(parameter)] = parameter.grad.data

    def _updated(
        self, optimizer: optim.Optimizer, parameter: Parameter, gradient: Array, weight: Array
    ) -> None:
        if _finite(weight):
            return
        gradient = self._raw_gradients.get(id(parameter), gradient)
        name = self._weights.get(id(parameter), "a parameter")
        lr = float(optimizer.param_groups[0]["lr"])
        self.made_by[id(parameter.data)] = _Event(
            "update",
            type(optimizer).__name__,
            _Place(name.rpartition(".")[0], *_user_line()),
            [("gradient", gradient), ("learning rate", lr)],
            parameter.data,
        )
        self.targets.append(parameter.data)

    def _place(self) -> _Place:
        layer = self._paths[id(self._stack[-1])] if self._stack else ""
        return _Place(layer, *_user_line())

    # The walk back --------------------------------------------------------------------------------

    def origin(self, result: Any) -> NanOrigin | None:
        """What made the first bad result."""
        bad = [*self.targets, *(each for each in _arrays(result) if not _finite(each))]
        if not bad:
            return None
        array = bad[0]
        path: list[_Event] = []
        while True:
            event = self.made_by.get(id(array))
            if event is None:
                return self._given(array, path)
            path.append(event)
            worse = [a for _, a in event.inputs if not _finite(a)]
            if not worse:
                return self._of(event)
            array = next((a for a in worse if _has_nan(a)), worse[0])
            if any(array is each.output for each in path):
                return self._of(event)  # a cycle: an accumulation in place

    def _given(self, array: Any, path: list[_Event]) -> NanOrigin | None:
        """The origin of an `array` that no event made: data, a weight or a constant."""
        last = path[-1] if path else None
        variable = None if last is None else last.variables.get(id(array))
        if variable:
            return self._of(last, "weight", variable, array)
        if id(array) in self.arguments or _has_nan(array) or last is None or variable is not None:
            name = self.arguments.get(id(array), "")
            # If the array holds all examples, report the rows of this batch.
            whole = last is not None and len(array) != self.batch_size
            return self._of(last, "data", name, last.output if whole and last else array)
        # Infinities that the user put in: what turned them into a NaN, or passed them on.
        for event in reversed(path):
            if _has_nan(event.output) and not any(_has_nan(a) for _, a in event.inputs):
                return self._of(event)
        return self._of(last)

    def _of(
        self, event: _Event | None, kind: str = "", source: str = "", array: Array | None = None
    ) -> NanOrigin:
        place = event.place if event is not None else _Place("", "", 0)
        output = event.output if event is not None else None
        bad = np.asarray(output if array is None else array)
        inputs = [] if event is None else event.inputs
        return NanOrigin(
            kind=kind or (event.kind if event is not None else ""),
            operation=event.name if event is not None else "",
            source=source,
            layer=place.layer,
            made="NaN" if _has_nan(bad) else "infinity",
            inputs=tuple(Range.of(name, values) for name, values in inputs),
            rows=_rows(bad, self.batch_size),
            file=place.file,
            line=place.line,
            code=linecache.getline(place.file, place.line).strip() if place.file else "",
        )


_LOSSES = (nn.CrossEntropyLoss, nn.MSELoss, nn.L1Loss, nn.NLLLoss, nn.BCEWithLogitsLoss)


def _user_line() -> tuple[str, int]:
    """The innermost line on the stack outside the library; ("", 0) if there is none."""
    for frame, number in walk_stack(sys._getframe(1)):
        name = frame.f_code.co_filename
        if not is_library(name):
            return name, number
    return "", 0


def _arrays(value: Any) -> Iterator[Array]:
    """The arrays in tensors, arrays and containers of them."""
    if isinstance(value, Tensor):
        yield value.data
    elif isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _arrays(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _arrays(each)


def _finite(value: Any) -> bool:
    kind = getattr(getattr(value, "dtype", None), "kind", "f" if isinstance(value, float) else "")
    return kind not in ("f", "V") or bool(np.isfinite(value).all())


def _has_nan(value: Any) -> bool:
    return not _finite(value) and bool(np.isnan(value).any())


def _rows(values: Array, batch_size: int) -> tuple[int, ...]:
    """The rows of the batch with values that are not finite; empty if there is no batch axis."""
    if not values.ndim or values.shape[0] != batch_size:
        return ()
    bad = ~np.isfinite(values)
    return tuple(np.flatnonzero(bad.reshape(batch_size, -1).any(axis=1)).tolist())
