"""The dtypes by PyTorch's names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import dtypes

NAMES = [name for name in dtypes.__all__ if isinstance(getattr(dtypes, name), np.dtype)]


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_the_dtype_that_torch_calls_so(name: str) -> None:
    assert getattr(rg, name) == torch.zeros(1, dtype=getattr(torch, name)).numpy().dtype


def test_limits_are_torchs() -> None:
    for name in ("float16", "float32", "float64", "bfloat16"):
        ours, theirs = rg.finfo(getattr(rg, name)), torch.finfo(getattr(torch, name))
        assert float(ours.eps) == theirs.eps
        assert float(ours.max) == theirs.max
    assert rg.iinfo(rg.int16).max == torch.iinfo(torch.int16).max
    assert rg.get_default_dtype() == rg.tensor(1.0).dtype


@pytest.mark.parametrize(
    ("first", "second"), [("float16", "int64"), ("float32", "float64"), ("int8", "uint8")]
)
def test_promotion_is_torchs(first: str, second: str) -> None:
    expected = torch.promote_types(getattr(torch, first), getattr(torch, second))
    found = dtypes.promote_types(getattr(rg, first), getattr(rg, second))
    assert str(expected) == f"torch.{found}"
