"""Python values that a function reads from around it, compared before its program runs again.

Watched are the variables of enclosing functions and of the module that the function and its
helpers name, and the attributes, of modules that are called and of other objects, that their code
names: numbers, strings and containers of them by value, everything else by identity. What the
function itself changes while it is traced is not watched: that happens once.
"""

from __future__ import annotations

import builtins
import dis
import functools
import sys
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from retrograd.compiler.refusals import is_library
from retrograd.tensor import Tensor
from retrograd.variable import Held, Variable

__all__ = ["Watched"]

_ABSENT = object()
# Containers with more in them are compared by identity: looking at them would cost each call.
_MOST = 100
_SCALARS = (int, float, complex, str, bytes, type(None), np.generic, np.dtype)


class _Seen(NamedTuple):
    """Where a value stood, the value, and what must equal its contents if these can change."""

    read: Callable[[], Any]
    name: str
    value: Any
    contents: Any

    def holds(self) -> bool:
        now = self.read()
        if self.contents is None:
            return now is self.value or (isinstance(now, _SCALARS) and _equal(now, self.value))
        return bool(_contents(now, [_MOST]) == self.contents)


class Watched:
    """The values around a function as they were when it was traced."""

    def __init__(self, function: Callable[..., Any], arguments: list[Any]) -> None:
        self.names: set[str] = set()
        self.seen: set[int] = set()
        self.objects: list[Any] = []
        self.places: list[_Seen] = []
        self.modules: list[_Seen] = []  # these change only with their owner's count
        self.counted: Any = None
        self.edits = 0
        self._function(function)
        for each in arguments:
            self._value(each)
        for each in self.objects:
            for name in sorted(self.names & _attributes(each)):
                self._watch(functools.partial(vars(each).get, name, _ABSENT), name)

    def called(self, module: Any, counted: Any) -> None:
        """Watch a module's attributes; `counted.edits` changes whenever one is assigned."""
        if id(module) in self.seen:
            return
        self.seen.add(id(module))
        self.objects.append(module)  # so that no other has its id
        self.counted, self.edits = counted, counted.edits
        for name in sorted(_named_by(type(module)) & vars(module).keys()):
            place = self._watch(functools.partial(vars(module).get, name, _ABSENT), name)
            if place is not None and place.contents is None:
                self.modules.append(self.places.pop())

    def settle(self) -> Watched:
        """Forget what the function itself has changed; called when it has been traced."""
        self.places = [place for place in self.places if place.holds()]
        self.modules = [place for place in self.modules if place.holds()]
        if self.counted is not None:
            self.edits = self.counted.edits
        return self

    def changed(self) -> str | None:
        """The name of a value that is another one now, or None."""
        for place in self.places:
            if not place.holds():
                return place.name
        if self.counted is not None and self.counted.edits != self.edits:
            for place in self.modules:
                if not place.holds():
                    return place.name
            self.edits = self.counted.edits
        return None

    # Finding them ---------------------------------------------------------------------------------

    def _watch(self, read: Callable[[], Any], name: str) -> _Seen | None:
        value = read()
        if _never_changes(value):
            return None
        place = _Seen(read, name, value, _contents(value, [_MOST]))
        self.places.append(place)
        return place

    def _function(self, function: Any) -> None:
        if isinstance(function, MethodType):
            self._value(function.__self__)
            function = function.__func__
        elif isinstance(function, functools.partial):
            for each in (function.func, *function.args, *function.keywords.values()):
                self._value(each)
        function = getattr(function, "function", function)  # of a compiled one
        if not isinstance(function, FunctionType) or id(function) in self.seen:
            return
        self.seen.add(id(function))
        code = function.__code__
        if is_library(code.co_filename):
            return
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            self._watch(functools.partial(_cell, cell), name)
            self._value(_cell(cell))
        for name in sorted(_globals_of(code) & function.__globals__.keys()):
            self._watch(functools.partial(function.__globals__.get, name, _ABSENT), name)
            self._value(function.__globals__[name])
        self.names |= _names_of(code)

    def _value(self, value: Any) -> None:
        """What a value brings with it: a function what it reads, an object its attributes."""
        compiled = hasattr(value, "programs") and hasattr(value, "function")
        if compiled or isinstance(value, FunctionType | MethodType | functools.partial):
            self._function(value)
        elif id(value) not in self.seen and _is_users(value):
            self.seen.add(id(value))
            self.objects.append(value)
            self.names |= _named_by(type(value))
            for each in list(vars(value).values()):
                self._value(each)


def _cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _ABSENT


def _is_users(value: Any) -> bool:
    """Whether a value is an object of a class of the user's, with attributes."""
    if isinstance(value, type | ModuleType | Tensor | FunctionType) or not hasattr(
        value, "__dict__"
    ):
        return False
    module = sys.modules.get(type(value).__module__)
    return not is_library(getattr(module, "__file__", None) or "<stdin>")


def _never_changes(value: Any) -> bool:
    """What code names and nobody replaces: modules, classes, functions of a library."""
    if isinstance(value, FunctionType):
        return is_library(value.__code__.co_filename)
    return (
        isinstance(value, ModuleType | type)
        or getattr(builtins, "__dict__", {}).get(getattr(value, "__name__", ""), _ABSENT) is value
    )


def _attributes(value: Any) -> set[str]:
    """The data attributes that an object has or takes from its class."""
    of_class = {
        name
        for each in type(value).__mro__
        for name, found in vars(each).items()
        if isinstance(found, (*_SCALARS, list, tuple, dict))
    }
    return vars(value).keys() | of_class


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions written in it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _names_of(code: CodeType) -> set[str]:
    return {name for each in _codes(code) for name in each.co_names}


def _globals_of(code: CodeType) -> set[str]:
    return {
        instruction.argval
        for each in _codes(code)
        for instruction in dis.get_instructions(each)
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }


_named: weakref.WeakKeyDictionary[type, set[str]] = weakref.WeakKeyDictionary()


def _named_by(kind: type) -> set[str]:
    """What the methods of a class name, but for those that make and print its objects."""
    found = _named.get(kind)
    if found is None:
        found = _named[kind] = set()
        for each in kind.__mro__[:-1]:
            for method, value in vars(each).items():
                function = getattr(value, "function", getattr(value, "fget", value))
                written = isinstance(function, FunctionType) and method not in _NOT_READ
                if written and not function.__module__.startswith("retrograd.nn.module"):
                    found |= _names_of(function.__code__)
    return found


_NOT_READ = ("__init__", "__repr__", "extra_repr")


# Comparing them -----------------------------------------------------------------------------------


class _Same(NamedTuple):
    """A value that equals only itself."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _contents(value: Any, room: list[int]) -> Any:
    """What a value that can change in place holds, comparable; None where identity is enough."""
    if isinstance(value, list | tuple | set | dict):
        room[0] -= len(value)
        if room[0] < 0:
            return None
        parts = list(value.items()) if isinstance(value, dict) else list(value)
        return type(value), tuple(_frozen(each, room) for each in parts)
    if isinstance(value, Tensor) and not isinstance(value, Variable):
        return _Same(value), _Same(value.held if isinstance(value, Held) else value.data)
    return None


def _frozen(value: Any, room: list[int]) -> Any:
    if isinstance(value, _SCALARS):
        return type(value), value if value == value else "nan"
    contents = _contents(value, room)
    return _Same(value) if contents is None else contents


def _equal(now: Any, before: Any) -> bool:
    return type(now) is type(before) and bool(now == before or (now != now and before != before))
