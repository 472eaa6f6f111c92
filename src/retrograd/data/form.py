"""Checks JSON against a dataclass, so that a damaged file is refused in plain words."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from retrograd.errors import DataError
from retrograd.wording import listed

__all__ = ["check", "restored"]

_NAMES = {
    int: "a whole number", float: "a number", str: "a text", bool: "true or false",
    tuple: "a list", list: "a list", dict: "names and values", types.NoneType: "null",
}  # fmt: skip


def check(kind: type[Any], saved: object, place: str) -> None:
    """Raise DataError, naming the `place`, if `saved` does not fit a dataclass or TypedDict.

    Unknown fields are ignored, because a later version may write them.
    """
    if found := _misfit_fields(kind, saved, ""):
        raise DataError(
            f"{place} is damaged: {found}. Copy the whole run folder again, or train again."
        )


def restored(kind: type[Any], saved: Mapping[str, Any]) -> Any:
    """A dataclass from the JSON of its fields; lists become tuples."""
    names = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: _tuples(value) for name, value in saved.items() if name in names})


def _misfit_fields(kind: type[Any], saved: object, name: str) -> str:
    """Why `saved` does not fit the kind; "" if it does."""
    if not isinstance(saved, dict):
        return _wrong(name or "it", saved, _NAMES[dict])
    prefix = f"{name}." if name else ""
    for field, hint in get_type_hints(kind).items():
        if field in saved:
            if found := _misfit(hint, saved[field], f"{prefix}{field}"):
                return found
        elif field in _required(kind):
            return f"{prefix}{field} is missing"
    return ""


def _required(kind: type[Any]) -> Iterable[str]:
    if not dataclasses.is_dataclass(kind):
        return getattr(kind, "__required_keys__", ())
    missing = dataclasses.MISSING
    fields = dataclasses.fields(kind)
    return {e.name for e in fields if e.default is missing and e.default_factory is missing}


def _misfit(hint: Any, value: object, name: str) -> str:
    if hint is Any:
        return ""
    form, inner = get_origin(hint) or hint, get_args(hint)
    if form in (Union, types.UnionType):
        found = [_misfit(each, value, name) for each in inner]
        return "" if "" in found else found[0]
    if form in (tuple, list):
        return _misfit_list(inner, value, name)
    if form is dict:
        if not isinstance(value, dict):
            return _wrong(name, value, _NAMES[dict])
        each = (_misfit(inner[1], item, f"{name}.{key}") for key, item in value.items())
        return next(filter(None, each), "")
    if isinstance(form, type) and issubclass(form, Enum):
        known = [each.value for each in form]
        return "" if value in known else _wrong(name, value, f"one of {listed(known)}")
    if form not in _NAMES:
        return _misfit_fields(form, value, name)
    is_number = form in (int, float) and isinstance(value, bool)
    if is_number or not isinstance(value, (int, float) if form is float else form):
        return _wrong(name, value, _NAMES[form])
    return ""


def _misfit_list(inner: tuple[Any, ...], value: object, name: str) -> str:
    if not isinstance(value, list | tuple):
        return _wrong(name, value, _NAMES[list])
    is_open = len(inner) == 1 or inner[-1] is Ellipsis
    if not is_open and len(value) != len(inner):
        return _wrong(name, value, f"a list of {len(inner)}")
    hints = [inner[0]] * len(value) if is_open else inner
    each = (
        _misfit(hint, item, f"{name}[{i}]")
        for i, (hint, item) in enumerate(zip(hints, value, strict=True))
    )
    return next(filter(None, each), "")


def _wrong(name: str, value: object, expected: str) -> str:
    shown = repr(value)
    return f"{name} is {shown if len(shown) <= 40 else shown[:39] + '…'}, expected {expected}"


def _tuples(value: Any) -> Any:
    is_list = isinstance(value, Iterable) and not isinstance(value, str | Mapping)
    return tuple(map(_tuples, value)) if is_list else value
