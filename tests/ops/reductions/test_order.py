"""Order statistics: equal elements, missing ones, and quantiles between two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from support.slopes import slope

import retrograd as rg
from retrograd import ops


def test_equal_elements_keep_their_order_when_sorted() -> None:
    x = rg.Tensor([2.0, 1.0, 2.0, 1.0])
    np.testing.assert_array_equal(ops.sort(x).indices.numpy(), [1, 3, 0, 2])
    np.testing.assert_array_equal(ops.sort(x, descending=True).indices.numpy(), [0, 2, 1, 3])


@pytest.mark.parametrize("name", ["median", "nanmedian", "quantile", "nanquantile"])
def test_order_statistics_of_what_is_missing(name: str) -> None:
    x = np.array([[3.0, np.nan, 1.0, 2.0], [4.0, 3.0, 2.0, 1.0]])
    q = [] if "median" in name else [0.4]
    found = getattr(ops, name)(rg.Tensor(x), *q, dim=1)
    right = getattr(torch, name)(torch.tensor(x), *q, dim=1)
    found, right = (found.values, right.values) if "median" in name else (found, right)
    np.testing.assert_allclose(found.numpy(), right.numpy())
    whole, right = getattr(ops, name)(rg.Tensor(x), *q), getattr(torch, name)(torch.tensor(x), *q)
    np.testing.assert_allclose(whole.numpy(), right.numpy())


def test_where_all_is_missing_the_first_element_stands_for_it_as_in_pytorch() -> None:
    x = np.full((1, 3), np.nan)
    leaf = torch.tensor(x, requires_grad=True)
    right = torch.nanmedian(leaf, 1)
    assert ops.nanmedian(rg.Tensor(x), 1).indices.tolist() == right.indices.tolist()
    torch.nanquantile(leaf, 0.4, dim=1).sum().backward()
    assert slope(lambda x: ops.nanquantile(x, 0.4, 1), x).tolist() == leaf.grad.tolist()


@pytest.mark.parametrize("how", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_a_quantile_between_two_elements(how: str) -> None:
    x = np.array([5.0, 1.0, 4.0, 2.0])
    for q in (0.0, 0.4, 0.6, 1.0):
        right = torch.quantile(torch.tensor(x), q, interpolation=how)
        found = ops.quantile(rg.Tensor(x), q, interpolation=how)
        np.testing.assert_allclose(found.item(), right.item(), rtol=1e-14)


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
@pytest.mark.parametrize("options", [{}, {"dim": 1}, {"keepdim": True}])
def test_quantiles_have_pytorchs_shapes(
    name: str, options: dict[str, Any], rng: np.random.Generator
) -> None:
    x = rng.normal(size=(2, 3))
    for q in (np.array(0.4), np.array([0.4]), np.array([0.1, 0.9])):
        right = getattr(torch, name)(torch.tensor(x), torch.tensor(q), **options)
        found = getattr(ops, name)(rg.Tensor(x), q, **options)
        assert found.shape == right.shape
        np.testing.assert_allclose(found.numpy(), right.numpy())
