"""A table's column becomes a series at equal steps, in order; what is mended is said."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
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
        (["2023-01-15", "2023-04-15", "2023-07-15"], "3 months", "2023-10"),
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
