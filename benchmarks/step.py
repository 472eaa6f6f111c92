"""The step of a 13-64-64-1 network, batch 32, Adam: compiled and eager, beside others, in one run.

    python benchmarks/step.py

Expected before measuring: compiled within 1.1 of the same step written by hand in JAX, since both
are one XLA program and what is left is the Python around the call; eager on NumPy no slower than
PyTorch eager, whose 30-odd calls each cost more than NumPy's on arrays this small.
"""

from __future__ import annotations

import os
import statistics

import jax
import jax.numpy as jnp
import numpy as np
import torch
from results import interleaved, ratio, record, table

import retrograd as rg
from retrograd import nn, optim

# XLA and NumPy take as many threads as there are cores; PyTorch is given the same.
THREADS = os.cpu_count() or 1
SIZES = (13, 64, 64, 1)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((32, 13)).astype(np.float32)
Y = RNG.standard_normal((32, 1)).astype(np.float32)
BETA1, BETA2, EPS, LR = 0.9, 0.999, 1e-8, 1e-3


def ours(compiled: bool):
    rg.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
    )
    optimizer = optim.Adam(model.parameters(), lr=LR)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = rg.compile(step) if compiled else step
    return lambda: run(X, Y)


def jax_by_hand():
    keys = jax.random.split(jax.random.key(0), 3)
    weights = [
        (jax.random.normal(k, (n_in, n_out)) / n_in**0.5, jnp.zeros(n_out))
        for k, n_in, n_out in zip(keys, SIZES[:-1], SIZES[1:], strict=True)
    ]

    def loss_of(weights, x, y):
        for w, b in weights[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = weights[-1]
        return jnp.mean((x @ w + b - y) ** 2)

    def step(weights, m, v, t, x, y):
        loss, grads = jax.value_and_grad(loss_of)(weights, x, y)
        t = t + 1
        tree = jax.tree_util.tree_map
        m = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, grads)
        v = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, grads)
        c1, c2 = 1 - BETA1**t, 1 - BETA2**t
        weights = tree(lambda w, m, v: w - LR * (m / c1) / (jnp.sqrt(v / c2) + EPS), weights, m, v)
        return weights, m, v, t, loss

    compiled = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    zeros = jax.tree_util.tree_map(jnp.zeros_like, weights)
    carried = [weights, zeros, jax.tree_util.tree_map(jnp.zeros_like, weights), jnp.float32(0)]

    def run():
        *carried[:], loss = compiled(*carried, X, Y)
        return loss

    return run


def torch_eager():
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(13, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 1),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    x, y = torch.from_numpy(X), torch.from_numpy(Y)

    def run():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return run


def main() -> None:
    contenders = {
        "Retrograd, compiled": ours(compiled=True),
        "JAX by hand": jax_by_hand(),
        "Retrograd, eager on NumPy": ours(compiled=False),
        "PyTorch, eager": torch_eager(),
    }
    seconds = interleaved(contenders, rounds=41, calls=200)
    rows = [
        (name, f"{statistics.median(each) * 1e6:.1f}", f"{min(each) * 1e6:.1f}")
        for name, each in seconds.items()
    ]
    compiled = ratio(seconds, "Retrograd, compiled", "JAX by hand")
    faster = ratio(seconds, "PyTorch, eager", "Retrograd, compiled")
    eager = ratio(seconds, "Retrograd, eager on NumPy", "PyTorch, eager")
    record(
        "step",
        "The step of a small network",
        f"A 13-64-64-1 network, batch 32, Adam, {THREADS} threads each; `benchmarks/step.py`, "
        "41 interleaved rounds of 200 steps.\n\n"
        + table(("step", "median µs", "fastest round µs"), rows)
        + f"\n\n- compiled / JAX by hand: **{compiled:.2f}** (target: at most 1.10)"
        f"\n- PyTorch eager / compiled: **{faster:.1f}** (target: at least 4)"
        f"\n- eager on NumPy / PyTorch eager: **{eager:.2f}** (target: at most 1.00)",
    )


if __name__ == "__main__":
    main()
