"""Parts of nothing."""

from __future__ import annotations

import numpy as np
import torch

import retrograd as rg
from retrograd import ops


def test_nothing_has_parts_and_sizes_too() -> None:
    nothing = np.zeros((0, 4))
    assert [part.shape for part in ops.chunk(rg.Tensor(nothing), 3)] == [(0, 4)]
    right = torch.tensor(nothing).unflatten(1, (2, -1))
    assert ops.unflatten(rg.Tensor(nothing), 1, (2, -1)).shape == tuple(right.shape)
