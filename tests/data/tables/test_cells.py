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
from retrograd.data.tables.columns import number_format
from retrograd.data.tables.dates import find_layouts, offsets, read_dates
from retrograd.data.tables.durations import read_seconds


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
        ("(1,002.00)", -1002),
        ("($1,002.00)", -1002),
        ("$(5)", -5),
        ("$-5", -5),
        ("(5 %)", -5),
        ("1,002.50-", -1002.5),
        ("\u20137", -7),
        ("1\u2009200\u202f300", 1200300),
        ("1\u2019200.5", 1200.5),
        ("12,34,567", 1234567),
        ("(1,02.00)", -102),
        ("USD 1,200", 1200),
        ("1 200.50 EUR", 1200.5),
        ("R$ 5", 5),
        ("₽5", 5),
        ("5 kr", 5),
    ],
)
def test_money_percent_and_thousands_are_numbers(text: str, number: float) -> None:
    # "$1" beside it, so that the column is not plain numbers.
    values, wrong = read_numbers(column([text, "$1"]))
    assert values.tolist() == [number, 1]
    assert not wrong.any()


@pytest.mark.parametrize(
    "text",
    [
        *("abc", "$", "1,5", "12,34", "1.2.3", "--1", "1e", "0x10", "()", "(a)", "(-1)", "0,123"),
        *("USD", "5 MPH", "-(1", "1)"),
    ],
)
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


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1.234,5", "12"], [1234.5, 12]),
        (["(1.234,50)", "0,123"], [-1234.5, 0.123]),
        (["1 234,5 €", "2"], [1234.5, 2]),
        (["1'234.5", "2"], [1234.5, 2]),
        (["1,234", "2,500"], [1234, 2500]),
        (["1,234", "0,567"], [1.234, 0.567]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["1,234.5", "1,234"], [1234.5, 1234]),
    ],
    ids=str,
)
def test_the_decimal_mark_is_the_one_with_which_all_are_numbers(
    texts: list[str], numbers: list[float]
) -> None:
    decimal, reading = number_format(column(texts))
    assert reading.values.tolist() == numbers
    assert read_numbers(column(texts), decimal).values.tolist() == numbers


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


ZERO_DATES = ["0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "00.00.0000"]


@pytest.mark.parametrize("zero", ZERO_DATES)
def test_a_date_of_zeros_is_missing(zero: str) -> None:
    cells = column(["2021-02-28", f" {zero} "])
    assert cells.to_pylist() == ["2021-02-28", None]
    assert find_layouts(cells) == ["year-month-day"]


@pytest.mark.parametrize("written", ["2021Q3", "2021-Q3", "2021 Q3", "Q3 2021", "Q3/2021"])
def test_a_quarter_is_the_day_that_it_begins(written: str) -> None:
    cells = column([written])
    (layout,) = find_layouts(cells)
    seconds = read_dates(cells, layout).values
    assert seconds.tolist() == [pd.Timestamp("2021-07-01").timestamp()]


def test_offsets_from_utc_are_those_that_pandas_finds() -> None:
    texts = ["2021-10-31T02:00:00+02:00", "2021-10-31 02:00-0330", "2021-10-31 02:00Z"]
    expected = [pd.Timestamp(text).utcoffset().total_seconds() for text in texts]
    found = offsets(column(texts), "year-month-day")
    assert found is not None
    assert found.tolist() == expected
    assert offsets(column([*texts, "2021-10-31 02:00"]), "year-month-day") is None


def test_lengths_of_time_are_the_seconds_that_pandas_finds() -> None:
    taken = pd.to_timedelta([0, 61.5, 3661, 90061, -3600, -90061], unit="s")
    for texts in ([str(each) for each in taken], pd.Series(taken).astype(str).tolist()):
        seconds, wrong = read_seconds(column([*texts, ""]))
        np.testing.assert_allclose(seconds[:-1], taken.total_seconds())
        assert np.isnan(seconds[-1])
        assert not wrong.any()
    frame = pd.DataFrame({"took": taken})
    typed = normalized(pa.chunked_array([pa.Table.from_pandas(frame)["took"].combine_chunks()]))
    np.testing.assert_allclose(read_seconds(typed).values, taken.total_seconds())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("8:15", 29700),
        ("08:15:30", 29730),
        ("8:15 pm", 72900),
        ("12:30 AM", 1800),
        ("26:00", 93600),
    ],
)
def test_times_of_day_are_seconds(text: str, seconds: float) -> None:
    assert read_seconds(column([text])).values.tolist() == [seconds]


@pytest.mark.parametrize("text", ["8:75", "8", "8:1", "soon", "8:15 xm", "1:2:3"])
def test_what_is_no_time_is_wrong(text: str) -> None:
    assert read_seconds(column([text, "8:15"])).wrong.tolist() == [True, False]


@pytest.mark.parametrize(
    "kind", [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]
)
def test_times_of_day_of_a_parquet_file_are_seconds(kind: pa.DataType) -> None:
    times = pa.array([29730, None], pa.int64()).cast(pa.duration("s"))
    ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    whole = pa.int32() if pa.types.is_time32(kind) else pa.int64()
    cells = pa.array([29730 * ticks[kind.unit], None], whole).cast(kind)
    assert normalized(pa.chunked_array([cells])).to_pylist() == [29730, None]
    assert normalized(pa.chunked_array([times])).to_pylist() == [29730, None]


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
