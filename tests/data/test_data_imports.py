"""A table on its way to arrays imports neither pandas nor scikit-learn nor JAX."""

from __future__ import annotations

import pytest
from support.interpreters import FreshPython

JOURNEY = """
import sys
from pathlib import Path
import numpy as np
from retrograd import data

rows = [f"{n},{n % 3},{n * n}.5,2020-01-{n % 28 + 1:02},{'ab'[n % 2]},yes" for n in range(60)]
Path("t.csv").write_text("\\n".join(["id,beds,area,sold,city,pool", *rows, ",,,,,no"]))
data.write_table(data.read_table("t.csv"), "t{suffix}")
frame = data.read_table("t{suffix}")
schema = data.infer_schema(frame, "area", kinds={"beds": "category"})
frame, places = data.labeled_rows(frame, schema)
frame = data.take_rows(frame, np.arange(50))
preprocessor = data.Preprocessor.fit(frame, schema, seed=0)
arrays, target = preprocessor.transform(frame), preprocessor.target(frame)
assert len(places) == 60 and arrays.numbers.shape[0] == len(target) == 50
batches = data.Batches((arrays.numbers, arrays.categories, target), 8, np.random.default_rng(0))
assert len(list(batches)) == 7
print(*sys.modules)
"""


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_the_whole_journey_imports_no_slow_library(fresh_python: FreshPython, suffix: str) -> None:
    result = fresh_python(JOURNEY.replace("{suffix}", suffix))
    assert result.returncode == 0, result.stderr
    assert {"pandas", "sklearn", "scipy", "jax", "polars"}.isdisjoint(result.stdout.split())
