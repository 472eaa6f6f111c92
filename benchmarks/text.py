"""Short texts told apart, beside TF-IDF with logistic regression on the same split.

    python benchmarks/text.py [FOLDER OF DATA SETS]

Retrograd is `retrograd train --model auto` with nothing set but the seed. SST-2 comes with its
split; of each other set 10 % of the rows are held out as test, three times (seeds 0 to 2), and
Retrograd takes the rows that it stops by out of the rest. Logistic regression on TF-IDF, both
scikit-learn's with their defaults, learns from all of the rest.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
from results import record, table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from retrograd.kinds.base.kind import DataSpec
from retrograd.kinds.registry import prepare
from retrograd.kinds.table.options import TableOptions

SEEDS = range(3)
# The file, the target, the columns with text, and the accuracy that is to be reached.
DATA = {
    "SST-2": ("sst2/train.csv", ["text"], 0.81),
    "Subjectivity": ("subjectivity/subjectivity.csv", ["text"], 0.915),
    "Sentence polarity": ("sentence_polarity/sentence_polarity.csv", ["text"], 0.77),
    "AG News, 7,600 rows": ("ag_news_7600/ag_news_test.csv", ["title", "description"], 0.89),
    "SMS spam": ("sms_spam/sms_spam.csv", ["text"], 0.983),
}


def parts(path: Path, seed: int) -> tuple[Any, Any | None, Any]:
    """The training rows, the validation rows if the data has them, and the test rows."""
    frame = pd.read_csv(path, keep_default_na=False)
    if path.parent.name == "sst2":
        others = (pd.read_csv(path.with_name(name)) for name in ("dev.csv", "test.csv"))
        return frame, *others
    kept, test = train_test_split(frame, test_size=0.1, random_state=seed, stratify=frame["label"])
    return kept, None, test


def ours(kept: Any, validation: Any | None, test: Any, seed: int) -> tuple[float, int, float]:
    """Accuracy, the epochs that were run, and seconds."""
    started = time.perf_counter()
    run = prepare("table", DataSpec(kept, validation), TableOptions(target="label", seed=seed))
    history = run.fit()
    accuracy = run.model.score(run.model.read(test, [], labeled=True)).metrics["accuracy"]
    print(run.introduction)
    return accuracy, len(history.epochs), time.perf_counter() - started


def linear(kept: Any, test: Any, columns: list[str]) -> float:
    """The accuracy of TF-IDF and logistic regression."""
    joined = [each[columns].agg(" ".join, axis=1) for each in (kept, test)]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    model.fit(joined[0], kept["label"])
    return float(model.score(joined[1], test["label"]))


def main(folder: Path) -> None:
    rows = []
    for name, (path, columns, target) in DATA.items():
        figures, epochs, seconds, others = [], [], [], []
        for seed in SEEDS:
            kept, validation, test = parts(folder / path, seed)
            accuracy, run, took = ours(kept, validation, test, seed)
            figures.append(accuracy)
            epochs.append(run)
            seconds.append(took)
            others.append(linear(kept, test, columns))
            print(name, seed, f"{accuracy:.4f}", f"{others[-1]:.4f}", run, f"{took:.1f} s")
        rows.append(
            (
                name,
                f"{statistics.mean(figures):.2%}",
                f"{statistics.mean(others):.2%}",
                f"{target:.1%}",
                ", ".join(f"{each:.2%}" for each in figures),
                ", ".join(map(str, epochs)),
                f"{statistics.median(seconds):.0f}",
            )
        )
    header = (
        "data",
        "Retrograd",
        "TF-IDF, logistic regression",
        "to be reached",
        "by seed",
        "epochs",
        "seconds a run",
    )
    record(
        "text",
        "Short texts",
        "Accuracy on rows held out, means over seeds 0 to 2; `benchmarks/text.py`. `--model auto` "
        "picks the bag of n-grams for all of them. Seconds are from the table to the scores, "
        "compiling included.\n\n" + table(header, rows),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data"))
