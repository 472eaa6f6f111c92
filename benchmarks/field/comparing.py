"""`rg.fix` beside random changes and beside a general tuner, with as many trainings for each.

    python benchmarks/field/comparing.py --budget 20

On the faulty programs of the seen half that a change to a Program may mend: no loop of the author's
own, rows to validate on, a training of at most --seconds. All three see the same figure.
`random` takes each time one remedy of the table, drawn at random. `tuner` is Optuna's estimator of
Parzen trees (Bergstra et al. 2011) over rate, optimizer, batch, epochs, weight decay, clipping,
width and depth, and begins with the program as it is. Each may train `--budget` times, two more
seeds for the change chosen in the end included. Results are kept in --results.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import statistics
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # what all benchmarks share

import numpy as np
import optuna
from collection import Faulty, programs
from figures import wilson
from mending import Mendable, mendable
from results import record, table

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.remedies.model import places
from retrograd.diagnosis.remedies.table import PROGRAM_REMEDIES

SEEDS = (0, 1, 2)
WAYS = ("as it is", "rg.fix", "random", "tuner")

Line = dict[str, Any]


def compared(program: Faulty, budget: int, seconds: float) -> Line | None:
    """The mean figures of the faulty program, and of what each way makes of it; None if it is not
    one that a change to a Program may mend, or is too slow."""
    training = program.build()[0]
    faulty = None if training.fit is not None else mendable(training)
    if faulty is None or faulty.valid is faulty.train:
        return None
    faulty.run(1)  # compiles
    started = time.process_time()
    before = [_figure(faulty, seed) for seed in SEEDS]
    if time.process_time() - started > seconds * len(SEEDS):
        return None
    found = rg.fix(faulty, seeds=SEEDS, budget=budget, beside_random=False)
    results = {
        "as it is": statistics.fmean(before),
        "rg.fix": statistics.fmean(found.scores) if found.scores else statistics.fmean(before),
        "random": _confirmed(_at_random(faulty, budget)),
        "tuner": _confirmed(_tuned(faulty, budget)),
    }
    kept = "; ".join(trial.change for trial in found.kept)
    return {"name": program.name, "well": training.well, "kept": kept, **results}


def _figure(program: Mendable, seed: int = 0) -> float:
    """The author's figure; as low as `rg.fix` has it where there is none."""
    least = -1.0 if program.task == "regression" else 0.0
    try:
        score = program.run(seed).score
    except Exception:  # a random change may make a program that does not run
        return least
    return least if math.isnan(score) else max(score, least)


def _confirmed(best: tuple[float, Mendable]) -> float:
    figure, program = best
    return statistics.fmean([figure, *(_figure(program, seed) for seed in SEEDS[1:])])


def _at_random(faulty: Mendable, budget: int) -> tuple[float, Mendable]:
    """The best of random single remedies."""
    rng = np.random.default_rng(0)
    best = (-math.inf, faulty)
    for _ in range(budget - len(SEEDS) + 1):
        variants = PROGRAM_REMEDIES.random(faulty, "", int(rng.integers(1 << 31)))
        if not variants:
            break
        changed = variants[int(rng.integers(len(variants)))][1]
        best = max(best, (_figure(changed), changed), key=lambda each: each[0])
    return best


def _tuned(faulty: Mendable, budget: int) -> tuple[float, Mendable]:
    """The best of what the tuner tries."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.enqueue_trial(
        {"rate": faulty.options["lr"], "optimizer": "own", "batch": faulty.batch_size,
         "epochs": 1.0, "decay": 1e-6, "clip": 100.0, "width": 1.0, "depth": 0}
    )  # fmt: skip
    tried: list[tuple[float, Mendable]] = []

    def objective(trial: optuna.Trial) -> float:
        changed = _suggested(faulty, trial)
        tried.append((_figure(changed), changed))
        return tried[-1][0]

    study.optimize(objective, n_trials=budget - len(SEEDS) + 1)
    return max(tried, key=lambda each: each[0])


def _suggested(faulty: Mendable, trial: optuna.Trial) -> Mendable:
    rate = trial.suggest_float(
        "rate", min(1e-5, faulty.options["lr"]), max(1.0, faulty.options["lr"]), log=True
    )
    kind = trial.suggest_categorical("optimizer", ["own", "Adam", "AdamW", "SGD", "RMSprop"])
    rows = len(faulty.train.target)
    size = trial.suggest_int("batch", 4, max(rows, faulty.batch_size), log=True)
    times = trial.suggest_float("epochs", 0.3, 3.0, log=True)
    decay = trial.suggest_float("decay", 1e-6, 1e-1, log=True)
    clip = trial.suggest_float("clip", 1e-2, 100.0, log=True)
    width = trial.suggest_float("width", 0.25, 8.0, log=True)
    depth = trial.suggest_int("depth", 0, 2)
    build = faulty.model

    def model() -> nn.Module:
        built = build()
        return built if width == 1 and not depth else _shaped(built, width, depth)

    return replace(
        faulty,
        model=model,
        optimizer=faulty.optimizer if kind == "own" else getattr(optim, kind),
        options={"lr": rate, "weight_decay": decay} if decay > 1e-6 else {"lr": rate},
        batch_size=size,
        epochs=max(1, round(times * faulty.epochs)),
        clip_norm=clip if clip < 100 else None,
    )


def _shaped(model: nn.Module, width: float, depth: int) -> nn.Module:
    """A plain stack of linear layers with other widths, and more of its last hidden layer; any
    other network stays as it is."""
    layers = [each for _, _, each in places(model)]
    linear = [place for place, each in enumerate(layers) if isinstance(each, nn.Linear)]
    bare = all(isinstance(e, nn.Linear) or not any(True for _ in e.parameters()) for e in layers)
    if not isinstance(model, nn.Sequential) or len(linear) < 2 or not bare:
        return model
    made: list[nn.Module] = []
    for place, layer in enumerate(layers):
        if not isinstance(layer, nn.Linear):
            made.append(layer)
            continue
        inputs = layer.in_features if place == linear[0] else _times(layer.in_features, width)
        if place == linear[-1]:
            between = layers[linear[-2] + 1 : place]
            for _ in range(depth):
                made += [nn.Linear(inputs, inputs), *between]
        outputs = layer.out_features if place == linear[-1] else _times(layer.out_features, width)
        made.append(nn.Linear(inputs, outputs, bias=layer.bias is not None))
    return nn.Sequential(*made)


def _times(features: int, width: float) -> int:
    return max(1, round(features * width))


def report(lines: list[Line], budget: int, left_out: int) -> None:
    """How many each way brings back, and the table."""
    harmed = [each for each in lines if each["as it is"] < each["well"]]
    shares = []
    for way in WAYS[1:]:
        back = sum(each[way] >= each["well"] for each in harmed)
        low, high = wilson(back, len(harmed))
        share = back / max(1, len(harmed))
        shares.append(f"{way} **{back}** ({share:.0%}; {low:.0%} to {high:.0%})")
    rows = [
        (
            each["name"],
            f"{each['well']:.3g}",
            *(
                f"**{each[way]:.3g}**" if each[way] >= each["well"] else f"{each[way]:.3g}"
                for way in WAYS
            ),
            each["kept"] or "nothing",
        )
        for each in sorted(harmed, key=lambda each: each["name"])
    ]
    record(
        "field-comparison",
        "`rg.fix` beside random changes and a tuner",
        f"Faulty programs of the seen half, with {budget} trainings for each way "
        "(`python benchmarks/field/comparing.py`, whose head says how). Means of three seeds of "
        f"the author's figure, in bold where it ends well. Of {len(harmed)} that do not end well "
        f"as they are, brought back: {', '.join(shares)}. {left_out} were left out: a loop of "
        "their own, hardly any rows, or too slow a training.\n\n"
        + table(("program", "well from", *WAYS, "kept by `rg.fix`"), rows),
    )


def main() -> None:
    """Compare on what is missing, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=int, default=20, help="trainings for each way")
    parser.add_argument("--seconds", type=float, default=10, help="CPU seconds of one training")
    parser.add_argument("--results", type=Path, help="a file of JSON lines")
    parser.add_argument("--only", nargs="*", default=[], help="names of programs, only printed")
    options = parser.parse_args()
    results = (
        options.results or Path(tempfile.gettempdir()) / f"field-compared-{options.budget}.jsonl"
    )
    known = results.read_text("utf-8").splitlines() if results.exists() else []
    lines = {each["name"]: each for each in map(json.loads, known)}
    warnings.simplefilter("ignore", RuntimeWarning)
    faulty = [each for each in programs("seen") if isinstance(each, Faulty)]
    # In the order of a hash: what has been run so far is a random sample.
    for program in sorted(faulty, key=lambda each: hashlib.sha256(each.name.encode()).digest()):
        if program.name in lines or (options.only and program.name not in options.only):
            continue
        line = compared(program, options.budget, options.seconds) or {"name": program.name}
        print(line, flush=True)
        if options.only:
            continue
        lines[program.name] = line
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        whole = [each for each in lines.values() if "well" in each]
        report(whole, options.budget, len(lines) - len(whole))


if __name__ == "__main__":
    main()
