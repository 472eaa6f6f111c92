"""The dtypes by PyTorch's names; each is NumPy's, so that `x.dtype == rg.float32` holds.

`bfloat16` is `ml_dtypes`', which comes with JAX.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.arrays import DType

__all__ = [
    "bool",
    "double",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "half",
    "iinfo",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "long",
    "promote_types",
    "short",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

bool = np.dtype("bool")
uint8, uint16 = np.dtype("uint8"), np.dtype("uint16")
uint32, uint64 = np.dtype("uint32"), np.dtype("uint64")
int8, int16 = np.dtype("int8"), np.dtype("int16")
int32, int64 = np.dtype("int32"), np.dtype("int64")
float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
half, float, double = float16, float32, float64
short, int, long = int16, int32, int64


def get_default_dtype() -> DType:
    """float32, which Python's floats become. It does not change; give a `dtype` for another."""
    return float32


def finfo(dtype: DType = float32) -> Any:
    """The limits of a floating-point dtype: `eps`, `max`, `min`, `tiny`."""
    import ml_dtypes

    limits: Any = ml_dtypes.finfo
    return limits(dtype)


def iinfo(dtype: DType) -> Any:
    """The limits of an integer dtype: `max`, `min`."""
    return np.iinfo(dtype)


def promote_types(type1: DType, type2: DType) -> DType:
    """The dtype of a result of the two: of an integer and a floating-point one, the latter."""
    types = np.dtype(type1), np.dtype(type2)
    floats = [each for each in types if each.kind in "fV"]
    return floats[0] if len(floats) == 1 else np.promote_types(*types)
