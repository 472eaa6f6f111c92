"""Matrices along a diagonal."""

from __future__ import annotations

import numpy as np
import torch

import retrograd as rg
from retrograd import ops


def test_a_number_on_the_diagonal_is_a_matrix_of_one_element() -> None:
    parts = np.array(2.0), np.array([[1.0, 3.0]])
    right = torch.block_diag(*map(torch.tensor, parts)).tolist()
    assert ops.block_diag(*map(rg.Tensor, parts)).tolist() == right
