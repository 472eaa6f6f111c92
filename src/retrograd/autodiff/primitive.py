"""`@primitive`: an operation, forward and backward side by side.

    @primitive
    def matmul(xp, a, b):
        return xp.matmul(a, b)

    matmul.pullbacks(
        a=lambda g, b: g @ b.mT,      # dA = G Bᵀ
        b=lambda g, a: a.mT @ g,      # dB = Aᵀ G
    )

The forward receives the array namespace and raw arrays: positional parameters are operands,
keyword-only ones are static attributes. Each operand has one rule, its vector-Jacobian product: a
function from the cotangent of the result to the cotangent of that operand, or `None` where the
derivative is zero by definition (an index, a mask). The names of a rule's parameters say what it
needs:

    g               the cotangent of the result (a list if there are several)
    out             the result (a tuple if there are several)
    <operand>       that operand (a tuple for a `*operands` parameter)
    <operand>_shape its shape (of `*operands`: all shapes), without keeping the operand alive
    <attribute>     that attribute
    position        for `*operands`: which of them this call is for

Rules are written in differentiable operations, so a gradient of a gradient needs no second rule.
The walk undoes broadcasting, once for every rule. Names are checked when a rule is declared, and
only the values that some rule names are kept alive.

`@primitive(single=True)` declares an operation that half precision is too short for, such as a sum:
on float16 and bfloat16 it runs in float32, forward and backward, and its results are rounded.

As in PyTorch a number beside a tensor takes the tensor's dtype, also if it is NumPy's or a tensor
of one element without axes: the dtype of `x / np.sqrt(n)` is that of x.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from retrograd.arrays import Array, as_array, is_half, is_jax, namespace, state
from retrograd.autodiff import tape
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.precision import in_single
from retrograd.autodiff.signature import Signature
from retrograd.autodiff.tape import Node, Output, freed

__all__ = ["REGISTRY", "Primitive", "primitive"]

# When half precision is computed in float32: always, or "eager"ly, where XLA does so by itself.
Single = Literal[True, "eager"]
Rule = Callable[..., Any]
Arrays = list[Array]
Edges = list[Node | None]
Named = dict[str, Any]

# The operations of this project by name; one test checks them all.
REGISTRY: dict[str, Primitive] = {}


class Primitive(Signature):
    """An operation with a rule for the backward pass; calling it runs it on tensors or arrays."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        super().__init__(forward)
        self.forward = forward
        self.rules: list[_Rule | None] = []
        self.plans: dict[int, _Plan] = {}
        self.__name__ = forward.__name__
        self.__qualname__ = forward.__qualname__
        self.__module__ = forward.__module__
        self.__doc__ = forward.__doc__
        # A user's operation may have any name, and may be redefined in the next notebook cell.
        if not self.__module__.startswith("retrograd."):
            return
        if self.name in REGISTRY:
            raise TypeError(f"an operation named {self.name!r} is already registered")
        REGISTRY[self.name] = self

    def pullbacks(self, **rules: Rule | None) -> Primitive:
        """Declare one rule for each operand; raises TypeError for an unknown name."""
        self.check_rules(rules)
        self.rules = [
            None if (rule := rules[name]) is None else _Rule(rule, self.asked(name, rule))
            for name in self.operands
        ]
        return self

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.operands)})>"

    def __call__(self, *operands: Any, **attributes: Any) -> Any:
        fits = self.variadic or len(operands) == len(self.operands)
        if not fits or (attributes and not attributes.keys() <= self.attributes.keys()):
            operands, attributes = self.bind(operands, attributes)
        tensor_type = tape.tensor_type
        recording = state.recording
        arrays: Arrays = []
        edges: Edges = []
        tracked = 0
        xp: Any = np
        dtypes: set[Any] = set()
        for position, operand in enumerate(operands):
            array, edge = operand, None
            if isinstance(operand, tensor_type):
                array = operand.data
                if recording and (edge := operand._node) is not None:
                    tracked |= 1 << position
            elif type(operand) not in _PLAIN:
                if _holds_tensor(operand):
                    return self(*map(tensor_type._gathered, operands), **attributes)
                array = as_array(operand)
            if type(array) not in _NUMBERS:
                dtypes.add(array.dtype)
                xp = xp if type(array) is np.ndarray or xp is not np else namespace(array)
            arrays.append(array)
            edges.append(edge)
        if len(dtypes) > 1:
            _fit_numbers(arrays, operands)
        if xp is np and not state.quiet:
            # PyTorch's behavior: infinities and NaN are values, not warnings.
            with np.errstate(all="ignore"):
                out = self.forward(xp, *arrays, **attributes)
        else:
            out = self.forward(xp, *arrays, **attributes)
        if type(out) is tuple:
            out = tuple(map(_array, out))
        else:
            if out.dtype is not getattr(arrays[0], "dtype", None):
                out = self._settled(out, arrays, attributes)
            out = _array(out)
            if tracked and out.dtype.kind not in "fV":
                tracked = 0
        node = Applied(self, operands, edges, arrays, attributes, out, tracked) if tracked else None
        result = _tensors(out, node) if type(out) is tuple else tensor_type._wrap(out, node)
        if hooks.active:
            result = hooks.passed("operation", result, self, operands, attributes)
        return result

    def _settled(self, out: Array, operands: list[Array], attributes: Named) -> Array:
        """`out` with the dtype of the floating-point operands, or float32 if there is none.

        As in PyTorch, and the same in both engines: NumPy makes float64 of float32 with int64, and
        of a mean of integers. An operation with an attribute `dtype` decides for itself. NumPy
        computes what it makes of 8-bit integers in half precision: again, in float32.
        """
        dtypes = [each.dtype for each in operands if hasattr(each, "dtype")]
        if out.dtype in dtypes or out.dtype.kind not in "fV" or "dtype" in self.attributes:
            return out
        floats = {dtype for dtype in dtypes if dtype.kind in "fV"}
        if not floats and out.dtype == np.float16:
            out = self.forward(np, *map(_without_bytes, operands), **attributes)
        return out if len(floats) > 1 else out.astype(floats.pop() if floats else np.float32)

    def plan(self, tracked: int) -> _Plan:
        """What a node keeps for the rules of the operands whose bits are set in `tracked`."""
        if not self.rules:
            raise TypeError(f"{self.name} has no rules yet: declare {self.name}.pullbacks(...)")
        used = [r for i, r in enumerate(self.rules) if r and (self.variadic or tracked >> i & 1)]
        names = {name for rule in used for name in rule.names}
        kept = {name: i for i, name in enumerate(self.operands) if name in names}
        dropped = [i for i, name in enumerate(self.operands) if name not in names]
        shapes = not names.isdisjoint(self.shape_names)
        return self.plans.setdefault(tracked, _Plan(kept, dropped, "out" in names, shapes))


class InSingle(Primitive):
    """An operation that half precision is too short for; see `@primitive(single=...)`."""

    def __init__(self, forward: Callable[..., Any], single: Single) -> None:
        super().__init__(forward)
        self.single = single

    def __call__(self, *operands: Any, **attributes: Any) -> Any:
        for each in operands:
            dtype = getattr(each, "dtype", None)
            if dtype is not None and is_half(dtype) and self._applies(operands):
                return in_single(super().__call__)(*operands, **attributes)
        return Primitive.__call__(self, *operands, **attributes)

    def _applies(self, operands: tuple[Any, ...]) -> bool:
        arrays = [getattr(each, "data", each) for each in operands]
        return self.single != "eager" or not any(map(is_jax, arrays))


# Passed to the forward unchanged; None is an absent optional operand.
_PLAIN = frozenset({np.ndarray, float, int, bool, type(None)})
# Passed to a rule unchanged; all other saved values are arrays, and become tensors again.
_NUMBERS = _PLAIN - {np.ndarray}


class _Rule(NamedTuple):
    """The vector-Jacobian product for one operand, and the values it asks for."""

    function: Callable[..., Any]
    names: tuple[str, ...]


class _Plan(NamedTuple):
    """What a node keeps alive: the values that its rules ask for."""

    operands: dict[str, int]  # by name, with their positions
    dropped: list[int]  # the positions of the others
    out: bool
    shapes: bool


class Applied(Node):
    """A primitive applied to operands, with what its rules need to pull a cotangent back."""

    __slots__ = ("attributes", "kept", "out", "primitive", "saved", "shapes", "specs")

    def __init__(
        self, applied: Primitive, operands: Any, edges: Edges, arrays: Arrays, given: Named,
        out: Any, bits: int,
    ) -> None:  # fmt: skip
        self.kept, dropped, keep_out, shapes = applied.plans.get(bits) or applied.plan(bits)
        several = type(out) is tuple
        super().__init__(edges, () if several else out.shape, None if several else out.dtype)
        self.specs = [(each.shape, each.dtype) for each in out] if several else None
        self.primitive = applied
        self.attributes = given
        self.shapes = [getattr(array, "shape", ()) for array in arrays] if shapes else []
        # The array, never the tensor: a tensor holds its node, so a node that held the tensor would
        # be a cycle. `_known` wraps it again.
        self.out: Any = out if keep_out else None
        self.saved: Any = _kept_from_change(arrays, operands)
        for i in range(len(arrays)) if dropped and applied.variadic else dropped:
            arrays[i] = None

    def release(self) -> None:
        self.saved = self.out = None

    def pull(self, cotangent: Any, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        primitive = self.primitive
        known = self._known(cotangent, create_graph)
        for position, edge in enumerate(self.edges):
            rule = primitive.rules[0 if primitive.variadic else position]
            if edge is None or rule is None:
                continue
            if primitive.variadic:
                known["position"] = position
            pulled = rule.function(*[known[name] for name in rule.names])
            if pulled is not None:
                yield edge, pulled

    def _known(self, g: Any, linked: bool) -> dict[str, Any]:
        """The values that rules may name, for the cotangent `g`; in the graph if `linked`."""
        if self.saved is None:
            raise freed(self.primitive.name)
        applied = self.primitive
        known: Named = {"g": g, **applied.attributes, **self.attributes}
        if applied.variadic:
            operands = tuple(self._operand(i, linked) for i in range(len(self.edges)))
            known.update({applied.operands[0]: operands, applied.shape_names[0]: self.shapes})
        else:
            for name, i in self.kept.items():
                known[name] = self._operand(i, linked)
            if self.shapes:
                known.update(zip(applied.shape_names, self.shapes, strict=True))
        if self.out is not None:
            known["out"] = _tensors(self.out, self if linked else None)
        if self.specs is not None:
            known["g"] = [
                g[i] if i in g else tape.tensor_type._wrap(np.zeros(shape, dtype), None)
                for i, (shape, dtype) in enumerate(self.specs)
            ]
        return known

    def _operand(self, position: int, linked: bool) -> Any:
        """A kept operand as a tensor; a Python number unchanged."""
        array = self.saved[position]
        edge = self.edges[position] if linked else None
        return array if type(array) in _NUMBERS else tape.tensor_type._wrap(array, edge)


def _holds_tensor(values: Any) -> bool:
    """Whether a tensor is somewhere in nested lists and tuples."""
    return isinstance(values, list | tuple) and any(
        isinstance(each, tape.tensor_type) or _holds_tensor(each) for each in values
    )


def _fit_numbers(arrays: Arrays, operands: tuple[Any, ...]) -> None:
    """Give what has no axes the dtype of what has some, within floats and within integers.

    A NumPy scalar counts as the Python number that it is; both as in PyTorch.
    """
    several = sum(not isinstance(each, np.generic) for each in operands)
    for i, (array, operand) in enumerate(zip(arrays, operands, strict=True)):
        if isinstance(operand, np.generic) and several:
            arrays[i] = array.item()
            continue
        number = getattr(array, "ndim", 1) == 0
        kind = _KINDS.get(array.dtype.kind) if number else None
        others = [each.dtype for each in arrays if np.ndim(each) and kind] if number else []
        beside = [dtype for dtype in others if _KINDS.get(dtype.kind) == kind]
        if beside and array.dtype not in beside:
            arrays[i] = array.astype(functools.reduce(np.promote_types, beside))


_KINDS = {"f": "floats", "V": "floats", "i": "integers", "u": "integers"}


def _kept_from_change(arrays: Arrays, operands: tuple[Any, ...]) -> Arrays:
    """The arrays, those that are the caller's copied: they may be refilled before a rule reads."""
    for i, operand in enumerate(operands):
        if type(operand) is np.ndarray and operand is arrays[i] and operand.flags.writeable:
            arrays[i] = operand.copy(order="K")
    return arrays


def _without_bytes(array: Array) -> Array:
    return array.astype(np.float32) if getattr(array, "itemsize", 4) == 1 else array


def _array(value: Any) -> Array:
    return np.asarray(value) if isinstance(value, np.generic) else value


def _tensors(out: Any, node: Node | None) -> Any:
    """The results of an operation as tensors, linked to its node if it has one."""
    wrap = tape.tensor_type._wrap
    if type(out) is not tuple:
        return wrap(out, node)
    return tuple(
        wrap(each, node and Output(node, index, each.shape, each.dtype))
        if each.dtype.kind in "fV"
        else wrap(each, None)
        for index, each in enumerate(out)
    )


@overload
def primitive(forward: Callable[..., Any]) -> Primitive: ...
@overload
def primitive(*, single: Single) -> Callable[[Callable[..., Any]], Primitive]: ...
def primitive(forward: Callable[..., Any] | None = None, *, single: Single = True) -> Any:
    """Register `forward(xp, *operands, **attributes)` as a differentiable operation.

    Declare its rules with `.pullbacks` beside it. The operation has the function's name. With
    `single` it runs in float32 on half precision, and its results are rounded.
    """
    if forward is None:
        return functools.partial(InSingle, single=single)
    return Primitive(forward)
