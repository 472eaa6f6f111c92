"""Texts become the numbers, flags and dates that a reader of the table takes them for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrograd.data.tables.cells import (
    MISSING_MARKERS,
    labels,
    normalized,
    read_flags,
    read_numbers,
)
from retrograd.data.tables.dates import find_layouts, read_dates


def column(values: Sequence[object]) -> pa.Array:
    return normalized(pa.chunked_array([pa.array(values)]))


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_a_number_written_by_python_reads_back_exactly(numbers: list[float]) -> None:
    assert read_numbers(column([repr(number) for number in numbers])).values.tolist() == numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$1,200", 1200),
        ("-$1,200.50", -1200.5),
        ("€ 5", 5),
        ("5 €", 5),
        ("£1,000,000", 1e6),
        ("12%", 12),
        ("12.5 %", 12.5),
        ("\u22127", -7),
        ("1 200", 1200),
        ("1'200.5", 1200.5),
        ("+4", 4),
        (" 5. ", 5),
        (".5", 0.5),
        ("1.5e3", 1500),
    ],
)
def test_money_percent_and_thousands_are_numbers(text: str, number: float) -> None:
    # "$1" beside it, so that the column is not plain numbers.
    values, wrong = read_numbers(column([text, "$1"]))
    assert values.tolist() == [number, 1]
    assert not wrong.any()


@pytest.mark.parametrize("text", ["abc", "$", "1,5", "12,34,567", "1.2.3", "--1", "1e", "0x10"])
def test_what_is_no_number_is_marked_wrong(text: str) -> None:
    values, wrong = read_numbers(column(["1", text, ""]))
    assert wrong.tolist() == [False, True, False]
    assert values[0] == 1
    assert np.isnan(values[1:]).all()


def test_a_decimal_comma_is_read_when_asked_for() -> None:
    texts = column(["1,5", "1.200,50", "12", "-1.000", "1.5"])
    values, wrong = read_numbers(texts, decimal=",")
    assert values[:4].tolist() == [1.5, 1200.5, 12, -1000]
    assert wrong.tolist() == [False, False, False, False, True]


def test_markers_nan_and_null_are_missing_in_every_type() -> None:
    assert column([*MISSING_MARKERS, "  ", None]).null_count == len(MISSING_MARKERS) + 2
    assert column([1.0, math.nan, None]).null_count == 2
    assert column([None, None]).null_count == 2


def test_flags_in_any_of_their_words() -> None:
    texts = ["true", "Yes", "Y", "t", "1", "FALSE", "no", "n", "F", "0", "?"]
    values, wrong = read_flags(column(texts))
    np.testing.assert_array_equal(values, [1] * 5 + [0] * 5 + [np.nan])
    assert not wrong.any()
    assert read_flags(column(["yes", "maybe"])).wrong.tolist() == [False, True]
    assert read_flags(column([0, 1, 2])).wrong.tolist() == [False, False, True]


def test_a_label_has_one_spelling_whatever_the_file_type() -> None:
    for values in (["3", "-4"], ["3.0", "-4.00"], [3, -4], [3.0, -4.0]):
        assert labels(column(values)).to_pylist() == ["3", "-4"]
    assert labels(column(["3.10", "v3.0"])).to_pylist() == ["3.10", "v3.0"]


LAYOUTS = {
    "year-month-day": ["%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    "month/day/year": ["%m/%d/%Y", "%m/%d/%y", "%m/%d/%Y %I:%M %p", "%m-%d-%Y"],
    "day/month/year": ["%d/%m/%Y", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S"],
    "day month-name year": ["%d %b %Y", "%d-%b-%Y", "%d %B %Y"],
    "month-name day year": ["%b %d, %Y", "%B %d, %Y"],
    "yearmonthday": ["%Y%m%d"],
}


@pytest.mark.parametrize(
    ("layout", "written"), [(layout, w) for layout, ways in LAYOUTS.items() for w in ways]
)
def test_dates_are_the_days_that_pandas_finds(layout: str, written: str) -> None:
    days = pd.date_range("1969-02-25 09:41:00", "2068-12-31", freq="97D16h")
    texts = days.strftime(written)
    expected = pd.to_datetime(texts, format=written)
    cells = column([*texts, ""])
    assert find_layouts(cells) == [layout]
    seconds, wrong = read_dates(cells, layout)
    assert not wrong.any()
    assert np.isnan(seconds[-1])
    np.testing.assert_array_equal(seconds[:-1], expected.as_unit("s").asi8)


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("2020-02-29", True),
        ("2021-02-29", False),
        ("1900-02-29", False),
        ("2000-02-29", True),
        ("2021-04-31", False),
        ("2021-13-01", False),
        ("2021-00-01", False),
        ("2021-01-00", False),
        ("2021-01-01 24:00", False),
        ("2021-01-01 10:61", False),
        ("2021-01-01 10:00:75", False),
        ("2021-01-01x", False),
    ],
)
def test_days_that_do_not_exist_are_wrong(text: str, real: bool) -> None:
    assert read_dates(column([text]), "year-month-day").wrong.tolist() == [not real]


def test_noon_and_midnight_by_the_twelve_hour_clock() -> None:
    texts = ["1/2/2021 12:00 AM", "1/2/2021 12:30 pm", "1/2/2021 1:00 p.m."]
    hours = read_dates(column(texts), "month/day/year").values / 3600 % 24
    assert hours.tolist() == [0, 12.5, 13]


def test_month_first_is_preferred_where_both_fit() -> None:
    assert find_layouts(column(["1/2/2021", "3/4/2021"])) == ["month/day/year", "day/month/year"]
    assert find_layouts(column(["1949-01", "1949-02"])) == ["year-month"]
    assert find_layouts(column(["1/2/2021", "soon"])) == []


def test_dates_of_a_parquet_file_keep_their_clock() -> None:
    days = pd.date_range("2020-01-01 06:30", periods=3)
    for kind in (pa.timestamp("ns"), pa.timestamp("us"), pa.timestamp("s"), pa.date32()):
        cells = normalized(pa.chunked_array([pa.array(days).cast(kind, safe=False)]))
        expected = days.normalize() if kind == pa.date32() else days
        np.testing.assert_array_equal(read_dates(cells, "").values, expected.as_unit("s").asi8)
