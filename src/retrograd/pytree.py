"""Flattens nested lists, tuples and dicts into their leaves, and rebuilds them.

Compiled steps, loops and branches pass such values. JAX has the same, but importing it is too slow
for an eager program.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, NamedTuple

__all__ = ["Branch", "flatten", "rebuild", "skeleton"]

# A Branch, or what `leaf` said about a leaf. Hashable.
Layout = Hashable


class Branch(NamedTuple):
    """A container: its type, the keys of a dict in their order, and the layouts of its parts.

    The order of a dict's parts does not depend on how the dict was built.
    """

    kind: type
    keys: tuple[Any, ...]
    parts: tuple[Layout, ...]


def flatten(value: Any, leaf: Callable[[Any], Layout]) -> Layout:
    """The layout of `value`; `leaf` is called with each leaf in turn and describes it."""
    kind = type(value)
    if kind is dict or isinstance(value, dict):
        parts = tuple([flatten(value[key], leaf) for key in _in_order(value)])
        return Branch(dict, tuple(value), parts)
    if kind is list or isinstance(value, tuple | list):
        return Branch(kind, (), tuple([flatten(each, leaf) for each in value]))
    return leaf(value)


def rebuild(layout: Layout, leaf: Callable[[Any], Any]) -> Any:
    """The value of a layout; `leaf` makes each leaf in turn from its description."""
    if type(layout) is not Branch:
        return leaf(layout)
    parts: Iterator[Any] = iter([rebuild(each, leaf) for each in layout.parts])
    if layout.kind is dict:
        by_key = dict(zip(_in_order(layout.keys), parts, strict=True))
        return {key: by_key[key] for key in layout.keys}
    return layout.kind(*parts) if hasattr(layout.kind, "_fields") else layout.kind(parts)


def skeleton(layout: Layout) -> Any:
    """The containers with each leaf's description in its place, to compare and print."""
    return rebuild(layout, lambda said: said)


def _in_order(keys: Iterable[Any]) -> list[Any]:
    return sorted(keys, key=repr)
