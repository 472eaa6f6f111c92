"""Words in which the tables are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opinfo.compare import Case

__all__ = ["expressed", "first", "named"]


def first(result: Any) -> Any:
    """The first of several results."""
    return result[0]


def named(function: Callable[..., Any], **options: Any) -> Case:
    """An operation of ours that takes PyTorch's arguments as they are."""
    return Case(function, f"`{function.__name__}`", **options)


def expressed(function: Callable[..., Any], ours: str, **options: Any) -> Case:
    """An expression of our operations with the entry's meaning."""
    return Case(function, f"`{ours}`", **options)
