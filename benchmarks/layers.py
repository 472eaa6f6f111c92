"""The step of a transformer, a GRU and a CNN beside PyTorch's, and compile time as depth grows.

    python benchmarks/layers.py

Each step is forward, backward and Adam, in float32 with 2 threads (XLA takes a machine's cores: run
it on two, or under `taskset -c 0,1`). Expected before measuring: the transformer twice as fast as
PyTorch eager, because XLA fuses what stands between the products and PyTorch runs some hundred
kernels; the GRU ahead, because its loop is one program; the CNN a little ahead: XLA's convolutions
are slower than PyTorch's, but a weight's gradient is one product, and what stands between is fused.
Compile time stays flat with `Repeat`, which compiles one block whatever the depth.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

import jax
import numpy as np
import torch
from results import interleaved, ratio, record, table

import retrograd as rg
from retrograd import nn, optim

THREADS = 2
WIDTH, LENGTH, BATCH, CLASSES = 128, 64, 16, 10
RNG = np.random.default_rng(0)
SEQUENCES = RNG.standard_normal((BATCH, LENGTH, WIDTH)).astype(np.float32)
IMAGES = RNG.standard_normal((64, 1, 28, 28)).astype(np.float32)
TARGET = {"transformer": 1.8, "GRU": 1.5, "CNN": 1.0}


def encoder_layer(n):
    return n.TransformerEncoderLayer(
        WIDTH, 4, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
    )


def transformer(n):
    class Transformer(n.Module):
        def __init__(self):
            super().__init__()
            norm = {} if n is nn else {"enable_nested_tensor": False}
            self.encoder = n.TransformerEncoder(encoder_layer(n), 2, n.LayerNorm(WIDTH), **norm)
            self.head = n.Linear(WIDTH, CLASSES)

        def forward(self, x):
            return self.head(self.encoder(x).mean(1))

    return Transformer(), SEQUENCES


def gru(n):
    class Recurrent(n.Module):
        def __init__(self):
            super().__init__()
            self.gru = n.GRU(WIDTH, WIDTH, batch_first=True)
            self.head = n.Linear(WIDTH, CLASSES)

        def forward(self, x):
            out, _ = self.gru(x)
            return self.head(out[:, -1])

    return Recurrent(), SEQUENCES


def cnn(n):
    return n.Sequential(
        n.Conv2d(1, 32, 3, padding=1),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Conv2d(32, 64, 3, padding=1),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Flatten(),
        n.Linear(64 * 7 * 7, CLASSES),
    ), IMAGES


def ours(build):
    rg.manual_seed(0)
    model, x = build(nn)
    y = RNG.integers(0, CLASSES, len(x))
    step = compiled_step(model)
    return lambda: jax.block_until_ready(step(x, y).data)


def compiled_step(model):
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    @rg.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def theirs(build):
    torch.manual_seed(0)
    model, x = build(torch.nn)
    x, y = torch.tensor(x), torch.tensor(RNG.integers(0, CLASSES, len(x)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def residual_mlp(depth):
    def block():
        return nn.Residual(
            nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 64))
        )

    return nn.Sequential(nn.Repeat(block, depth), nn.Linear(64, CLASSES))


def deep_transformer(depth):
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.Repeat(lambda: encoder_layer(nn), depth)
            self.head = nn.Linear(WIDTH, CLASSES)

        def forward(self, x):
            return self.head(self.blocks(x).mean(1))

    return Deep()


def compile_seconds(build, depth, x, rounds):
    """The fastest of some first calls: everything from Python to the program's first run."""
    seconds = []
    for _ in range(rounds):
        step = compiled_step(build(depth))
        started = time.perf_counter()
        jax.block_until_ready(step(x, np.zeros(len(x), np.int64)).data)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


MODELS = {"transformer": transformer, "GRU": gru, "CNN": cnn}


def measured(name):
    """Milliseconds of a step, ours and PyTorch's, and the ratio, in a process of its own."""
    torch.set_num_threads(THREADS)
    contenders = {"ours": ours(MODELS[name]), "PyTorch": theirs(MODELS[name])}
    seconds = interleaved(contenders, rounds=11, calls=20)
    middle = [1e3 * statistics.median(each) for each in seconds.values()]
    return *middle, ratio(seconds, "PyTorch", "ours")


def steps(processes=5):
    rows = []
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, max_tasks_per_child=1) as pool:
        for name, target in TARGET.items():
            found = list(pool.map(measured, [name] * processes))
            own, other, faster = map(statistics.median, zip(*found, strict=True))
            ratios = [each[2] for each in found]
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            middle = [f"{own:.2f}", f"{other:.2f}", f"**{faster:.2f}**"]
            rows.append([name, *middle, spread, f"{target:.1f}"])
            print(rows[-1], flush=True)
    return rows


def compiling(rounds=3):
    rows = []
    for name, build, depth, x in [
        ("residual MLP", residual_mlp, 50, SEQUENCES[:, 0, :64]),
        ("transformer", deep_transformer, 24, SEQUENCES),
    ]:
        half, full = (compile_seconds(build, d, x, rounds) for d in (depth // 2, depth))
        rows.append([f"{name}, {depth} blocks", f"{half:.2f}", f"{full:.2f}", f"{full / half:.2f}"])
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    record(
        "layers",
        "The step of a transformer, a GRU and a CNN",
        f"Milliseconds for forward, backward and Adam, float32, {THREADS} threads, the medians of "
        "5 processes' medians of 11 interleaved rounds of 20 steps (processes differ by where "
        "their memory comes to lie); `benchmarks/layers.py`. The transformer has 2 pre-norm "
        f"layers, width {WIDTH}, 4 heads, {LENGTH} tokens, batch {BATCH}; the GRU width {WIDTH}, "
        f"{LENGTH} steps, batch {BATCH}; the CNN 32 and 64 channels, batch 64.\n\n"
        + table(
            ["step", "ours", "PyTorch", "PyTorch / ours", "by process", "target at least"], steps()
        )
        + "\n\nSeconds of a step's first call with `Repeat`, the fastest of 3 (targets: at most 3 "
        "seconds, and 1.3 times half the depth):\n\n"
        + table(["model", "half the depth", "full depth", "ratio"], compiling()),
    )


if __name__ == "__main__":
    main()
