"""NumPy's `axis` and `keepdims`, accepted beside PyTorch's `dim` and `keepdim` as PyTorch does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from retrograd.autodiff.signature import ALIASES

Function = TypeVar("Function", bound=Callable[..., Any])


def numpy_names(function: Function) -> Function:
    """Let a composed operation be called with NumPy's names, as primitives can be by themselves."""

    @functools.wraps(function)
    def renamed(*operands: Any, **options: Any) -> Any:
        return function(*operands, **{ALIASES.get(name, name): options[name] for name in options})

    return renamed  # type: ignore[return-value]  # the same signature, with two more spellings
