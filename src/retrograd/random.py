"""Random numbers: explicit keys, and the same stream eagerly and compiled.

Two sources, both set by `manual_seed`. `host_rng()` is a NumPy generator for what happens once,
eagerly: initial weights, the order of rows. `default_key` is a Variable for what happens inside a
step (dropout): a compiled step carries it like any other, and JAX's counter-based generator makes
the same bits from it in both engines.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.arrays import DType, state
from retrograd.tensor import Tensor
from retrograd.variable import Key

__all__ = ["bernoulli", "default_key", "host_rng", "manual_seed", "normal", "uniform"]

Shape = tuple[int, ...]


def _key_data(seed: int) -> np.ndarray[Any, Any]:
    return np.array([seed >> 32 & 0xFFFFFFFF, seed & 0xFFFFFFFF], np.uint32)


default_key = Key(_key_data(0))
_host = np.random.default_rng(0)


def manual_seed(seed: int) -> None:
    """Start both streams anew from `seed`, a whole number of at most 64 bits."""
    global _host
    _host = np.random.default_rng(seed)
    default_key.data = _key_data(seed)


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
    """Draw from `jax.random`, moving the key on; eagerly the numbers become NumPy's."""
    import jax

    key = default_key if key is None else key
    # 64-bit throughout, as in a compiled step: the bits drawn must not depend on JAX's default.
    with jax.enable_x64(True):
        following, used = jax.random.split(jax.random.wrap_key_data(key.data, impl="threefry2x32"))
        values = getattr(jax.random, law)(used, shape, dtype)
        following = jax.random.key_data(following)
    if state.trace is None:
        following, values = np.asarray(following), np.asarray(values)
    key.data = following
    return Tensor(values)
