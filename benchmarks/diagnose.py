"""A CNN trained by `rg.diagnose` and by a Program, beside a Trainer's own steps, in one run.

    python benchmarks/diagnose.py            # prints
    python benchmarks/diagnose.py --record   # and writes the section of docs/results.md

The one-batch test takes 150 steps of Adam on 32 rows, a Program's epoch 8 steps of 64; a Trainer
takes the same steps of the same network, and compiles what the other compiles. `rg.diagnose` as a
whole makes the one-batch test and every other check. CPU seconds, which other programs on the
machine disturb less; scikit-learn, which the checks need, is imported before.

Expected before measuring: 1.0 for the one-batch test and the Program, since both train with a
Trainer; 1.2 for the whole call, which compiles the forward pass as well and runs it 13 times on a
few rows for the gradient's check. The target is at most 1.3. With a loop of their own, which XLA
ran as one program, they took 35 and 140 times as long, because a convolution in a loop loses its
fast kernel on a CPU.
"""

from __future__ import annotations

import copy
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from results import ratio, record, table

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.trial import one_batch
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.random import manual_seed
from retrograd.training import Rows, Trainer
from retrograd.training.sources import OneBatch

RNG = np.random.default_rng(0)
TRAINER = "Trainer"
ROUNDS, PATIENCE = 3, 60  # seconds, after which no further round begins
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


def diagnose_contenders() -> dict[str, Callable[[], object]]:
    """150 steps on 32 rows, the compilation of the step included in all."""
    manual_seed(0)
    (x, y), model = images(64, 16), cnn()
    case = Case(model=model, train=Data((x,), y), task="classification", loss=nn.cross_entropy)

    def steps() -> None:
        twin = copy.deepcopy(model).eval()
        trainer = Trainer(twin, nn.cross_entropy, optim.Adam(twin.parameters(), lr=5e-3))
        source = OneBatch((x[:32],), y[:32])
        for _ in range(150):
            trainer.run(source, source.stack(1))

    return {
        "one-batch test, 150 steps of 32 images of 3 × 16 × 16": lambda: list(one_batch(case)),
        "`rg.diagnose` with it": lambda: rg.diagnose(model, (x, y), loss=nn.cross_entropy),
        TRAINER: steps,
    }


def epoch_contenders() -> dict[str, Callable[[], object]]:
    """An epoch of 8 steps and the scores, the compilation of all included on both sides."""
    x, y = images(512 + 64, 32)
    train, valid = (x[:512], y[:512]), (x[512:], y[512:])
    program = Program(
        model=cnn,
        loss=nn.cross_entropy,
        train=Samples(*train),
        valid=Samples(*valid),
        task="classification",
        batch_size=64,
        epochs=1,
    )

    def steps() -> None:
        manual_seed(0)
        model = cnn()
        trainer = Trainer(model, nn.cross_entropy, optim.Adam(model.parameters(), lr=1e-3))
        sources = (Rows((each[0],), each[1]) for each in (train, valid))
        trainer.fit(*sources, epochs=1, batch_size=64, seed=0)
        for each in (train, valid):
            trainer.predict((each[0],))  # a Program's scores

    return {"a Program's epoch, 8 steps of 64 images of 3 × 32 × 32": program.run, TRAINER: steps}


def warm_up() -> None:
    """Import what is imported at first use."""
    x = RNG.normal(size=(64, 3)).astype(np.float32)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3))
    rg.diagnose(model, (x, RNG.integers(0, 3, 64)), loss=nn.cross_entropy)


def main() -> None:
    warm_up()
    rows = []
    for contenders in (diagnose_contenders(), epoch_contenders()):
        seconds: dict[str, list[float]] = {each: [] for each in contenders}
        begun = time.perf_counter()
        while len(seconds[TRAINER]) < ROUNDS and time.perf_counter() - begun < PATIENCE:
            for each, call in contenders.items():
                started = time.process_time()
                call()
                seconds[each].append(time.process_time() - started)
        middle = {each: statistics.median(taken) for each, taken in seconds.items()}
        for each in list(contenders)[:-1]:
            times = [f"{middle[name]:.2f}" for name in (each, TRAINER)]
            share = f"**{ratio(seconds, each, TRAINER):.2f}**"
            rows.append([each, *times, share, TARGET, len(seconds[each])])
    text = (
        "CPU seconds, compilation included on both sides, medians of interleaved rounds; "
        "`benchmarks/diagnose.py`.\n\n"
        + table(["what", "ours", "Trainer", "ratio", "target at most", "rounds"], rows)
    )
    if "--record" in sys.argv[1:]:
        record("diagnose", "Training outside of a run", text)
    else:
        print(text)


if __name__ == "__main__":
    main()
