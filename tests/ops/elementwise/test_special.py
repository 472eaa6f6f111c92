"""Special functions at their poles, in their tails and on their bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from support.slopes import slope

import retrograd as rg
from retrograd import ops


def test_digamma_near_its_poles_in_a_compiled_float32_step() -> None:
    x = np.array([-8.3156843, -2.0, -1.001, -1.0, -0.9999, 0.0, 0.3, 0.9999], np.float32)
    np.testing.assert_allclose(
        rg.compile(ops.digamma)(rg.Tensor(x)).numpy(), scipy.special.psi(x.astype(float)), rtol=2e-4
    )


def test_polygamma_of_negative_numbers_in_a_compiled_float32_step() -> None:
    x = np.array([-8.3156843, -2.5, 0.3, 4.0], np.float32)
    right = scipy.special.polygamma(1, x.astype(float))
    trigamma = rg.compile(lambda x: ops.polygamma(1, x))
    np.testing.assert_allclose(trigamma(rg.Tensor(x)).numpy(), right, rtol=1e-5)


def test_log_ndtr_has_its_slope_far_in_the_tail() -> None:
    # φ(x) / Φ(x) tends to -x; both underflow at -40.
    density = -(40**2) / 2 - np.log(2 * np.pi) / 2
    right = np.exp(density - scipy.special.log_ndtr(-40.0))
    np.testing.assert_allclose(slope(ops.log_ndtr, np.array([-40.0])), [right])


def test_entropy_has_no_slope_at_zero() -> None:
    assert slope(ops.entr, np.zeros(1)).tolist() == [0]
    x = np.array([-1.0, -0.5, 0.0, 0.3, np.nan])
    np.testing.assert_allclose(ops.entr(rg.Tensor(x)).numpy(), scipy.special.entr(x))


@pytest.mark.parametrize("function", [ops.xlogy, ops.xlog1py])
def test_zero_times_an_infinite_logarithm_is_zero(function: Any) -> None:
    pole = 0.0 if function is ops.xlogy else -1.0
    assert function(np.zeros(1), np.array([pole])).numpy().tolist() == [0]
    assert np.isfinite(slope(lambda y: function(np.zeros(1), y), np.array([pole]))).all()


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_products_with_logarithms_and_their_slopes_are_pytorchs(name: str) -> None:
    x, y = np.array([0.0, 0.0, 0.0, 1.0, 2.0]), np.array([0.0, 2.0, np.nan, -1.0, 0.5])
    y -= name == "xlog1py"
    leaf, theirs = torch.tensor(x, requires_grad=True), getattr(torch.special, name)
    right = theirs(leaf, torch.tensor(y))
    right.sum().backward()
    ours = getattr(ops, name)
    np.testing.assert_allclose(ours(rg.Tensor(x), rg.Tensor(y)).numpy(), right.detach().numpy())
    np.testing.assert_allclose(slope(ours, x, y), leaf.grad.numpy())


def test_logit_has_its_slope_on_the_bounds_and_none_beyond() -> None:
    x = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    found = slope(lambda x: ops.logit(x, 0.25), x)
    np.testing.assert_allclose(found, [0, 16 / 3, 4, 16 / 3, 0])
