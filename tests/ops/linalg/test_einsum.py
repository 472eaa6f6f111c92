"""Einstein summation of operands of several precisions."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import retrograd as rg
from retrograd import ops

BFLOAT16 = ml_dtypes.bfloat16


@pytest.mark.parametrize(
    "dtypes",
    [
        (BFLOAT16, BFLOAT16, BFLOAT16),
        (BFLOAT16, BFLOAT16, np.float32),
        (np.float64, BFLOAT16, np.float64),
        (BFLOAT16, np.float64, BFLOAT16),
        (np.float16, BFLOAT16, BFLOAT16),
    ],
)
def test_einsum_has_the_precision_of_its_widest_operand(dtypes: tuple[Any, ...]) -> None:
    # The shapes decide which two are multiplied first.
    for shapes in ([(8, 8), (8, 8), (8, 1)], [(1, 8), (8, 8), (8, 8)]):
        operands = [
            rg.Tensor(np.full(shape, 1.5, dtype))
            for shape, dtype in zip(shapes, dtypes, strict=True)
        ]
        found = ops.einsum("ij,jk,kl->il", *operands)
        assert found.dtype == math.prod(operand[0, 0] for operand in operands).dtype
        assert (found.numpy() == 216).all()
