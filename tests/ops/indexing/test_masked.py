"""Masks: of one element, of none, and in a compiled step."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops


def test_nothing_scattered_by_an_empty_mask_changes_nothing() -> None:
    x = rg.Tensor([1.0, 2.0])
    assert ops.masked_scatter(x, np.zeros(2, bool), rg.Tensor([])).tolist() == [1, 2]


def test_a_single_element_is_scattered_where_the_mask_holds() -> None:
    x = rg.Tensor([1.0, 2.0])
    assert ops.masked_scatter(x, np.array([False, True]), rg.Tensor([5.0])).tolist() == [1, 5]


def test_masked_select_says_why_it_cannot_be_compiled() -> None:
    with pytest.raises(IndexError, match=r"where\(mask, x, 0\)"):
        rg.compile(lambda x: ops.masked_select(x, x > 0))(rg.Tensor([1.0, -1.0]))
