"""A schema learned from Parquet reads the same table as CSV, and the reverse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retrograd.data.tables.preprocess import Preprocessor
from retrograd.data.tables.read import read_table
from retrograd.data.tables.schema import infer_schema
from retrograd.errors import DataError

BOTH = pytest.mark.parametrize(("learned", "read"), [("parquet", "csv"), ("csv", "parquet")])


def write_both(folder: Path) -> None:
    rng = np.random.default_rng(0)
    seconds = pd.to_timedelta(rng.integers(0, 80_000_000, 60), unit="s")
    stamps = pd.Series(pd.Timestamp("2020-01-01 05:30:15") + seconds)
    flags = rng.random(60) > 0.5
    frame = pd.DataFrame(
        {
            "day": [stamp.date() for stamp in stamps],
            "at": stamps,
            "there": stamps.dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata"),
            "ok": flags,
            "price": rng.normal(size=60) + flags,
        }
    )
    frame.loc[3, ["day", "at"]] = None
    frame.to_parquet(folder / "table.parquet")
    frame.to_csv(folder / "table.csv", index=False)


@BOTH
def test_dates_timestamps_and_flags_read_alike(learned: str, read: str, tmp_path: Path) -> None:
    write_both(tmp_path)
    first, second = (read_table(tmp_path / f"table.{kind}") for kind in (learned, read))
    schema = infer_schema(first, "price")
    assert [column.kind for column in schema.columns] == ["date", "date", "date", "flag"]
    fitted = Preprocessor.fit(first, schema, seed=0)
    expected, found = fitted.transform(first), fitted.transform(second)
    np.testing.assert_array_equal(found.numbers, expected.numbers)


@BOTH
def test_days_and_flags_as_categories_read_alike(learned: str, read: str, tmp_path: Path) -> None:
    write_both(tmp_path)
    first, second = (read_table(tmp_path / f"table.{kind}") for kind in (learned, read))
    schema = infer_schema(first, "price", {"day": "category", "ok": "category"})
    fitted = Preprocessor.fit(first, schema, seed=0)
    expected, found = fitted.transform(first), fitted.transform(second)
    np.testing.assert_array_equal(found.categories, expected.categories)
    assert not found.notes


@BOTH
def test_a_target_of_true_and_false_reads_alike(learned: str, read: str, tmp_path: Path) -> None:
    write_both(tmp_path)
    first, second = (read_table(tmp_path / f"table.{kind}") for kind in (learned, read))
    fitted = Preprocessor.fit(first, infer_schema(first, "ok"), seed=0)
    np.testing.assert_array_equal(fitted.target(second), fitted.target(first))


def test_a_text_that_is_no_date_is_named_where_training_had_dates(tmp_path: Path) -> None:
    write_both(tmp_path)
    first = read_table(tmp_path / "table.parquet")
    fitted = Preprocessor.fit(first, infer_schema(first, "price"), seed=0)
    frame = pd.read_csv(tmp_path / "table.csv", dtype=str)
    frame.loc[1, "day"] = "soon"
    with pytest.raises(DataError, match=r"'?day'?.*row 2.*soon.*year-month-day"):
        fitted.transform(frame)
