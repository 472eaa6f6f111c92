"""A small network of our library or PyTorch's, and numbers to put in."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np


def floats(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def small_network(n: Any) -> Any:
    return n.Sequential(
        n.Linear(4, 8),
        n.BatchNorm1d(8),
        n.ReLU(),
        n.Sequential(OrderedDict(inner=n.Linear(8, 8), norm=n.LayerNorm(8))),
        n.Linear(8, 2, bias=False),
    )
