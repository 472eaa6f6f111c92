"""House prices on real tables, beside scikit-learn's defaults on the same split.

    python benchmarks/tables.py [FOLDER OF DATA SETS]

Each data set is split 80/20 five times (seeds 0 to 4); every figure is the R² on the 20 %.
Retrograd is `retrograd train`'s own recipe with nothing set; the rows it stops by come out of the
80 %. The default MLPRegressor does not scale its target, which makes prices hopeless for it; the
one with a scaled target stands beside it as the fairer opponent.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from results import record, table
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from retrograd.kinds.base.kind import DataSpec
from retrograd.kinds.registry import prepare
from retrograd.kinds.table.options import TableOptions

SEEDS = range(5)
DATA = {
    "Sacramento": ("sacramento_homes/sacramento.csv", "price"),
    "Ames": ("ames_housing/ames.csv", "Sale_Price"),
    "California": ("california_housing/housing.csv", "median_house_value"),
}
TEXT = make_column_selector(dtype_include=["object", "str", "string", "category"])
NUMBERS = make_column_selector(dtype_include="number")


def boosting():
    """The default booster; it wants codes for texts, and treats them as categories."""
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    encode = make_column_transformer((ordinal, TEXT), remainder="passthrough")
    return make_pipeline(encode, HistGradientBoostingRegressor(random_state=0))


def perceptron(seed: int):
    """The default network in a scaling pipeline, its target as it is."""
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXT),
    )
    return make_pipeline(encode, MLPRegressor(random_state=seed))


def fair_perceptron(seed: int):
    """The same, with its target scaled too."""
    return TransformedTargetRegressor(perceptron(seed), transformer=StandardScaler())


def main(folder: Path) -> None:
    rows = []
    for name, (path, target) in DATA.items():
        frame = pd.read_csv(folder / path)
        figures: dict[str, list[float]] = {"ours": []}
        seconds = []
        for seed in SEEDS:
            kept, test = train_test_split(frame, test_size=0.2, random_state=seed)
            truth = test[target].to_numpy()
            started = time.perf_counter()
            run = prepare("table", DataSpec(kept), TableOptions(target=target, seed=seed))
            run.fit()
            rows = run.model.read(test, [], labeled=False)
            figures["ours"].append(r2_score(truth, run.model.predict(rows)))
            seconds.append(time.perf_counter() - started)
            others = {
                "boosting": boosting(),
                "perceptron": perceptron(seed),
                "fair perceptron": fair_perceptron(seed),
            }
            for other, model in others.items():
                model.fit(kept.drop(columns=target), kept[target])
                score = r2_score(truth, model.predict(test.drop(columns=target)))
                figures.setdefault(other, []).append(score)
            print(name, seed, {key: round(each[-1], 4) for key, each in figures.items()})
        rows.append(
            (
                name,
                *(f"{statistics.mean(each):.3f}" for each in figures.values()),
                ", ".join(f"{value:.3f}" for value in figures["ours"]),
                f"{statistics.median(seconds):.1f}",
            )
        )
    header = (
        "data",
        "Retrograd R²",
        "HistGradientBoosting R²",
        "MLPRegressor R²",
        "MLPRegressor, target scaled",
        "Retrograd by seed",
        "seconds a run",
    )
    record(
        "tables",
        "House prices",
        "Means over five random 80/20 splits, seeds 0 to 4; `benchmarks/tables.py`. Target: at "
        "least the default HistGradientBoostingRegressor's R² minus 0.02, and above the default "
        "MLPRegressor in a scaling pipeline.\n\n" + table(header, rows),
    )


if __name__ == "__main__":
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    # The default network often stops at its 200 iterations, and says so each time.
    warnings.simplefilter("ignore", ConvergenceWarning)
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))
