"""Random numbers: explicit keys, and the same stream eagerly and compiled.

Two sources, both set by `manual_seed`. `host_rng()` is a NumPy generator for what happens once,
eagerly: initial weights, the order of rows. `default_key` is a Variable for what happens inside a
step (dropout): a compiled step carries it like any other, and JAX's counter-based generator makes
the same bits from it in both engines.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrograd.arrays import Array, DType, state
from retrograd.tensor import Tensor
from retrograd.variable import Key

__all__ = [
    "bernoulli",
    "default_key",
    "host_rng",
    "manual_seed",
    "normal",
    "seeded",
    "uniform",
]

Shape = tuple[int, ...]


def _key_data(seed: int) -> np.ndarray[Any, Any]:
    return np.array([seed >> 32 & 0xFFFFFFFF, seed & 0xFFFFFFFF], np.uint32)


default_key = Key(_key_data(0))
_host = np.random.default_rng(0)


def manual_seed(seed: int) -> None:
    """Restart both streams from `seed`, a whole number of at most 64 bits."""
    global _host
    _host = np.random.default_rng(seed)
    default_key.data = _key_data(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block both streams start from `seed`; after it they go on as before."""
    global _host
    host, key = _host, np.array(default_key.data)
    try:
        manual_seed(seed)
        yield
    finally:
        _host, default_key.data = host, key


def host_rng() -> np.random.Generator:
    """The NumPy generator for initialization and shuffling."""
    return _host


def uniform(shape: Shape, dtype: DType = "float32", *, key: Key | None = None) -> Tensor:
    """Numbers from [0, 1)."""
    return _draw("uniform", shape, dtype, key)


def normal(shape: Shape, dtype: DType = "float32", *, key: Key | None = None) -> Tensor:
    """Numbers from the standard normal distribution."""
    return _draw("normal", shape, dtype, key)


def bernoulli(
    p: float, shape: Shape, dtype: DType = "float32", *, key: Key | None = None
) -> Tensor:
    """1 with probability `p`, else 0."""
    return (_draw("uniform", shape, "float32", key) < p).astype(dtype)


def _draw(law: str, shape: Shape, dtype: DType, key: Key | None) -> Tensor:
    """Draw from `jax.random` and advance the key; eagerly the numbers become NumPy arrays."""
    import jax

    key = default_key if key is None else key
    # 64-bit throughout, as in a compiled step: the bits drawn must not depend on JAX's default.
    with jax.enable_x64(True):
        following, values = _program(law, tuple(shape), np.dtype(dtype).name)(key.data)
    if state.trace is None:
        following, values = np.asarray(following), np.asarray(values)
    key.data = following
    return Tensor(values)


@functools.cache
def _program(law: str, shape: Shape, dtype: str) -> Callable[[Array], tuple[Array, Array]]:
    """From a key's data to the next key's data and the numbers drawn, compiled.

    As separate JAX calls, an eager draw of (32, 64) takes 17 times as long.
    """
    import jax

    def draw(data: Array) -> tuple[Array, Array]:
        following, used = jax.random.split(jax.random.wrap_key_data(data, impl="threefry2x32"))
        return jax.random.key_data(following), getattr(jax.random, law)(used, shape, dtype)

    program: Callable[[Array], tuple[Array, Array]] = jax.jit(draw)
    return program
