"""Normalization by the neighboring channels at the same position."""

from __future__ import annotations

import math
from typing import Any

from retrograd import ops
from retrograd.autodiff.precision import in_single
from retrograd.nn.arguments import as_tensor
from retrograd.nn.module import Module
from retrograd.ops.spatial.windows import Windows, sum_windows
from retrograd.tensor import Tensor

__all__ = ["LocalResponseNorm", "local_response_norm"]


@in_single
def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + α Σ x² / size)^β, over `size` neighboring channels: (n, c, spatial) -> the same.

    Beyond the first and last channel there are zeros (Krizhevsky et al. 2012, section 3.3, where α
    is not divided by `size`). Raises ValueError for an input without spatial axes.
    """
    x = as_tensor(input)
    if x.ndim < 3 or size < 1:
        raise ValueError(
            "local_response_norm: expected (n, c, spatial) and a size of at least 1, found "
            f"{tuple(x.shape)} and {size}"
        )
    squares = ops.square(x).reshape(x.shape[0], 1, x.shape[1], math.prod(x.shape[2:]))
    across = Windows((size, 1), (1, 1), ((size // 2, (size - 1) // 2), (0, 0)), (1, 1))
    total = sum_windows(squares, at=across).reshape(x.shape)
    return x / (k + alpha / size * total) ** beta


class LocalResponseNorm(Module):
    """Each value divided by its neighbors' along the channels: `local_response_norm`."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Tensor:
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
