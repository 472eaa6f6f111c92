"""Long texts read whole, and cut at 256 tokens, beside TF-IDF with logistic regression.

    python benchmarks/long_texts.py REVIEWS.csv

The file has the columns text and label: the 2,000 reviews of films of Pang & Lee 2004 (polarity
dataset 2.0), of 747 words on average. A fifth is held out as test, three times (seeds 0 to 2).
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
from results import record, table
from sklearn.model_selection import train_test_split
from text import linear

from retrograd.kinds.base.kind import DataSpec
from retrograd.kinds.registry import prepare
from retrograd.kinds.table.options import TableOptions

SEEDS = range(3)
LINEAR = "TF-IDF, logistic regression"
LIMITS = {"whole texts (default)": None, "the first 256 tokens": 256}


def ours(kept: Any, test: Any, seed: int, limit: int | None) -> tuple[float, float]:
    """Accuracy, and the processor's seconds from the table to the scores."""
    started = time.process_time()
    run = prepare(
        "table", DataSpec(kept), TableOptions(target="label", seed=seed, max_tokens=limit)
    )
    run.fit()
    accuracy = run.model.score(run.model.read(test, [], labeled=True)).metrics["accuracy"]
    return accuracy, time.process_time() - started


def main(path: Path) -> None:
    frame = pd.read_csv(path, keep_default_na=False)
    figures: dict[str, list[float]] = {name: [] for name in (*LIMITS, LINEAR)}
    seconds: dict[str, list[float]] = {name: [] for name in LIMITS}
    for seed in SEEDS:
        kept, test = train_test_split(
            frame, test_size=0.2, random_state=seed, stratify=frame["label"]
        )
        for name, limit in LIMITS.items():
            accuracy, took = ours(kept, test, seed, limit)
            figures[name].append(accuracy)
            seconds[name].append(took)
            print(seed, name, f"{accuracy:.4f}", f"{took:.1f} s", flush=True)
        figures[LINEAR].append(linear(kept, test, ["text"]))
    rows = [
        (
            name,
            f"{statistics.mean(each):.2%}",
            ", ".join(f"{one:.2%}" for one in each),
            f"{statistics.median(seconds[name]):.0f}" if name in seconds else "",
        )
        for name, each in figures.items()
    ]
    record(
        "long texts",
        "Long texts",
        "Accuracy on 400 of 2,000 reviews of films, of 747 words on average (Pang & Lee 2004), "
        "means over seeds 0 to 2; `benchmarks/long_texts.py`. `--model auto` picks the bag of "
        "n-grams, which reads them whole. Seconds are the processor's, from the table to the "
        "scores, compiling included.\n\n"
        + table(("read", "accuracy", "by seed", "seconds a run"), rows),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
