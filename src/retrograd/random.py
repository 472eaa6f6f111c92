"""Random numbers: explicit keys, and the same stream eagerly and compiled.

Two sources, both set by `manual_seed`. `host_rng()` is a NumPy generator for what happens once,
eagerly: initial weights, the order of rows. `default_key` is a Variable for what happens inside a
step (dropout): a compiled step carries it like any other, and JAX's counter-based generator makes
the same bits from it in both engines.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrograd.arrays import Array, DType, namespace, state
from retrograd.tensor import Tensor
from retrograd.variable import Key

__all__ = [
    "bernoulli",
    "default_key",
    "get_rng_state",
    "host_rng",
    "integers",
    "manual_seed",
    "multinomial",
    "normal",
    "permutation",
    "poisson",
    "seeded",
    "set_rng_state",
    "uniform",
]

Shape = tuple[int, ...]


def _key_data(seed: int) -> np.ndarray[Any, Any]:
    return np.array([seed >> 32 & 0xFFFFFFFF, seed & 0xFFFFFFFF], np.uint32)


default_key = Key(_key_data(0))
_host: np.random.Generator | None = None  # until it is asked for: numpy.random loads slowly


def manual_seed(seed: int) -> None:
    """Restart both streams from `seed`, a whole number of at most 64 bits."""
    global _host
    _host = np.random.default_rng(seed)
    default_key.data = _key_data(seed)


def get_rng_state() -> dict[str, Any]:
    """Where both streams are, for `set_rng_state`: numbers and arrays in a dict."""
    return {"key": np.array(default_key.data), "host": host_rng().bit_generator.state}


def set_rng_state(new_state: Mapping[str, Any]) -> None:
    """Put both streams where they were at `get_rng_state`."""
    host_rng().bit_generator.state = new_state["host"]
    default_key.data = np.array(new_state["key"], np.uint32)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block both streams start from `seed`; after it they go on as before."""
    before = get_rng_state()
    try:
        manual_seed(seed)
        yield
    finally:
        set_rng_state(before)


def host_rng() -> np.random.Generator:
    """The NumPy generator for initialization and shuffling."""
    global _host
    if _host is None:
        _host = np.random.default_rng(0)
    return _host


def uniform(shape: Shape, dtype: DType = "float32", *, key: Key | None = None) -> Tensor:
    """Numbers from [0, 1)."""
    return _draw("uniform", shape, dtype, key)


def normal(shape: Shape, dtype: DType = "float32", *, key: Key | None = None) -> Tensor:
    """Numbers from the standard normal distribution."""
    return _draw("normal", shape, dtype, key)


def integers(
    low: int, high: int, shape: Shape, dtype: DType = "int64", *, key: Key | None = None
) -> Tensor:
    """Whole numbers from `low` up to but not including `high`. Raises ValueError for none."""
    if not low < high:
        raise ValueError(f"there is no whole number from {low} up to {high}, which is left out")
    return _draw("randint", shape, "int64", key, low, high).astype(dtype)


def permutation(n: int, dtype: DType = "int64", *, key: Key | None = None) -> Tensor:
    """0 to n - 1 in random order."""
    # Equal numbers, of which there are some among 2^32, keep their order.
    order = namespace((drawn := _draw("bits", (n,), "uint32", key)).data).argsort(drawn.data)
    return Tensor(order.astype(dtype))


def poisson(rate: Tensor, *, key: Key | None = None) -> Tensor:
    """Counts from Poisson's distribution with the given means."""
    return _draw("poisson", rate.shape, "int64", key, rate.data).astype(rate.dtype)


def bernoulli(
    p: Any, shape: Shape | None = None, dtype: DType | None = None, *, key: Key | None = None
) -> Tensor:
    """1 with probability `p`, else 0: for one number of `shape`, or for each of a tensor's.

    float32 or the tensor's dtype by default.
    """
    if isinstance(p, Tensor):
        shape, dtype, p = p.shape, dtype or p.dtype, p.detach()
    return (_draw("uniform", shape or (), "float32", key) < p).astype(dtype or "float32")


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, key: Key | None = None
) -> Tensor:
    """`num_samples` positions of each row, drawn in proportion to its numbers: (..., k) ->
    (..., num_samples).

    Raises ValueError for more samples than numbers without replacement. The largest of the
    logarithms plus noise of Gumbel's distribution are such a draw (Kool et al. 2019, section 2.2).
    """
    if not replacement and num_samples > input.shape[-1]:
        raise ValueError(
            f"multinomial: {num_samples} of {input.shape[-1]} cannot be drawn without replacement"
        )
    weights = input.detach().astype("float32").log()
    if not replacement:
        noisy = weights + _draw("gumbel", input.shape, "float32", key)
        return noisy.topk(num_samples).indices
    shape = (*input.shape[:-1], num_samples, input.shape[-1])
    return (weights.unsqueeze(-2) + _draw("gumbel", shape, "float32", key)).argmax(-1)


def _draw(law: str, shape: Shape, dtype: DType, key: Key | None, *how: Any) -> Tensor:
    """Draw from `jax.random` and advance the key; eagerly the numbers become NumPy arrays."""
    import jax

    key = default_key if key is None else key
    # 64-bit throughout, as in a compiled step: the bits drawn must not depend on JAX's default.
    with jax.enable_x64(True):
        program = _program(law, tuple(shape), np.dtype(dtype).name)
        following, values = program(key.data, *how)
    if state.trace is None:
        following, values = np.asarray(following), np.asarray(values)
    key.data = following
    return Tensor(values)


@functools.cache
def _program(law: str, shape: Shape, dtype: str) -> Callable[..., tuple[Array, Array]]:
    """From a key's data, and what the law depends on, to the next key's data and the numbers drawn.

    It is compiled: as separate JAX calls, an eager draw of (32, 64) takes 17 times as long.
    """
    import jax

    def draw(data: Array, *how: Array) -> tuple[Array, Array]:
        following, used = jax.random.split(jax.random.wrap_key_data(data, impl="threefry2x32"))
        drawn = getattr(jax.random, law)(used, *_ordered(law, shape, how), dtype)
        return jax.random.key_data(following), drawn

    program: Callable[..., tuple[Array, Array]] = jax.jit(draw)
    return program


def _ordered(law: str, shape: Shape, how: tuple[Array, ...]) -> tuple[Any, ...]:
    """The shape and what a law depends on, in the order of its arguments in `jax.random`."""
    return (*how, shape) if law == "poisson" else (shape, *how)
