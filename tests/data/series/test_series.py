"""A table's column becomes a series at equal steps, in order; what is mended is said."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retrograd.data.series.series import Series, read_series
from retrograd.errors import DataError


def read(times: Any, values: Any, notes: list[str] | None = None) -> Series:
    columns = {"when": times, "n": values}
    table = pa.table({name: each for name, each in columns.items() if each is not None})
    when = None if times is None else "when"
    return read_series(table, "n", when, [] if notes is None else notes)


def days(first: str, count: int) -> list[str]:
    start = datetime.date.fromisoformat(first)
    return [str(start + datetime.timedelta(days=i)) for i in range(count)]


MONTHS = [f"{year}-{month:02}" for year in (2019, 2020) for month in range(1, 13)]


@pytest.mark.parametrize(
    ("times", "apart", "following"),
    [
        (days("2020-02-27", 3), "1 day", "2020-03-01"),
        (["2023-11", "2023-12", "2024-01"], "1 month", "2024-02"),
        (["2023-08-31", "2023-09-30", "2023-10-30"], "30 days", "2023-11-29"),
        (["2023-01-15", "2023-04-15", "2023-07-15"], "3 months", "2023-10-15"),
        (
            ["2024-01-01 21:00", "2024-01-01 22:00", "2024-01-01 23:00"],
            "1 hour",
            "2024-01-02 00:00",
        ),
        (["1/1/2024 8:00", "1/1/2024 8:15", "1/1/2024 8:30"], "15 minutes", "2024-01-01 08:45"),
        ([1949, 1950, 1951], "steps of 1", "1952"),
        ([0.5, 1.0, 1.5], "steps of 0.5", "2"),
        (["0.25", "0.5", "0.75"], "steps of 0.25", "1"),
        ([20231230, 20231231, 20240101], "1 day", "2024-01-02"),
        ([datetime.datetime(2024, 1, day) for day in (7, 14, 21)], "1 week", "2024-01-28"),
        (None, "steps of 1", "4"),
    ],
    ids=str,
)
def test_the_clock_says_what_time_comes_next(times: Any, apart: str, following: str) -> None:
    series = read(times, [1.0, 2.0, 4.0])
    assert series.clock.label(3) == following
    assert series.clock.in_words() == apart


def dates(freq: str, count: int, first: str = "2020-01-31") -> list[str]:
    return [str(day.date()) for day in pd.date_range(first, periods=count, freq=freq)]


@pytest.mark.parametrize(
    ("freq", "apart"),
    [
        ("ME", "1 month"),
        ("MS", "1 month"),
        ("BME", "1 month"),
        ("QE", "3 months"),
        ("QS", "3 months"),
        ("YE", "12 months"),
        ("YS", "12 months"),
        ("YE-JUN", "12 months"),
        ("B", "1 business day"),
        ("C", "1 business day"),
        ("W", "1 week"),
        ("D", "1 day"),
    ],
)
def test_dates_of_a_calendar_go_on_as_pandas_goes_on(freq: str, apart: str) -> None:
    written = dates(freq, 40)
    notes: list[str] = []
    series = read(written[:30], np.arange(30.0), notes)
    assert series.known.all()
    assert notes == []
    assert series.clock.in_words() == apart
    assert [series.clock.label(place) for place in range(40)] == written


@pytest.mark.parametrize("week", ["Sun Mon Tue Wed Thu", "Mon Tue Wed Thu Fri Sat", "Tue Thu"])
def test_other_weeks_have_their_own_days(week: str) -> None:
    days = pd.offsets.CustomBusinessDay(weekmask=week)
    written = [str(day.date()) for day in pd.date_range("2021-03-01", periods=70, freq=days)]
    series = read(written[:60], np.arange(60.0))
    assert [series.clock.label(place) for place in range(70)] == written


def test_holidays_of_a_working_week_are_filled_in() -> None:
    written = dates("B", 60)
    notes: list[str] = []
    series = read(written[:20] + written[21:], np.arange(59.0), notes)
    assert np.flatnonzero(~series.known).tolist() == [20]
    assert series.clock.label(20) == written[20]
    assert "the first at 2020-02-28" in notes[0]


def test_a_month_that_is_left_out_is_filled_in() -> None:
    written = dates("ME", 24)
    series = read(written[:7] + written[8:], np.arange(23.0))
    assert np.flatnonzero(~series.known).tolist() == [7]
    assert [series.clock.label(place) for place in range(24)] == written


def test_a_part_of_a_calendar_keeps_its_days() -> None:
    for freq in ("ME", "BME", "B"):
        written = dates(freq, 60)
        part = read(written, np.arange(60.0)).part(17, 30)
        assert [part.clock.label(place) for place in range(13)] == written[17:30]


@pytest.mark.parametrize(
    ("times", "following"),
    [
        (["2023Q3", "2023Q4", "2024Q1"], "2024Q2"),
        (["Q3 2023", "Q4 2023", "Q1 2024"], "2024Q2"),
        (["2023-07", "2023-08", "2023-09"], "2023-10"),
        (["2022-12-30", "2023-01-30", "2023-02-28"], "2023-03-30"),
        (["2023-01-05", "2023-02-07", "2023-03-06"], "2023-04"),
    ],
    ids=str,
)
def test_months_and_quarters_are_labeled_as_they_are_written(
    times: list[str], following: str
) -> None:
    assert read(times, [1.0, 2.0, 4.0]).clock.label(3) == following


BERLIN = pd.date_range("2021-10-20", periods=480, freq="h", tz="UTC").tz_convert("Europe/Berlin")


@pytest.mark.parametrize(
    "times", [[each.isoformat() for each in BERLIN], pa.array(BERLIN)], ids=["text", "typed"]
)
def test_instants_are_counted_where_summer_time_ends(times: Any) -> None:
    notes: list[str] = []
    series = read(times, np.arange(480.0), notes)
    assert series.known.all()
    assert len(series) == 480
    assert [series.clock.label(place) for place in (0, 480)] == [
        "2021-10-20 00:00+00:00",
        "2021-11-09 00:00+00:00",
    ]
    assert "labeled, in UTC" in notes[0]


def test_local_days_are_counted_by_their_own_clock() -> None:
    days = pd.date_range("2021-10-20", periods=30, freq="D", tz="Europe/Berlin")
    notes: list[str] = []
    series = read([each.isoformat() for each in days], np.arange(30.0), notes)
    assert series.clock.label(30) == "2021-11-19"
    assert notes == []


@pytest.mark.parametrize("freq", ["h", "15min"])
def test_a_clock_without_offsets_may_be_put_forward_and_back(freq: str) -> None:
    instants = pd.date_range("2021-03-01", "2021-11-05", freq=freq, tz="UTC")
    local = instants.tz_convert("Europe/Berlin").tz_localize(None)
    notes: list[str] = []
    series = read([str(each) for each in local], np.arange(float(len(local))), notes)
    assert series.known.all()
    assert len(series) == len(local)
    assert "put forward or back by an hour 2 times" in notes[0]


def test_times_that_come_twice_for_another_reason_are_refused() -> None:
    local = [str(each) for each in BERLIN.tz_localize(None)]
    with pytest.raises(DataError, match="2021-10-31 02:00 occurs in column 'when' more than"):
        read([*local[:50], *local[55:300]], np.arange(295.0))


def test_lengths_of_time_are_steps() -> None:
    for times in (["0:15", "0:30", "0:45"], pa.array([900, 1800, 2700], pa.duration("s"))):
        assert read(times, [1.0, 2.0, 4.0]).clock.in_words() == "15 minutes"


def test_rows_out_of_order_are_sorted_and_it_is_said() -> None:
    notes: list[str] = []
    series = read(["2020-03", "2020-01", "2020-02"], [3, 1, 2], notes)
    assert series.values.tolist() == [1, 2, 3]
    assert any("not ordered by 'when'" in note for note in notes)


def test_nothing_is_said_of_a_series_that_is_in_order() -> None:
    notes: list[str] = []
    series = read(MONTHS, np.arange(24.0), notes)
    assert notes == []
    assert series.known.all()
    assert series.values.tolist() == list(range(24))


def test_times_that_occur_twice_are_refused() -> None:
    with pytest.raises(DataError, match=r"The time 2020-02 occurs in column 'when' more than once"):
        read(["2020-01", "2020-02", "2020-02", "2020-03"], [1, 2, 3, 4])


def test_gaps_and_empty_cells_take_the_value_before_and_are_remembered() -> None:
    times = days("2024-02-26", 12)
    values: list[float | None] = [float(i) ** 2 for i in range(12)]
    values[3] = None
    notes: list[str] = []
    del times[7], values[7]
    series = read(times, values, notes)
    assert len(series) == 12
    assert np.flatnonzero(~series.known).tolist() == [3, 7]
    # Nothing of the value after a gap, which may be the one to be forecast.
    assert series.values.tolist() == [0, 1, 4, 4, 16, 25, 36, 36, 64, 81, 100, 121]
    assert len(notes) == 1
    assert (
        "2 missing values of 'n' (1 of them times without a row), the first at 2024-02-29"
        in (notes[0])
    )


def test_missing_values_at_the_ends_are_left_out_and_said() -> None:
    notes: list[str] = []
    series = read(MONTHS[:6], [None, 1.0, 2.0, 3.0, None, None], notes)
    assert series.values.tolist() == [1, 2, 3]
    assert series.clock.label(0) == "2019-02"
    assert notes == ["3 rows without a value at the ends of 'n': left out."]


def test_too_many_gaps_are_refused() -> None:
    with pytest.raises(DataError, match=r"5 of 10 values of 'n' are missing.*at most 20%"):
        read([1, 2, 3, 9, 10], [1, 2, 3, 4, 5])


def test_uneven_times_are_refused_with_the_first_place() -> None:
    with pytest.raises(DataError, match=r"mostly 1 day apart, but 2024-01-03 is followed by"):
        read([*days("2024-01-01", 3), "2024-01-04 12:00", "2024-01-05 12:00"], [1, 2, 3, 4, 5])


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        (
            ["2024-01-01", "soon", "2024-01-03"],
            [1, 2, 3],
            r"'when', row 2: found 'soon', expected a date",
        ),
        (["2024-01", None, "2024-03"], [1, 2, 3], r"'when', row 2: the time is missing"),
        (["2024-01", "2024-02", "2024-03"], ["1", "2", "many"], r"'n', row 3: found 'many'"),
        (["2024-01", "2024-02"], [1, 2], r"'n' holds 2 numbers; a series needs at least 3"),
        ([1, 2, 3], [1.0, np.inf, 2.0], r"'n', row 2: found 'inf'"),
        ([1, 2, 3], [1.0, 1e160, 2.0], r"'n', row 2: found '1e\+160', .* at most 1e\+150"),
    ],
)
def test_what_is_no_series_is_refused_with_its_row(times: Any, values: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(times, values)


def test_a_column_that_is_not_there_is_refused_with_near_names() -> None:
    table = pa.table({"month": MONTHS, "sales": np.arange(24.0)})
    with pytest.raises(DataError, match=r"no column 'sale'\. Did you mean sales\?"):
        read_series(table, "sale", "month", [])
    with pytest.raises(DataError, match=r"no column 'monht'\. Did you mean month\?"):
        read_series(table, "sales", "monht", [])


def test_numbers_with_a_decimal_comma_are_read() -> None:
    assert read([1, 2, 3], ["1,5", "2,5", "3,25"]).values.tolist() == [1.5, 2.5, 3.25]


def test_a_part_keeps_its_times() -> None:
    part = read(MONTHS, np.arange(24.0)).part(5, 9)
    assert part.values.tolist() == [5, 6, 7, 8]
    assert part.clock.label(0) == "2019-06"
