"""Samples of convolution and of the operations on sliding windows."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from retrograd.autodiff.primitive import REGISTRY
from retrograd.ops.spatial.windows import Windows
from support.samples.kinds import Op, numbers, sample

LINE = Windows((3,), (2,), ((1, 2),), (1,))
SPREAD = Windows((2, 3), (1, 2), ((1, 0), (0, -1)), (2, 1))
TILES = Windows((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
APART = Windows((2,), (4,), ((0, 3),), (2,))  # further apart than they reach, and beyond the end
CROPPED = Windows((2, 2), (3, 2), ((-1, 0), (-2, -1)), (1, 2))
BOXES = Windows((2, 1, 3), (1, 3, 2), ((0, 1), (0, 0), (2, -1)), (2, 1, 1))
UNEVEN = Windows((2, 3), (2, 3), ((0, 0), (0, 0)), (1, 1))  # would tile, but for what is left over
SPACED = Windows((2,), (2,), ((0, 0),), (2,))  # nor does this, for its dilation

GATHERED = [
    sample(numbers(2, 2, 6), at=LINE),
    sample(numbers(1, 2, 5, 7), at=SPREAD),
    sample(numbers(2, 1, 4, 6), at=TILES),
    sample(numbers(1, 2, 9), at=APART),
    sample(numbers(1, 1, 6, 8), at=CROPPED),
    sample(numbers(1, 1, 4, 3, 6), at=BOXES),
    sample(numbers(1, 2, 5, 7), at=UNEVEN),
    sample(numbers(1, 1, 6), at=SPACED),
    sample(numbers(0, 2, 6), at=LINE),
    sample(numbers(1, 1, 2), at=Windows((4,), (1,), ((0, 0),), (1,))),  # none fits
]
# Windows over nothing but padding, and those that would tile without it or if they were smaller.
PADDED = [
    sample(numbers(1, 1, 2), at=Windows((4,), (4,), ((0, 0),), (1,))),
    sample(numbers(1, 1, 0), at=Windows((2,), (1,), ((2, 1),), (1,))),
    sample(numbers(1, 1, 4), at=Windows((2,), (2,), ((1, 0),), (1,))),
    sample(numbers(1, 1, 4), at=Windows((2,), (2,), ((-1, 0),), (1,))),
    sample(numbers(1, 1, 4), at=Windows((2,), (2,), ((0, -1),), (1,))),
    sample(numbers(1, 1, 2), at=Windows((1,), (1,), ((0, 1),), (1,))),
]


def convolved(x, weight, stride, padding, spacing, dilation, groups=1):
    """One sample, of those shapes."""
    return sample(
        numbers(*x),
        numbers(*weight, seed=1),
        stride=stride,
        padding=padding,
        spacing=spacing,
        dilation=dilation,
        groups=groups,
    )


def convolve(x, weight, stride, padding, spacing, dilation, groups):
    letters = "XYZ"[: x.ndim - 2]
    numbered = ("NC" + letters, "OI" + letters, "NC" + letters)
    return lax.conv_general_dilated(x, weight, stride, padding, spacing, dilation, numbered, groups)


def gather(x, at):
    """(n, c, s) -> (n, c, k, w)."""
    patches = lax.conv_general_dilated_patches(
        x, at.kernel, at.stride, at.padding, rhs_dilation=at.dilation
    )
    return patches.reshape(*x.shape[:2], *at.kernel, *patches.shape[2:])


def scatter(columns, at, sizes):
    zeros = jnp.zeros((*columns.shape[:2], *sizes), columns.dtype)
    return jax.vjp(lambda x: gather(x, at), zeros)[1](columns)[0]


def reduced(x, start, fold, at):
    return lax.reduce_window(
        x,
        np.asarray(start, x.dtype)[()],
        fold,
        (1, 1, *at.kernel),
        (1, 1, *at.stride),
        ((0, 0), (0, 0), *at.padding),
        window_dilation=(1, 1, *at.dilation),
    )


def largest(x, at):
    """The values, and positions found without padding having a chance."""
    n, low = len(at.kernel), -1e3
    columns = gather(x - low, at)
    flat = columns.reshape(*x.shape[:2], math.prod(at.kernel), *columns.shape[2 + n :])
    return jnp.max(flat, 2) + low, jnp.argmax(flat, 2).astype(np.uint8)


WINDOWS: dict[str, Op] = {
    "convolve": Op(
        convolve,
        [
            convolved((2, 2, 7), (3, 2, 3), (2,), ((1, 2),), (1,), (2,)),
            convolved((2, 2, 4), (2, 2, 2), (2,), ((1, 0),), (3,), (1,)),
            convolved((1, 1, 3), (2, 1, 2), (2,), ((0, 0),), (2,), (1,)),
            convolved((1, 1, 4), (2, 1, 2), (2,), ((-2, 1),), (3,), (1,)),
            convolved((0, 2, 4), (3, 2, 2), (1,), ((0, 0),), (1,), (1,)),
            convolved((1, 2, 5, 4), (2, 2, 2, 3), (3, 1), ((0, 2), (1, 0)), (1, 1), (2, 1)),
            # Of several groups and over three axes each way that XLA is given is taken: columns,
            convolved((1, 4, 4, 3), (2, 2, 2, 3), (1, 1), ((2, -1), (2, 2)), (2, 1), (1, 2), 2),
            convolved(
                (1, 2, 3, 4, 3), (2, 2, 2, 1, 2), (1,) * 3, ((1, 0),) * 3, (1,) * 3, (1,) * 3
            ),
            # a product for each position of the kernel, of several channels and of one,
            convolved((2, 4, 7, 6), (4, 2, 2, 1), (2, 2), ((0, 1), (1, 0)), (1, 2), (3, 1), 2),
            convolved((2, 2, 5, 6), (4, 1, 2, 3), (1, 2), ((1, 0), (0, 2)), (1, 1), (2, 1), 2),
            convolved((1, 2, 5, 4), (4, 1, 2, 2), (1, 1), ((1, 0), (0, 0)), (1, 1), (1, 1), 2),
            # a product for each output,
            convolved((2, 3, 3, 4), (6, 1, 2, 3), (2, 1), ((1, 0), (1, 1)), (1, 1), (1, 2), 3),
            convolved(
                (1, 2, 3, 4, 3),
                (2, 2, 2, 2, 2),
                (1, 2, 2),
                ((1, 1), (0, 0), (1, 0)),
                (2, 2, 1),
                (1,) * 3,
            ),
            # and XLA's own.
            convolved(
                (1, 1, 3, 4, 3), (2, 1, 2, 1, 2), (1,) * 3, ((0, 0),) * 3, (1,) * 3, (1,) * 3
            ),
            convolved((1, 4, 3, 4), (6, 2, 2, 1), (1, 1), ((0, 0),) * 2, (1,) * 2, (1,) * 2, 2),
        ],
        call=REGISTRY["convolve"],
    ),
    "gather_windows": Op(gather, [*GATHERED, PADDED[1]]),
    "scatter_windows": Op(
        scatter,
        [
            sample(numbers(2, 2, 3, 4), at=LINE, sizes=(6,)),
            sample(numbers(1, 2, 2, 3, 4, 2), at=SPREAD, sizes=(5, 7)),
            sample(numbers(2, 1, 2, 2, 2, 3), at=TILES, sizes=(4, 6)),
            sample(numbers(1, 2, 2, 3), at=APART, sizes=(9,)),
            sample(numbers(1, 1, 2, 2, 2, 2), at=CROPPED, sizes=(6, 8)),
            sample(numbers(1, 1, 2, 1, 3, 3, 1, 3), at=BOXES, sizes=(4, 3, 6)),
            sample(numbers(1, 2, 2, 3, 2, 2), at=UNEVEN, sizes=(5, 7)),
        ],
    ),
    "sum_windows": Op(lambda x, at: reduced(x, 0, lax.add, at), GATHERED + PADDED),
    "max_windows": Op(largest, GATHERED),
}
