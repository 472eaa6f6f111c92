"""Covariances and correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.autodiff.precision import in_single
from retrograd.autodiff.tape import Tensor
from retrograd.ops.linalg.diagonals import diagonal
from retrograd.ops.linalg.products import matmul
from retrograd.ops.reductions.sums import mean, sum
from retrograd.ops.shapes.shape import reshape, unsqueeze

__all__ = ["corrcoef", "cov"]


@in_single
def cov(
    x: Tensor,
    correction: float = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariances of the rows (variables) over the columns (observations), (v, n) -> (v, v).

    `fweights` counts how often an observation was made, `aweights` weighs it. A single variable
    has a single number, its variance.
    """
    if x.ndim < 2:
        x = reshape(x, shape=(1, -1))
    shape = (x.shape[0], x.shape[0]) if x.shape[0] != 1 else ()
    return reshape(_covariances(x, correction, fweights, aweights), shape=shape)


def _covariances(x: Tensor, correction: float, fweights: Any, aweights: Any) -> Tensor:
    weights = fweights if aweights is None else aweights
    if fweights is not None and aweights is not None:
        weights = aweights * fweights
    if weights is None:
        deviations = x - mean(x, dim=1, keepdim=True)
        divisor: Any = max(x.shape[1] - correction, 0)
        product = matmul(deviations, deviations.mT)
        return product / divisor if divisor else product / np.zeros((), x.dtype)
    total = sum(weights)
    deviations = x - sum(x * weights, dim=1, keepdim=True) / total
    lost: Any = correction
    if aweights is not None:
        lost = correction * sum(weights * aweights) / total
    return matmul(deviations * weights, deviations.mT) / (total - lost)


@in_single
def corrcoef(x: Tensor) -> Tensor:
    """The correlations of the rows (variables) over the columns (observations)."""
    covariances = cov(x)
    if covariances.ndim == 0:
        return covariances / covariances
    spread = diagonal(covariances) ** 0.5
    return covariances / unsqueeze(spread, 0) / unsqueeze(spread, 1)
