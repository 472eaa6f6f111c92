"""Why small Variables travel in one array: a hand-written JAX step with its state in 19 and in 2.

    python benchmarks/packing.py

Both run the Adam step of a 13-64-64-1 network, batch 32. Expected before measuring: 19 buffers in
and out cost about 0.8 µs each on a CPU, 16 µs of some 26, and joining 60 kB costs 3 of them back.
"""

from __future__ import annotations

import statistics

import jax
import jax.numpy as jnp
import numpy as np
from results import interleaved, ratio, record

RNG = np.random.default_rng(0)
X = RNG.standard_normal((32, 13)).astype(np.float32)
Y = RNG.standard_normal((32, 1)).astype(np.float32)
SHAPES = [(64, 13), (64,), (64, 64), (64,), (1, 64), (1,)]


def first_weights():
    return [jnp.asarray(RNG.standard_normal(s).astype(np.float32) / 8) for s in SHAPES]


def loss_of(weights, x, y):
    for w, b in (weights[0:2], weights[2:4]):
        x = jax.nn.relu(x @ w.T + b)
    return jnp.mean((x @ weights[4].T + weights[5] - y) ** 2)


def adam(weights, m, v, t, x, y):
    loss, grads = jax.value_and_grad(loss_of)(weights, x, y)
    c1, c2 = 1 - 0.9**t, 1 - 0.999**t
    m = [0.9 * a + 0.1 * g for a, g in zip(m, grads, strict=True)]
    v = [0.999 * a + 0.001 * g * g for a, g in zip(v, grads, strict=True)]
    weights = [
        w - 1e-3 * (a / c1) / (jnp.sqrt(b / c2) + 1e-8)
        for w, a, b in zip(weights, m, v, strict=True)
    ]
    return weights, m, v, loss


def apart():
    def step(weights, m, v, t):
        weights, m, v, loss = adam(weights, m, v, t + 1, X, Y)
        return weights, m, v, t + 1, loss

    compiled = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    zeros = [[jnp.zeros(s) for s in SHAPES] for _ in range(2)]
    state = [first_weights(), *zeros, jnp.float32(0)]

    def run():
        *state[:], loss = compiled(*state)
        return loss

    return run


def packed():
    shapes = SHAPES * 3
    ends = np.cumsum([int(np.prod(s)) for s in shapes])

    def step(pack, t):
        parts = [p.reshape(s) for p, s in zip(jnp.split(pack, ends[:-1]), shapes, strict=True)]
        weights, m, v, loss = adam(parts[:6], parts[6:12], parts[12:], t + 1, X, Y)
        return jnp.concatenate([a.ravel() for a in (*weights, *m, *v)]), t + 1, loss

    compiled = jax.jit(step, donate_argnums=(0, 1))
    flat = jnp.concatenate([w.ravel() for w in first_weights()])
    state = [jnp.concatenate([flat, jnp.zeros(2 * flat.size)]), jnp.float32(0)]

    def run():
        *state[:], loss = compiled(*state)
        return loss

    return run


def main() -> None:
    seconds = interleaved({"apart": apart(), "packed": packed()}, rounds=41, calls=200)
    micro = {name: statistics.median(each) * 1e6 for name, each in seconds.items()}
    record(
        "packing",
        "Small state in one array",
        "The Adam step of a 13-64-64-1 network, batch 32, written by hand in JAX; "
        "`benchmarks/packing.py`, 41 interleaved rounds of 200 steps.\n\n"
        f"- weights and moments in 18 arrays: median {micro['apart']:.1f} µs\n"
        f"- the same in one: median {micro['packed']:.1f} µs\n"
        f"- 18 arrays / one: **{ratio(seconds, 'apart', 'packed'):.2f}**",
    )


if __name__ == "__main__":
    main()
