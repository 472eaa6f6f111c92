"""Samples of operations that move elements."""

from __future__ import annotations

import jax.numpy as jnp

from retrograd import ops
from support.samples.kinds import Op, numbers, sample


def concatenated(tensors_to_one):
    def call(*tensors, dim=0):
        return tensors_to_one(tensors, dim)

    return call


JOINED = [
    sample(numbers(2), numbers(3)),
    sample(numbers(2, 2), numbers(1, 2)),
    sample(numbers(2, 1), numbers(2, 3), numbers(2, 0), dim=1),
    sample(numbers(1, 2, 1), numbers(1, 1, 1), dim=-2),
    sample(numbers(3)),
]

STACKED = [
    sample(numbers(), numbers(seed=1)),
    sample(numbers(2), numbers(2, seed=1), numbers(2, seed=2), dim=1),
    sample(numbers(1, 2), numbers(1, 2, seed=1), dim=-1),
    sample(numbers(0), numbers(0)),
]


def expand_oracle(x, sizes):
    offset = len(sizes) - x.ndim
    return jnp.broadcast_to(x, [x.shape[i - offset] if n == -1 else n for i, n in enumerate(sizes)])


def flatten_oracle(x, start_dim=0, end_dim=-1):
    first, last = start_dim % max(x.ndim, 1), end_dim % max(x.ndim, 1)
    return jnp.reshape(x, (*x.shape[:first], -1, *x.shape[last + 1 :]))


def split_oracle(x, split_size_or_sections, dim=0):
    if isinstance(split_size_or_sections, int):
        ends = list(range(split_size_or_sections, x.shape[dim], split_size_or_sections))
    else:
        ends = [
            sum(split_size_or_sections[: i + 1]) for i in range(len(split_size_or_sections) - 1)
        ]
    return tuple(jnp.split(x, ends, axis=dim))


def split_sizes_oracle(x, sizes, dim=0):
    return split_oracle(x, sizes, dim)


def pad_oracle(x, pad, mode="constant", value=0.0):
    widths = [(0, 0)] * x.ndim
    for axis, i in enumerate(range(0, len(pad), 2)):
        widths[-1 - axis] = (pad[i], pad[i + 1])
    if mode != "constant":
        modes = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
        return jnp.pad(x, widths, mode=modes[mode])
    cropped = x[
        tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, widths, strict=True))
    ]
    return jnp.pad(cropped, [(max(a, 0), max(b, 0)) for a, b in widths], constant_values=value)


SHAPE = {
    "reshape": Op(
        jnp.reshape,
        [
            sample(numbers(), shape=(1, 1)),
            sample(numbers(6), shape=(2, 3)),
            sample(numbers(2, 1, 3), shape=(-1,)),
            sample(numbers(2, 3), shape=(3, -1)),
            sample(numbers(0, 2), shape=(2, 0, 1)),
            sample(numbers(4), shape=4),
        ],
    ),
    "permute": Op(
        lambda x, dims: jnp.transpose(x, dims),
        [
            sample(numbers(), dims=()),
            sample(numbers(2, 3), dims=(1, 0)),
            sample(numbers(2, 1, 3), dims=(2, 0, 1)),
            sample(numbers(2, 1, 3), dims=(-1, 0, -2)),
            sample(numbers(2, 0), dims=(1, 0)),
        ],
    ),
    "transpose": Op(
        lambda x, dim0, dim1: jnp.swapaxes(x, dim0, dim1),
        [
            sample(numbers(2, 3), dim0=0, dim1=1),
            sample(numbers(2, 1, 3), dim0=-1, dim1=0),
            sample(numbers(2, 3), dim0=1, dim1=-1),
            sample(numbers(0, 3), dim0=0, dim1=1),
        ],
    ),
    "broadcast_to": Op(
        jnp.broadcast_to,
        [
            sample(numbers(), shape=(2, 2)),
            sample(numbers(3), shape=(2, 3)),
            sample(numbers(2, 1), shape=(2, 3)),
            sample(numbers(1, 2, 1), shape=(2, 1, 2, 3)),
            sample(numbers(1, 2), shape=(0, 2)),
            sample(numbers(3), shape=(3,)),
        ],
    ),
    "expand": Op(
        expand_oracle,
        [
            sample(numbers(3), sizes=(2, 3)),
            sample(numbers(3, 1), sizes=(-1, 4)),
            sample(numbers(1, 2), sizes=(2, 3, -1)),
            sample(numbers(1), sizes=(0,)),
        ],
        call=lambda x, sizes: ops.expand(x, *sizes),
    ),
    "squeeze": Op(
        lambda x, dim=None: jnp.squeeze(x, dim),
        [
            sample(numbers()),
            sample(numbers(1, 3, 1)),
            sample(numbers(1, 3, 1), dim=-1),
            sample(numbers(1, 3, 1), dim=(0, 2)),
            sample(numbers(1, 0)),
        ],
    ),
    "unsqueeze": Op(
        lambda x, dim: jnp.expand_dims(x, dim),
        [
            sample(numbers(), dim=0),
            sample(numbers(3), dim=-1),
            sample(numbers(2, 3), dim=1),
            sample(numbers(2, 3), dim=-3),
            sample(numbers(0), dim=1),
        ],
    ),
    "flatten": Op(
        flatten_oracle,
        [
            sample(numbers()),
            sample(numbers(2, 1, 3)),
            sample(numbers(2, 1, 3), start_dim=1),
            sample(numbers(2, 1, 3), start_dim=-3, end_dim=1),
            sample(numbers(0, 2)),
        ],
    ),
    "flip": Op(
        lambda x, dims: jnp.flip(x, dims),
        [
            sample(numbers(4), dims=0),
            sample(numbers(2, 3), dims=(0, 1)),
            sample(numbers(2, 1, 3), dims=(-1,)),
            sample(numbers(0, 2), dims=(0,)),
        ],
    ),
    "concatenate_all": Op(lambda *x, dim=0: jnp.concatenate(x, dim), JOINED),
    "concatenate": Op(
        lambda *x, dim=0: jnp.concatenate(x, dim), JOINED, call=concatenated(ops.concatenate)
    ),
    "stack": Op(lambda *x, dim=0: jnp.stack(x, dim), STACKED, call=concatenated(ops.stack)),
    "split_sizes": Op(
        split_sizes_oracle,
        [
            sample(numbers(5), sizes=(2, 3)),
            sample(numbers(3, 2), sizes=(1, 2)),
            sample(numbers(2, 3), sizes=(1, 0, 2), dim=1),
            sample(numbers(2, 3), sizes=(3,), dim=-1),
        ],
    ),
    "split": Op(
        split_oracle,
        [
            sample(numbers(5), split_size_or_sections=2),
            sample(numbers(4), split_size_or_sections=4),
            sample(numbers(2, 3), split_size_or_sections=[2, 1], dim=1),
            sample(numbers(2, 1, 3), split_size_or_sections=1, dim=-1),
        ],
    ),
    "pad_constant": Op(
        lambda x, widths, value=0.0: jnp.pad(x, widths, constant_values=value),
        [
            sample(numbers(3), widths=((1, 2),)),
            sample(numbers(2, 1), widths=((0, 1), (2, 0)), value=-1.5),
            sample(numbers(0), widths=((1, 1),), value=2.0),
        ],
    ),
    "pad": Op(
        pad_oracle,
        [
            sample(numbers(3), pad=(1, 2)),
            sample(numbers(2, 3), pad=(0, 1, 2, 0), value=0.5),
            sample(numbers(2, 4), pad=(-1, 2)),
            sample(numbers(1, 4), pad=(-1, -1, 1, 0)),
            sample(numbers(2, 3), pad=(2, 1), mode="reflect"),
            sample(numbers(2, 1), pad=(2, 1), mode="reflect"),
            sample(numbers(2, 3), pad=(1, 1, 2, 0), mode="replicate"),
            sample(numbers(2, 3), pad=(1, 2), mode="circular"),
        ],
    ),
}
