"""What recording costs: the compiled step with and without a Recorder, in interleaved pairs.

    python benchmarks/recorder.py

Two ways to run a step: one call each, and 64 to a call with `Compiled.over`, which is how the
training loop runs networks without convolutions (XLA's convolutions are slow inside a loop).

Expected before measuring. The 13-64-64-1 network's step takes some 20 µs, of which each XLA kernel
is about 0.5: computed in the step, 18 norms, 2 counts of units and the row would be 25 more, half
as much again. Copied out as one vector they are 2 µs, and their norms 2 to 3 µs on the host in
blocks of steps: 1.2 to 1.3. The MLP's step of 150 to 250 µs pays for a sample of its 100,352
weights and an exact norm now and then: 1.03. The CNN's step of 10 ms or more pays for a look at one
row of its activations: 1.01.

What it showed: a vector of all 10,242 gradients and weights leaves the cache before the host sees
it, and cost 9 µs a step instead of 3; so a weight is looked at whole up to 512 elements only. A
branch in a program of one step cost 100 µs, since XLA's CPU client then hands it to another thread;
so there are two programs. A round is long, as runs are: its end waits for the steps that the host
otherwise looks at while the next ones run.

Where the rest goes, on one core: of some 10 µs of the MLP's step of 205 (on a machine with AVX-512;
without, it takes 530) 3 to 5 are kernels for the clock, the vector and the ring, however little
they hold, 3 the host's norms, and less than 1 the scheduled steps. In the small network's loop the
branch for what is scheduled, which is hardly ever taken, costs more than half of the rest, for
arrays that are made for its sake and for the branch itself: 1.08 to 1.10 times the plain step
without it, 1.20 with it.

A scheduled step had a kernel for each number, some 40, which took 250 µs, and XLA handed some of
them to another thread. With one for each layer the small network's loop takes 1.20 times the plain
step and not 1.25, and its program is compiled in 0.8 s and not in 0.9. One kernel for the samples
of a gradient and its weight together, instead of two, was slower: 1.21 and 1.20, on one core 1.32
and 1.28.
"""

from __future__ import annotations

import statistics
from functools import partial

import jax
import numpy as np
from results import interleaved, ratio, record, table

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.recorder import Recorder

RNG = np.random.default_rng(0)
# The same program built again took 165 or 205 µs for the MLP's step, whichever it was, by where its
# arrays lie; so both are built several times, with the same inputs: XLA copies those that do not
# begin at a multiple of 64 bytes, which costs the MLP's step 7 %.
BUILDS = 24
TARGET = {"13-64-64-1": 1.25, "MNIST MLP": 1.05, "MNIST CNN": 1.05}


def small():
    return nn.Sequential(
        nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
    )


def mlp():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 10),
    )


def prices():
    x, y = RNG.standard_normal((32, 13)), RNG.standard_normal((32, 1))
    return x.astype(np.float32), y.astype(np.float32)


def digits(*shape):
    return RNG.standard_normal((64, *shape)).astype(np.float32), RNG.integers(0, 10, 64)


def contender(build, loss_of, batches, looped, steps, recorded):
    """Something that runs `steps` steps, in a record's block or not."""
    rg.manual_seed(0)
    model = build()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    @rg.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    recorder = Recorder()

    def run():
        for _ in range(steps // 64 if looped else steps):
            loss = step.over(*batches) if looped else step(*batches)
        jax.block_until_ready(loss.data)

    def run_recorded():
        with recorder.watching(model, optimizer):
            run()

    return run_recorded if recorded else run


def main() -> None:
    rows = []
    for name, build, loss_of, data, looped, steps in [
        ("13-64-64-1", small, nn.mse_loss, prices, False, 8192),
        ("13-64-64-1", small, nn.mse_loss, prices, True, 8192),
        ("MNIST MLP", mlp, nn.cross_entropy, partial(digits, 784), False, 2048),
        ("MNIST MLP", mlp, nn.cross_entropy, partial(digits, 784), True, 2048),
        ("MNIST CNN", cnn, nn.cross_entropy, partial(digits, 1, 28, 28), False, 32),
    ]:
        seconds: dict[str, list[float]] = {"plain": [], "recorded": []}
        by_build = []
        for build_number in range(BUILDS):
            batches = [np.stack([each] * 64) if looped else each for each in data()]
            order = ("plain", "recorded")[:: -1 if build_number % 2 else 1]
            pair = {
                each: contender(build, loss_of, batches, looped, steps, each == "recorded")
                for each in order
            }
            found = interleaved(pair, 2, 1)
            by_build.append(ratio(found, "recorded", "plain"))
            for each, of_build in found.items():
                seconds[each] += of_build
        middle = [f"{1e6 * statistics.median(each) / steps:.1f}" for each in seconds.values()]
        cost = ratio(seconds, "recorded", "plain")
        spread = f"{min(by_build):.2f} to {max(by_build):.2f}"
        way = "64 a call" if looped else "one a call"
        rows.append([name, way, *middle, f"**{cost:.3f}**", spread, f"{TARGET[name]:.2f}"])
        print(rows[-1], flush=True)
    record(
        "recorder",
        "What recording costs",
        "Microseconds of a compiled step (forward, backward, Adam; batch 32, of the MNIST networks "
        "64) with and without a Recorder that keeps its record in memory; medians over interleaved "
        f"rounds of {BUILDS} builds; `benchmarks/recorder.py`.\n\n"
        + table(
            ["network", "steps", "plain", "recorded", "ratio", "by build", "target at most"], rows
        ),
    )


if __name__ == "__main__":
    main()
