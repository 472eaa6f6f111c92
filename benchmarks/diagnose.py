"""A CNN trained by `rg.diagnose` and by a Program, beside a Trainer's own steps, in one run.

    python benchmarks/diagnose.py

The one-batch test takes 150 steps of Adam on 32 rows, a Program's epoch 8 steps of 64; a Trainer
takes the same steps of the same network, and compiles what the other compiles.

Expected before measuring: 1.0, since both train with a Trainer; the target is at most 1.3. With a
loop of their own, which XLA ran as one program, they took 35 and 140 times as long, because a
convolution in a loop loses its fast kernel on a CPU.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import numpy as np
from results import ratio, record, table

from retrograd import nn, optim
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.trial import one_batch
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.random import manual_seed
from retrograd.training import Rows, Trainer
from retrograd.training.sources import OneBatch

RNG = np.random.default_rng(0)
ROUNDS = 3
TARGET = 1.3


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 3),
    )


def images(rows: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    return RNG.normal(size=(rows, 3, size, size)).astype(np.float32), RNG.integers(0, 3, rows)


def one_batch_contenders() -> dict[str, Callable[[], object]]:
    """150 steps on 32 rows, the compilation of the step included on both sides."""
    manual_seed(0)
    (x, y), model = images(64, 16), cnn()
    case = Case(model=model, train=Data((x,), y), task="classification", loss=nn.cross_entropy)

    def steps() -> None:
        twin = copy.deepcopy(model).eval()
        trainer = Trainer(twin, nn.cross_entropy, optim.Adam(twin.parameters(), lr=5e-3))
        source = OneBatch((x[:32],), y[:32])
        for _ in range(150):
            trainer.run(source, source.stack(1))

    return {"ours": lambda: list(one_batch(case)), "Trainer": steps}


def epoch_contenders() -> dict[str, Callable[[], object]]:
    """Two epochs of 8 steps and the scores, the compilation of all included on both sides."""
    x, y = images(512 + 64, 32)
    train, valid = (x[:512], y[:512]), (x[512:], y[512:])
    program = Program(
        model=cnn,
        loss=nn.cross_entropy,
        train=Samples(*train),
        valid=Samples(*valid),
        task="classification",
        batch_size=64,
        epochs=2,
    )

    def steps() -> None:
        manual_seed(0)
        model = cnn()
        trainer = Trainer(model, nn.cross_entropy, optim.Adam(model.parameters(), lr=1e-3))
        sources = (Rows((each[0],), each[1]) for each in (train, valid))
        trainer.fit(*sources, epochs=2, batch_size=64, seed=0)
        for each in (train, valid):
            trainer.predict((each[0],))  # a Program's scores

    return {"ours": program.run, "Trainer": steps}


def main() -> None:
    rows = []
    for name, contenders in [
        (
            "one-batch test of `rg.diagnose`, 150 steps, 32 images of 3 × 16 × 16",
            one_batch_contenders,
        ),
        ("a Program, 2 epochs of 8 steps, 64 images of 3 × 32 × 32", epoch_contenders),
    ]:
        pair = contenders()
        seconds: dict[str, list[float]] = {each: [] for each in pair}
        for _ in range(ROUNDS):
            for each, call in pair.items():
                started = time.perf_counter()
                call()
                seconds[each].append(time.perf_counter() - started)
        middle = [f"{statistics.median(each):.2f}" for each in seconds.values()]
        rows.append([name, *middle, f"**{ratio(seconds, 'ours', 'Trainer'):.2f}**", TARGET])
        print(rows[-1], flush=True)
    record(
        "diagnose",
        "Training outside of a run",
        "Seconds, compilation included on both sides, medians of 3 interleaved rounds; "
        "`benchmarks/diagnose.py`.\n\n"
        + table(["what", "ours", "Trainer", "ratio", "target at most"], rows),
    )


if __name__ == "__main__":
    main()
