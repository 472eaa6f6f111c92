"""What a sample is, and how its numbers are made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Float64 = np.ndarray[Any, np.dtype[np.float64]]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Sample:
    """One call: float64 arrays stand for any floating-point dtype, all else is passed as it is."""

    operands: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Op:
    """Samples of an operation, with the JAX function that it must agree with.

    `call` is given where the operation does not take its tensors one by one. `order` is how far
    finite differences follow it. `half` is whether it takes 16-bit numbers.
    """

    oracle: Callable[..., Any]
    samples: list[Sample]
    call: Callable[..., Any] | None = None
    order: int = 2
    half: bool = True


def sample(*operands: Any, **attributes: Any) -> Sample:
    return Sample(operands, attributes)


def numbers(*shape: int, low: float = -1.9, high: float = 2.1, seed: int = 0) -> Float64:
    """Distinct numbers between `low` and `high` in no order: nothing ties, nothing is exactly 0.

    Another seed gives other numbers, so that two operands do not tie either.
    """
    n = math.prod(shape)
    spread = np.linspace(low + 0.013 * seed, high, n + 2)[1:-1]
    return np.random.default_rng((seed, n)).permutation(spread).reshape(shape)


# A number, a vector, nothing, size-1 axes, a batch, an empty batch.
SHAPES: list[Shape] = [(), (4,), (0,), (2, 1, 3), (1, 2), (2, 0)]

# Each side broadcast against the other: along leading axes, along axes of size 1, from a number,
# both at once, and with nothing in them.
PAIRS: list[tuple[Shape, Shape]] = [
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((2, 2), ()),
    ((), (2, 2)),
    ((1, 3), (2, 1, 1)),
    ((0, 2), (1, 2)),
]


def unary(**bounds: float) -> list[Sample]:
    return [sample(numbers(*shape, **bounds)) for shape in SHAPES]


def binary(**bounds: float) -> list[Sample]:
    """Every pair of shapes, and a Python number on either side."""
    pairs = [
        sample(numbers(*left, seed=1, **bounds), numbers(*right, seed=2, **bounds))
        for left, right in PAIRS
    ]
    vector = numbers(3, seed=3, **bounds)
    return [*pairs, sample(vector, 1.5), sample(1.5, vector), sample(vector, 2)]
