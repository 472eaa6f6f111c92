"""Samples of convolution and of the operations on sliding windows."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from samples_kinds import Op, numbers, sample

from retrograd.autodiff.primitive import REGISTRY
from retrograd.ops.windows import Windows

LINE = Windows((3,), (2,), ((1, 2),), (1,))
SPREAD = Windows((2, 3), (1, 2), ((1, 0), (0, -1)), (2, 1))
TILES = Windows((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))

GATHERED = [
    sample(numbers(2, 2, 6), at=LINE),
    sample(numbers(1, 2, 5, 7), at=SPREAD),
    sample(numbers(2, 1, 4, 6), at=TILES),
]


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
            sample(
                numbers(2, 2, 7),
                numbers(3, 2, 3, seed=1),
                stride=(2,),
                padding=((1, 2),),
                spacing=(1,),
                dilation=(2,),
                groups=1,
            ),
            sample(
                numbers(1, 4, 4, 3),
                numbers(2, 2, 2, 3, seed=1),
                stride=(1, 1),
                padding=((2, -1), (2, 2)),
                spacing=(2, 1),
                dilation=(1, 2),
                groups=2,
            ),
            sample(
                numbers(1, 2, 3, 4, 3),
                numbers(2, 2, 2, 2, 2, seed=1),
                stride=(1, 2, 2),
                padding=((1, 1), (0, 0), (1, 0)),
                spacing=(2, 2, 1),
                dilation=(1, 1, 1),
                groups=1,
            ),
        ],
        call=REGISTRY["convolve"],
    ),
    "gather_windows": Op(gather, GATHERED),
    "scatter_windows": Op(
        scatter,
        [
            sample(numbers(2, 2, 3, 4), at=LINE, sizes=(6,)),
            sample(numbers(1, 2, 2, 3, 4, 2), at=SPREAD, sizes=(5, 7)),
            sample(numbers(2, 1, 2, 2, 2, 3), at=TILES, sizes=(4, 6)),
        ],
    ),
    "sum_windows": Op(lambda x, at: reduced(x, 0, lax.add, at), GATHERED),
    "max_windows": Op(largest, GATHERED),
}
