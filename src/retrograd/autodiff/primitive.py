"""`@primitive`: an operation, forward and backward side by side.

    @primitive
    def matmul(xp, a, b):
        return xp.matmul(a, b)

    matmul.pullbacks(
        a=lambda g, b: g @ b.mT,      # dA = G Bᵀ
        b=lambda g, a: a.mT @ g,      # dB = Aᵀ G
    )

The forward receives the array namespace and raw arrays: positional parameters are operands,
keyword-only ones are static attributes. Each operand has one rule, a function from the cotangent of
the result to the cotangent of that operand, or `None` where the derivative is zero by definition
(an index, a mask). The names of a rule's parameters say what it needs:

    g               the cotangent of the result (a list if there are several)
    out             the result (a tuple if there are several)
    <operand>       that operand (a tuple for a `*operands` parameter)
    <operand>_shape its shape (of `*operands`: all shapes), without keeping the operand alive
    <attribute>     that attribute
    position        for `*operands`: which of them this call is for

Rules are written in differentiable operations, so a gradient of a gradient needs no second rule.
Broadcasting is undone by the walk, once, for every rule. Names are checked when the rule is
declared, and only the values that some rule names are kept alive.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from retrograd.arrays import Array, as_array, namespace, state
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Node, Output, Tensor

__all__ = ["REGISTRY", "Primitive", "primitive"]

Rule = Callable[..., Any]

# The operations of this project by name, which one test walks through.
REGISTRY: dict[str, Primitive] = {}

# NumPy's own spellings, which PyTorch accepts beside its own as well.
ALIASES = {"axis": "dim", "keepdims": "keepdim"}


class Primitive:
    """An operation with a rule for the backward pass; calling it runs it on tensors or arrays."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(forward).parameters.values())[1:]
        self.forward = forward
        self.name = forward.__name__
        self.__name__ = forward.__name__
        self.__qualname__ = forward.__qualname__
        self.__module__ = forward.__module__
        self.__doc__ = forward.__doc__
        operands = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        self.operands = [p.name for p in operands]
        self.optional = {p.name: p.default for p in operands if p.default is not p.empty}
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.attributes = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self.rules: list[_Rule | None] = []
        self._plans: dict[int, _Plan] = {}
        if self.variadic and len(self.operands) > 1:
            raise TypeError(f"{self.name}: *{self.operands[-1]} must be the only operand")
        # A user's own operation may have any name, and be defined anew in the next cell.
        if not self.__module__.startswith("retrograd."):
            return
        if self.name in REGISTRY:
            raise TypeError(f"an operation named {self.name!r} is registered already")
        REGISTRY[self.name] = self

    def pullbacks(self, **rules: Rule | None) -> Primitive:
        """Declare one rule an operand; raises TypeError for a name that means nothing here."""
        if set(rules) != set(self.operands):
            raise TypeError(
                f"{self.name} has operands {', '.join(self.operands)}; "
                f"rules were given for {', '.join(rules)}"
            )
        known = {"g", "out", *self.operands, *(f"{name}_shape" for name in self.operands)}
        known |= set(self.attributes)
        if self.variadic:
            known.add("position")
        self.rules = []
        for operand in self.operands:
            rule = rules[operand]
            if rule is None:
                self.rules.append(None)
                continue
            names = tuple(inspect.signature(rule).parameters)
            if unknown := [name for name in names if name not in known]:
                raise TypeError(
                    f"{self.name}: the rule for {operand} asks for {', '.join(unknown)}; "
                    f"it may ask for {', '.join(sorted(known))}"
                )
            self.rules.append(_Rule(rule, names, self))
        return self

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.operands)})>"

    def __call__(self, *operands: Any, **attributes: Any) -> Any:
        if state.watch is not None:
            return state.watch(self, operands, attributes)
        fits = self.variadic or len(operands) == len(self.operands)
        if not fits or (attributes and not attributes.keys() <= self.attributes.keys()):
            operands, attributes = self._bind(operands, attributes)
        tensor_type = tape.tensor_type
        recording = state.recording
        arrays: list[Array] = []
        edges: list[Node | None] = []
        tracked = 0
        xp: Any = np
        for position, operand in enumerate(operands):
            edge = None
            array = operand
            if isinstance(operand, tensor_type):
                array = operand.data
                if recording:
                    edge = operand._node
                    if edge is not None:
                        tracked |= 1 << position
            elif type(operand) not in _PLAIN:
                array = as_array(operand)
            if type(array) not in _PLAIN and xp is np:
                xp = namespace(array)
            arrays.append(array)
            edges.append(edge)
        if xp is np and not state.quiet:
            # PyTorch's behaviour: infinities and NaN are values, not warnings.
            with np.errstate(all="ignore"):
                out = self.forward(xp, *arrays, **attributes)
        else:
            out = self.forward(xp, *arrays, **attributes)
        if type(out) is not tuple and out.dtype is not getattr(arrays[0], "dtype", None):
            out = self._settled(out, arrays)
        if tracked:
            return self._record(out, arrays, edges, attributes, tracked)
        if type(out) is tuple:
            return tuple(tensor_type._wrap(_array(each), None) for each in out)
        return tensor_type._wrap(_array(out), None)

    def _settled(self, out: Array, operands: list[Array]) -> Array:
        """`out` with the dtype of the floating-point operands, or float32 if there is none.

        As in PyTorch, and the same in both engines: by itself NumPy makes float64 of float32 beside
        int64, and of a mean of integers. An operation with an attribute `dtype` decides for itself.
        """
        dtypes = [each.dtype for each in operands if hasattr(each, "dtype")]
        if out.dtype in dtypes or out.dtype.kind not in "fV" or "dtype" in self.attributes:
            return out
        floats = {dtype for dtype in dtypes if dtype.kind in "fV"}
        if len(floats) > 1:
            return out
        return out.astype(floats.pop() if floats else np.float32)

    def _bind(
        self, operands: tuple[Any, ...], attributes: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort a call's arguments into operands and attributes, as Python would."""
        attributes = {
            ALIASES.get(name, name) if name not in self.attributes else name: value
            for name, value in attributes.items()
        }
        arity = len(self.operands)
        if not self.variadic:
            named = dict(zip(self.attributes, operands[arity:], strict=False))
            if len(operands) > arity + len(self.attributes) or named.keys() & attributes:
                raise TypeError(f"{self.name}() got too many arguments; see help({self.name})")
            attributes = named | attributes
            operands = operands[:arity]
            for name in self.operands[len(operands) :]:
                if name not in attributes and name not in self.optional:
                    raise TypeError(f"{self.name}() is missing the argument {name!r}")
                operands = (*operands, attributes.pop(name, self.optional.get(name)))
        for name in attributes:
            if name not in self.attributes:
                raise TypeError(
                    f"{self.name}() has no argument {name!r}; it takes "
                    f"{', '.join([*self.operands, *self.attributes])}"
                )
        return operands, attributes

    def _record(
        self,
        out: Any,
        arrays: list[Array],
        edges: list[Node | None],
        attributes: dict[str, Any],
        tracked: int,
    ) -> Any:
        plan = self._plans.get(tracked)
        if plan is None:
            plan = self._plans[tracked] = _Plan(self, tracked)
        several = type(out) is tuple
        out = tuple(map(_array, out)) if several else _array(out)
        if not several and out.dtype.kind not in "fV":
            return tape.tensor_type._wrap(out, None)
        node = Applied(self, edges, arrays, attributes, out, plan)
        return node.outputs(out) if several else tape.tensor_type._wrap(out, node)


# Passed to the forward as they are; None is an optional operand that is absent.
_PLAIN = frozenset({np.ndarray, float, int, bool, type(None)})


def _array(value: Any) -> Array:
    return np.asarray(value) if isinstance(value, np.generic) else value


class _Plan:
    """What the rules of the tracked operands ask for, and so what a node keeps alive."""

    __slots__ = ("keep", "out", "shapes")

    def __init__(self, applied: Primitive, tracked: int) -> None:
        if not applied.rules:
            raise TypeError(
                f"{applied.name} has no rules yet: declare them with {applied.name}.pullbacks"
            )
        names: set[str] = set()
        for position, rule in enumerate(applied.rules):
            if rule is not None and (applied.variadic or tracked >> position & 1):
                names.update(rule.names)
        self.out = "out" in names
        self.shapes = any(f"{name}_shape" in names for name in applied.operands)
        # Which operands by position; for `*operands` all of them or none.
        self.keep: list[bool] | bool = [name in names for name in applied.operands]
        if applied.variadic:
            self.keep = self.keep[0]


class _Rule:
    """The pullback to one operand, and where each of its parameters comes from."""

    __slots__ = ("function", "names", "sources")

    def __init__(self, function: Rule, names: tuple[str, ...], owner: Primitive) -> None:
        self.function = function
        self.names = names
        self.sources = [_source(name, owner) for name in names]


Source = Callable[["Applied", Any, int, bool], Any]


def _source(name: str, owner: Primitive) -> Source:
    """How a node finds what a rule's parameter `name` stands for.

    From the node, the cotangent, the operand's position and whether to link to the graph, for
    `create_graph`.
    """
    if name == "g":
        return lambda node, g, position, linked: g
    if name == "out":
        return lambda node, g, position, linked: node.result(linked)
    if name == "position":
        return lambda node, g, position, linked: position
    if name in owner.operands:
        if owner.variadic:
            return lambda node, g, position, linked: tuple(
                node.operand(i, linked) for i in range(len(node.edges))
            )
        index = owner.operands.index(name)
        return lambda node, g, position, linked: node.operand(index, linked)
    if name in owner.attributes:
        default = owner.attributes[name]
        return lambda node, g, position, linked: node.attributes.get(name, default)
    if owner.variadic:
        return lambda node, g, position, linked: node.shapes
    index = owner.operands.index(name.removesuffix("_shape"))
    return lambda node, g, position, linked: node.shapes[index]


class Applied(Node):
    """A primitive applied to operands: what its rules need to pull a cotangent back."""

    __slots__ = ("attributes", "out", "primitive", "saved", "shapes", "specs")

    def __init__(
        self,
        applied: Primitive,
        edges: list[Node | None],
        arrays: list[Array],
        attributes: dict[str, Any],
        out: Any,
        plan: _Plan,
    ) -> None:
        several = type(out) is tuple
        super().__init__(edges, () if several else out.shape, None if several else out.dtype)
        self.specs = [(each.shape, each.dtype) for each in out] if several else None
        self.primitive = applied
        self.attributes = attributes
        self.shapes = [getattr(array, "shape", ()) for array in arrays] if plan.shapes else []
        # The array, never the tensor: a tensor holds its node, and a node that held it back would
        # be a cycle. `result` wraps it again.
        self.out: Any = out if plan.out else None
        self.saved: list[Array] | None = arrays
        if plan.keep is False:
            self.saved = []
        elif plan.keep is not True and not all(plan.keep):
            for position, wanted in enumerate(plan.keep):
                if not wanted:
                    arrays[position] = None

    def outputs(self, arrays: tuple[Array, ...]) -> tuple[Tensor, ...]:
        """The results of an operation that has several, as tensors linked to this node."""
        wrap = tape.tensor_type._wrap
        return tuple(
            wrap(array, Output(self, index, array.shape, array.dtype))
            if array.dtype.kind in "fV"
            else wrap(array, None)
            for index, array in enumerate(arrays)
        )

    def release(self) -> None:
        self.saved = None
        self.out = None

    def pull(self, cotangent: Any, create_graph: bool) -> Iterable[tuple[Node, Tensor]]:
        if self.saved is None:
            raise RuntimeError(
                f"backward was called a second time through {self.primitive.name}, whose values "
                "were freed by the first call; pass retain_graph=True to the first one, or run the "
                "forward pass again"
            )
        if self.specs is not None:
            cotangent = [
                _operand(np.zeros(shape, dtype), None) if part is None else part
                for part, (shape, dtype) in zip(
                    map(cotangent.get, range(len(self.specs))), self.specs, strict=True
                )
            ]
        primitive = self.primitive
        for position, edge in enumerate(self.edges):
            if edge is None:
                continue
            rule = primitive.rules[0 if primitive.variadic else position]
            if rule is None:
                continue
            pulled = rule.function(
                *[source(self, cotangent, position, create_graph) for source in rule.sources]
            )
            if pulled is not None:
                yield edge, pulled

    def operand(self, position: int, linked: bool) -> Any:
        """An operand as a tensor, in the graph if `linked`; a Python number as it is."""
        assert self.saved is not None
        return _operand(self.saved[position], self.edges[position] if linked else None)

    def result(self, linked: bool) -> Any:
        """The result, or the tuple of them, likewise."""
        if self.specs is None:
            return _operand(self.out, self if linked else None)
        if linked:
            return self.outputs(self.out)
        return tuple(_operand(array, None) for array in self.out)


def _operand(array: Any, edge: Node | None) -> Any:
    """A saved array as a tensor; a Python number as it is."""
    if array is None or isinstance(array, bool | int | float):
        return array
    return tape.tensor_type._wrap(array, edge)


def primitive(forward: Callable[..., Any]) -> Primitive:
    """Register `forward(xp, *operands, **attributes)` as a differentiable operation.

    Declare its rules with `.pullbacks` beside it. The operation is known by the function's name.
    """
    return Primitive(forward)
