"""MNIST by a perceptron and by convolutions, a fifth of CIFAR-10 by a residual network.

    python benchmarks/images.py [FOLDER OF DATA SETS] [mlp] [cnn] [resnet]

Each is `retrograd train`'s own recipe on the training part, 15 % of which it holds out to stop by;
the figure is the accuracy on the test part, which it never sees. Only the perceptron is asked for
by name: `--model auto` picks the other two. Expected before measuring: 98.8 % for a
perceptron that sees shifted digits, 99.5 % for a small convolutional network, and 75 % for a small
ResNet on a fifth of CIFAR-10.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from results import record, table

from retrograd.kinds.base.kind import DataSpec
from retrograd.kinds.images.options import ImagesOptions
from retrograd.kinds.registry import prepare

SEED = 0
RUNS = {
    "mlp": ("MNIST", "mnist", {"model": "mlp"}, 0.983),
    "cnn": ("MNIST", "mnist", {}, 0.993),
    "resnet": ("CIFAR-10, 10,000 images", "cifar10_small/cifar10_10k_2k.npz", {}, 0.70),
}


def measure(folder: Path, name: str) -> None:
    title, path, options, target = RUNS[name]
    started = time.perf_counter()
    run = prepare("images", DataSpec(str(folder / path)), ImagesOptions(seed=SEED, **options))
    assert run.options.model == name
    run.fit()
    seconds = time.perf_counter() - started
    epochs = run.trainer.history.epochs
    scores = run.model.score(run.split.test)
    weights = sum(parameter.numel() for parameter in run.model.network.parameters())
    header = (
        "network",
        "weights",
        "test accuracy",
        "target",
        "test log loss",
        "seed",
        "epochs",
        "training images",
        "wall time",
    )
    row = (
        f"{name} ({'picked by auto' if not options else 'asked for'})",
        f"{weights:,}",
        f"**{scores.metrics['accuracy']:.2%}**",
        f"{target:.1%}",
        f"{scores.metrics['log_loss']:.4f}",
        SEED,
        len(epochs),
        f"{len(run.train):,}",
        f"{seconds / 60:.1f} min",
    )
    record(
        f"images-{name}",
        f"{title}: {name}",
        f"`benchmarks/images.py {name}`, {os.cpu_count()} cores; accuracy on {scores.rows:,} test "
        f"images.\n\n" + table(header, [row]),
    )


if __name__ == "__main__":
    arguments = sys.argv[1:]
    names = [each for each in arguments if each in RUNS] or list(RUNS)
    folders = [each for each in arguments if each not in RUNS] or ["../shared/data"]
    for each in names:
        measure(Path(folders[0]), each)
