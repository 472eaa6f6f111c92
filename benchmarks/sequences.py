"""Texts, signals and series: what the default recipes reach on real data.

    python benchmarks/sequences.py [FOLDER OF DATA SETS] [lstm | transformer | signals | forecasts]

Each run is `retrograd train`'s own, with the options named in its row and nothing else set. The
rows it stops by come out of the training part; test rows are looked at once, at the end.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from results import record, table

from retrograd.kinds.base.kind import DataSpec, Prepared
from retrograd.kinds.forecast.options import ForecastOptions
from retrograd.kinds.language.data import TextData
from retrograd.kinds.language.generation import continue_text
from retrograd.kinds.language.model import LanguageModel
from retrograd.kinds.language.options import LanguageOptions
from retrograd.kinds.language.windows import next_character_losses
from retrograd.kinds.registry import prepare
from retrograd.kinds.signals.options import SignalsOptions
from retrograd.training.metrics import REGRESSION, measured

SERIES = {
    "Airline passengers, monthly": ("airline-passengers", "Month", "Passengers", 12),
    "Minimum temperatures, daily": ("daily-min-temperatures", "Date", "Temp", 7),
    "Sunspots, monthly": ("monthly-sunspots", "Month", "Sunspots", 12),
    "PM2.5 in Beijing, hourly": ("pollution", "No", "pm2.5", 24),
}


def fitted(run: Prepared) -> float:
    """Train; return the seconds that it took."""
    started = time.perf_counter()
    run.fit()
    return time.perf_counter() - started


def size(run: Prepared) -> str:
    return f"{sum(p.numel() for p in run.model.network.parameters()):,}"


def epochs(run: Prepared) -> str:
    history = run.trainer.history
    return f"{history.best.epoch} of {len(history.epochs)}"


def side_by_side(model: LanguageModel, data: TextData) -> float:
    """Nats a character in windows side by side, where the first of each has nothing before it."""
    codes = model.vocabulary.encode(data.text)
    count = (len(codes) - 1) // model.context
    windows = codes[: count * model.context].reshape(count, model.context)
    following = codes[1 : count * model.context + 1].reshape(count, model.context)
    losses = [
        next_character_losses(model.predictor((windows[i : i + 512],)), following[i : i + 512])
        for i in range(0, count, 512)
    ]
    return float(np.concatenate(losses).mean())


def language(folder: Path, name: str) -> None:
    path = folder / "tinyshakespeare" / "input.txt"
    run = prepare("language-model", DataSpec(str(path)), LanguageOptions(model=name))
    seconds = fitted(run)
    scores = run.model.score(run.split.validation)
    row = (
        size(run),
        epochs(run),
        f"{seconds / 60:.1f}",
        f"**{scores.metrics['log_loss']:.3f}**",
        f"{side_by_side(run.model, run.split.validation):.3f}",
        f"{scores.metrics['accuracy']:.1%}",
    )
    started = time.perf_counter()
    text = "ROMEO:" + "".join(continue_text(run.model, "ROMEO:", 480, temperature=0.8))
    rate = 480 / (time.perf_counter() - started)
    header = ("weights", "best epoch", "minutes", "nats", "nats, side by side", "right")
    record(
        f"language-{name}",
        f"Tiny Shakespeare, by characters: `--model {name}`",
        "Validation loss in nats a character on the last tenth of the text (seed 0; "
        f"{os.cpu_count()} cores; `benchmarks/sequences.py`). Each character is asked for once, "
        "with at least 32 of the 64 that the network looks back over before it; *side by side* "
        "cuts the text into windows instead, whose first characters have less before them. The "
        f"characters' shares alone give {scores.baseline['log_loss']:.3f} nats and "
        f"{scores.baseline['accuracy']:.1%}. Target: at most 1.60 in 30 minutes on 2 cores.\n\n"
        + table(header, [row])
        + f'\n\nIts text after "ROMEO:" at temperature 0.8, seed 0 ({rate:.0f} characters a '
        f"second, compiling included):\n\n```text\n{text}\n```",
    )


def signals(folder: Path) -> None:
    path = folder / "mnist1d" / "mnist1d.npz"
    rows = []
    for name, target in (("cnn", "94 %"), ("gru", "91 %")):
        run = prepare("signals", DataSpec(str(path)), SignalsOptions(model=name))
        seconds = fitted(run)
        scores = run.model.score(run.split.test)
        accuracy = f"**{scores.metrics['accuracy']:.1%}**"
        rows.append(
            (
                f"`--model {name}`",
                size(run),
                epochs(run),
                f"{seconds:.0f}",
                accuracy,
                f"{scores.metrics['log_loss']:.3f}",
                target,
            )
        )
    header = ("model", "weights", "best epoch", "seconds", "test accuracy", "log loss", "target")
    record(
        "signals",
        "MNIST-1D",
        "4,000 signals of 40 steps to learn from, of which 15 % are held out to stop by, and 1,000 "
        "to test on (seed 0; `benchmarks/sequences.py`).\n\n" + table(header, rows),
    )


def forecasts(folder: Path) -> None:
    rows = []
    for title, (file, when, target, horizon) in SERIES.items():
        path = folder / "time_series" / f"{file}.csv"
        config = ForecastOptions(target=target, time=when, horizon=horizon)
        run = prepare("forecast", DataSpec(str(path), test=0.15), config)
        seconds = fitted(run)
        model, test = run.model, run.split.test
        truth = model.targets(test)
        answers = {"network": model.predict(test), "last value": model.naive(test, 1)}
        if model.season > 1:
            answers[f"one season ({model.season}) before"] = model.naive(test, model.season)
        for name, answer in answers.items():
            of = measured(REGRESSION, truth, answer)
            is_ours = name == "network"
            rows.append(
                (
                    f"{title}: {horizon} from {model.context}" if is_ours else "",
                    name,
                    *(f"{of[key]:.4g}" for key in ("r2", "rmse", "mae")),
                    f"{seconds:.0f}" if is_ours else "",
                )
            )
    header = ("series: horizon from context", "forecast", "R²", "RMSE", "MAE", "seconds")
    record(
        "forecasts",
        "Forecasts beside the naive ones",
        "`--task forecast` on the last 15 % of each series, every window of it; 15 % before that "
        "are held out to stop by (seed 0; `benchmarks/sequences.py`). The errors are those of all "
        "steps of the horizon, in the target's units. A season is one that the training part "
        "shows.\n\n" + table(header, rows),
    )


PARTS = {
    "lstm": partial(language, name="lstm"),
    "transformer": partial(language, name="transformer"),
    "signals": signals,
    "forecasts": forecasts,
}

if __name__ == "__main__":
    arguments = sys.argv[1:]
    chosen = [each for each in arguments if each in PARTS] or list(PARTS)
    folders = [each for each in arguments if each not in PARTS]
    for each in chosen:
        PARTS[each](Path(folders[0] if folders else "../shared/data"))
