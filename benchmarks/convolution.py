"""Convolution, pooling and attention, forward and backward, beside jax.grad and PyTorch in one run.

    python benchmarks/convolution.py

Each contender computes the gradients of a weighed sum of the output with respect to every input,
in float32; PyTorch with 2 threads, XLA with all cores. Expected before measuring: plain
convolutions as fast as jax.grad, because both run XLA's; grouped, three-dimensional and pooling
ones faster, because XLA has no fast kernel for those on a CPU and ours are products and reductions.
"""

from __future__ import annotations

import functools
import statistics

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import lax
from results import interleaved, ratio, record, table

import retrograd as rg
from retrograd.nn import functional as F

THREADS = 2
RNG = np.random.default_rng(0)


def jax_conv(x, weight, stride=1, padding=0, groups=1):
    axes = x.ndim - 2
    letters = "DHW"[3 - axes :]
    numbers = ("NC" + letters, "OI" + letters, "NC" + letters)
    return lax.conv_general_dilated(
        x,
        weight,
        (stride,) * axes,
        ((padding, padding),) * axes,
        dimension_numbers=numbers,
        feature_group_count=groups,
    )


def jax_pool(x, kernel_size, stride=None, padding=0, start=-np.inf, fold=lax.max):
    window = (1, 1, kernel_size, kernel_size)
    strides = (1, 1, stride or kernel_size, stride or kernel_size)
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return lax.reduce_window(x, np.float32(start), fold, window, strides, around)


def jax_mean(x, kernel_size, stride=None, padding=0):
    total = jax_pool(x, kernel_size, stride, padding, 0, lax.add)
    return total / kernel_size**2


def jax_attention(query, key, value, is_causal=False):
    swapped = (jnp.swapaxes(x, 1, 2) for x in (query, key, value))
    out = jax.nn.dot_product_attention(*swapped, is_causal=is_causal)
    return jnp.swapaxes(out, 1, 2)


CASES = [
    ("conv2d", jax_conv, [(64, 1, 28, 28), (32, 1, 3, 3)], {"padding": 1}),
    ("conv2d", jax_conv, [(64, 32, 14, 14), (64, 32, 3, 3)], {"padding": 1}),
    ("conv2d", jax_conv, [(64, 32, 12, 12), (64, 32, 5, 5)], {}),
    ("conv2d", jax_conv, [(32, 16, 32, 32), (32, 16, 3, 3)], {"stride": 2, "padding": 1}),
    ("conv2d", jax_conv, [(32, 32, 32, 32), (32, 1, 3, 3)], {"padding": 1, "groups": 32}),
    ("conv2d", jax_conv, [(16, 64, 16, 16), (64, 32, 3, 3)], {"padding": 1, "groups": 2}),
    ("conv1d", jax_conv, [(16, 128, 64), (128, 128, 3)], {"padding": 1}),
    ("conv3d", jax_conv, [(4, 8, 16, 16, 16), (16, 8, 3, 3, 3)], {"padding": 1}),
    ("max_pool2d", jax_pool, [(64, 32, 28, 28)], {"kernel_size": 2}),
    ("max_pool2d", jax_pool, [(32, 32, 32, 32)], {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("avg_pool2d", jax_mean, [(32, 32, 32, 32)], {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("scaled_dot_product_attention", jax_attention, [(16, 4, 64, 32)] * 3, {"is_causal": True}),
]


def contenders(name, by_jax, shapes, options):
    arrays = [RNG.standard_normal(shape).astype(np.float32) for shape in shapes]
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    places = tuple(range(len(arrays)))
    tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
    weights = RNG.standard_normal(theirs(*tensors, **options).shape).astype(np.float32)
    weights_there = torch.tensor(weights)

    def weighed(function, weights, *xs):
        return (function(*xs, **options) * weights).sum()

    compiled = rg.compile(rg.grad(functools.partial(weighed, ours, weights), places))
    jitted = jax.jit(jax.grad(functools.partial(weighed, by_jax, weights), places))

    def run_torch():
        return torch.autograd.grad(weighed(theirs, weights_there, *tensors), tensors)

    for mine, jaxs, torchs in zip(compiled(*arrays), jitted(*arrays), run_torch(), strict=True):
        scale = float(torchs.abs().max())
        np.testing.assert_allclose(mine.numpy() / scale, torchs.numpy() / scale, atol=1e-4)
        np.testing.assert_allclose(np.asarray(jaxs) / scale, torchs.numpy() / scale, atol=1e-4)
    return {
        "ours": lambda: jax.block_until_ready([x.data for x in compiled(*arrays)]),
        "jax.grad": lambda: jax.block_until_ready(jitted(*arrays)),
        "PyTorch": run_torch,
    }


def main() -> None:
    torch.set_num_threads(THREADS)
    rows = []
    for name, by_jax, shapes, options in CASES:
        seconds = interleaved(contenders(name, by_jax, shapes, options), rounds=15, calls=5)
        told = ", ".join([*map(str, shapes[:2]), *(f"{k}={v}" for k, v in options.items())])
        middle = [f"{1e3 * statistics.median(each):.2f}" for each in seconds.values()]
        ratios = [f"{ratio(seconds, 'ours', other):.2f}" for other in ("jax.grad", "PyTorch")]
        rows.append([f"`{name}` {told}", *middle, *ratios])
        print(rows[-1], flush=True)
    record(
        "convolution",
        "Convolution, pooling and attention, forward and backward",
        f"Milliseconds, float32, PyTorch with {THREADS} threads, medians of 15 interleaved rounds; "
        "then the median of ours over the other's; `benchmarks/convolution.py`.\n\n"
        + table(["case", "ours", "jax.grad", "PyTorch", "/ jax.grad", "/ PyTorch"], rows),
    )


if __name__ == "__main__":
    main()
