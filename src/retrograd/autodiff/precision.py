"""Half precision: computed in float32 where it is too short, and rounded once at the end."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from retrograd.arrays import DType, is_half
from retrograd.autodiff import tape

__all__ = ["floating", "in_single", "raised"]

Function = TypeVar("Function", bound=Callable[..., Any])

_SINGLE = np.dtype(np.float32)


def floating(x: Any) -> Any:
    """A tensor of integers or booleans as float32, which holds the fractions of an answer."""
    return x if x.dtype.kind in "fV" else x._cast(_SINGLE)


def raised(value: Any) -> Any:
    """A tensor or an array of half precision as float32; anything else as it is."""
    if not _is_half(value):
        return value
    return value._cast(_SINGLE) if isinstance(value, tape.tensor_type) else value.astype(_SINGLE)


def in_single(function: Function) -> Function:
    """Run `function` in float32 on tensors of half precision, and round what it returns.

    A sum of squares or a count does not fit in half precision, even where the result does.
    """

    @functools.wraps(function)
    def run(*operands: Any, **options: Any) -> Any:
        given = [each for each in (*operands, *options.values()) if hasattr(each, "dtype")]
        if not any(map(_is_half, given)):
            return function(*operands, **options)
        result = function(
            *map(raised, operands), **{name: raised(value) for name, value in options.items()}
        )
        # A tensor's dtype counts, and not that of a table of weights beside it.
        tensors = [each for each in given if isinstance(each, tape.tensor_type)] or given
        floats = {each.dtype for each in tensors if each.dtype.kind in "fV"}
        return _rounded(result, floats.pop()) if len(floats) == 1 else result

    return run  # type: ignore[return-value]  # the same signature


def _is_half(value: Any) -> bool:
    """Whether a value is a tensor or an array of half precision."""
    dtype = getattr(value, "dtype", None)
    return isinstance(dtype, np.dtype) and is_half(dtype)


def _rounded(result: Any, half: DType) -> Any:
    if isinstance(result, tape.tensor_type):
        return result._cast(half) if result.dtype == _SINGLE else result
    if isinstance(result, tuple):
        parts = [_rounded(each, half) for each in result]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    return result
