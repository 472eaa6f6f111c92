"""Each column's kind is what a person would say; a table that cannot be learned is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retrograd.data import Preprocessor, Schema, infer_schema, labeled_rows, target_values
from retrograd.errors import DataError, UsageError

ROWS = 60


def table(**columns: Any) -> pa.Table:
    """A table of 60 rows whose last column `price` has a different number in each."""
    price = [f"{100 + row}.5" for row in range(ROWS)]
    return pa.table({**columns, "price": price})


def kind_of(values: Any, name: str = "x", **asked: Any) -> str:
    filler = {"filler": [str(row % 7) for row in range(ROWS)]}
    schema = infer_schema(table(**{name: values}, **filler), "price", **asked)
    return schema.columns[0].kind


def cycle(*values: Any) -> list[Any]:
    return [values[row % len(values)] for row in range(ROWS)]


def each(text: str) -> list[str]:
    return [text.format(row) for row in range(ROWS)]


KINDS = {
    "whole numbers": ("sqft", [str(900 + 7 * row) for row in range(ROWS)], "number"),
    "decimals": ("lot", each("{}.25"), "number"),
    "few whole numbers": ("beds", cycle("1", "2", "3"), "number"),
    "money": ("fee", each("$1,{:03}"), "number"),
    "decimal commas": ("lot", each("{},25"), "number"),
    "numbers and gaps": ("sqft", cycle("1", "NA", "3", "", "5.5", "?", "-", "null"), "number"),
    "native numbers": ("sqft", [row * row for row in range(ROWS)], "number"),
    "native decimals": ("lot", [row / 3 for row in range(ROWS)], "number"),
    "an infinity": ("lot", cycle("inf", "1.5", "2"), "number"),
    "prefixed codes": ("zip", cycle("z95838", "z95823"), "category"),
    "leading zeros": ("area", cycle("00501", "10001", "02134"), "category"),
    "zip codes": ("zip", cycle("95838", "95823", "95815"), "category"),
    "few texts": ("city", cycle("Galt", "Rio Linda"), "category"),
    "counts with a top": ("beds", cycle("1", "2", "3", "4+"), "category"),
    "one text and gaps": ("pool", cycle("yes, heated", ""), "category"),
    "pandas categories": ("city", pa.array(cycle("a", "b")).dictionary_encode(), "category"),
    "yes and no": ("pool", cycle("yes", "no"), "flag"),
    "true and false": ("pool", cycle("True", "False", ""), "flag"),
    "Y and N": ("pool", cycle("Y", "N"), "flag"),
    "zero and one": ("pool", cycle("0", "1"), "flag"),
    "native flags": ("pool", cycle(True, False, None), "flag"),
    "ISO dates": ("sold", each("2020-01-01T00:{:02}:00"), "date"),
    "American dates": ("sold", cycle("1/31/2020", "2/1/2020"), "date"),
    "eight digits named a date": ("sale_date", cycle("20200131", "20200201"), "date"),
    "eight digits": ("parcel", cycle("20200131", "20200201"), "number"),
    "native dates": ("sold", pd.date_range("2020", periods=ROWS).date, "date"),
    "names of rows": ("street", each("{} Main St"), "identifier"),
    "keys": ("customerID", [str(row * 37 % ROWS) for row in range(ROWS)], "identifier"),
    "row numbers": ("No", each("{}"), "identifier"),
    "padded keys": ("code", each("{:05}"), "identifier"),
    "one text": ("state", cycle("CA"), "constant"),
    "one number": ("year", cycle("2008"), "constant"),
    "nothing": ("note", cycle("", "NA", "?"), "constant"),
    "native nothing": ("note", [None] * ROWS, "constant"),
    "sentences": ("note", each("a sunny house number {} with a garden and two trees"), "text"),
    "headlines": ("title", each("Fears for pensions after {} talks fail"), "text"),
    "addresses": ("address", each("{} Learned Place, Durham, NC 27705"), "identifier"),
    "lists": ("rooms", [[1, 2]] * ROWS, "identifier"),
}


@pytest.mark.parametrize("case", KINDS)
def test_a_column_has_the_kind_a_person_would_give_it(case: str) -> None:
    name, values, kind = KINDS[case]
    assert kind_of(values, name) == kind


def test_whole_numbers_without_a_key_for_a_name_are_numbers() -> None:
    shuffled = [str(row * 37 % ROWS) for row in range(ROWS)]
    for name in ("x", "paid", "number_of_rooms", "idaho", "no", "price_index", "row_height"):
        assert kind_of(shuffled, name) == "number"


@pytest.mark.parametrize("first", [0, 1])
def test_whole_numbers_that_count_the_rows_are_left_out_whatever_their_name(first: int) -> None:
    counted = [str(first + row) for row in range(ROWS)]
    assert kind_of(counted, "x") == "identifier"
    assert kind_of(list(map(int, counted)), "x") == "identifier"
    assert kind_of(counted, "x", kinds={"x": "number"}) == "number"
    assert kind_of([*counted[:-1], str(ROWS + 9)], "x") == "number"
    assert kind_of([str(first + 2 + row) for row in range(ROWS)], "x") == "number"
    assert kind_of([*counted[:-1], ""], "x") == "number"


def test_a_column_that_counts_the_rows_is_kept_where_there_is_no_other() -> None:
    schema = infer_schema(table(x=each("{}"), state=cycle("CA")), "price")
    assert [column.name for column in schema.features] == ["x"]
    assert any("counts the rows; kept, for no other column" in note for note in schema.notes)


@pytest.mark.parametrize(
    "name", ["id", "house_id", "houseID", "Id", "uuid", "index", "Unnamed: 0", "row", "Row Nr"]
)
def test_whole_numbers_of_nearly_every_row_are_no_feature_if_named_a_key(name: str) -> None:
    keys = [str(1000 + row * 37 % ROWS) for row in range(ROWS)]
    assert kind_of(keys, name) == "identifier"
    assert kind_of([*keys[:-6], *keys[:6]], name) == "identifier"
    assert kind_of(keys[:40] + keys[:20], name) == "number"
    assert kind_of(keys, name, kinds={name: "number"}) == "number"


def test_nearly_unique_texts_are_identifiers_and_repeated_ones_are_not() -> None:
    streets = each("{} Main St")
    assert kind_of([*streets[:-3], *streets[:3]]) == "identifier"
    assert kind_of([*streets[:20], *streets[:20], *streets[:20]]) == "category"


def test_a_rare_text_among_many_dates_or_times_is_a_missing_value() -> None:
    days = [f"2021-{row // 28 + 1:02}-{row % 28 + 1:02}" for row in range(ROWS)]
    clock = each("8:{:02}")
    for values, kind in ((days, "date"), (clock, "number")):
        schema = infer_schema(table(x=[*values[:-2], "unknown", "2021-02-30"]), "price")
        column = schema.columns[0]
        assert (column.kind, column.markers) == (kind, ("2021-02-30", "unknown"))
        assert column.missing == pytest.approx(2 / ROWS)
        assert any("'unknown' read as missing (2 rows)" in note for note in schema.notes)
        # Not where they are many.
        assert kind_of([*values[:50], *each("{}!")[:10]]) == "identifier"


def test_dates_of_zeros_are_missing_among_dates() -> None:
    days = [f"2021-{row // 28 + 1:02}-{row % 28 + 1:02}" for row in range(ROWS)]
    schema = infer_schema(table(x=[*days[:-1], "0000-00-00"]), "price")
    assert (schema.columns[0].kind, schema.columns[0].missing) == ("date", 1 / ROWS)
    assert kind_of([*days[:-1], "0000-00-00"], kinds={"x": "date"}) == "date"


SPANS = {
    "durations": pd.to_timedelta(np.arange(ROWS) ** 2, unit="min"),
    "times of day": pa.array([60 * row * row for row in range(ROWS)], pa.time32("s")),
    "texts of pandas": [f"{row % 3} days 00:{row:02}:30" for row in range(ROWS)],
    "texts of a clock": each("{}:05"),
}


@pytest.mark.parametrize("case", SPANS)
def test_times_and_lengths_of_time_are_numbers_of_seconds(case: str) -> None:
    values = {"x": SPANS[case]}
    schema = infer_schema(table(**values), "price")
    assert schema.columns[0].kind == "number"
    assert "in seconds" in schema.columns[0].reason
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert kind_of(values["x"], kinds={"x": "number"}) == "number"


def test_durations_of_a_file_with_types_read_alike_as_texts() -> None:
    spans = pd.Series(pd.to_timedelta(np.arange(ROWS) ** 2, unit="min"))
    price = np.arange(ROWS) + 0.5
    typed, texts = (
        pd.DataFrame({"took": took, "price": price}) for took in (spans, spans.astype(str))
    )
    for learned, read in ((typed, texts), (texts, typed)):
        fitted = Preprocessor.fit(learned, infer_schema(learned, "price"), seed=0)
        expected = fitted.transform(learned).numbers
        np.testing.assert_array_equal(fitted.transform(read).numbers, expected)


def test_a_duration_is_a_target_in_seconds() -> None:
    took = pd.to_timedelta(np.arange(ROWS) ** 2, unit="min")
    frame = pd.DataFrame({"x": np.arange(ROWS) / 7, "took": took})
    schema = infer_schema(frame, "took")
    assert schema.task == "regression"
    np.testing.assert_array_equal(target_values(frame, schema), took.total_seconds())


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (cycle("$5", "€7"), "with $, €, read as plain numbers"),
        (cycle("5%", "0.07"), "with % and without, read as plain numbers"),
        (cycle("$5", "7"), ""),
        (cycle("5%", "7 %"), ""),
    ],
    ids=str,
)
def test_numbers_of_several_units_are_remarked_on(values: list[str], told: str) -> None:
    schema = infer_schema(table(x=values), "price")
    assert schema.columns[0].kind == "number"
    assert [told in note for note in schema.notes] == ([True] if told else [])


def test_types_that_no_network_takes_are_said_to_be_so() -> None:
    schema = infer_schema(table(rooms=[[1, 2]] * ROWS, x=each("{}.5")), "price")
    assert schema.notes == ("Column 'rooms': values of type list<item: int64>; not supported.",)


@pytest.mark.parametrize("word", ["None", "NA", "N/A", "null"])
def test_a_frequent_word_for_nothing_is_a_class_of_a_target_of_texts(word: str) -> None:
    frame = pa.table({"x": each("{}.5"), "y": cycle("aspirin", word, "ibuprofen", "")})
    schema = infer_schema(frame, "y")
    assert set(schema.target.classes) == {"aspirin", word, "ibuprofen"}
    assert schema.target.missing == ROWS / 4
    assert any(f"{word!r} is a class of the target 'y'" in note for note in schema.notes)
    assert any("('') and are left out" in note for note in schema.notes)
    read = Schema.from_json(json.loads(json.dumps(schema.to_json())))
    assert read == schema
    kept, _ = labeled_rows(frame, read)
    expected = [
        read.target.classes.index(text) for text in cycle("aspirin", word, "ibuprofen", "") if text
    ]
    assert target_values(kept, read).tolist() == expected


@pytest.mark.parametrize(
    "values",
    [
        [*cycle("a", "b")[:-2], "None", "None"],
        cycle("1.5", "2.5", "None"),
        cycle("1", "2", "NA"),
        cycle("a", "b", "?"),
        cycle("a", "b", None),
    ],
    ids=str,
)
def test_a_word_for_nothing_is_missing_if_rare_among_numbers_or_not_a_word(
    values: list[Any],
) -> None:
    frame = pa.table({"x": each("{}.5"), "y": values})
    schema = infer_schema(frame, "y")
    assert schema.target.words == ()
    assert schema.target.missing > 0


def test_a_rare_text_among_many_numbers_is_a_missing_value() -> None:
    schema = infer_schema(table(sqft=[*each("{}")[:-2], "unknown", "unknown"]), "price")
    column = schema.columns[0]
    assert (column.kind, column.markers) == ("number", ("unknown",))
    assert column.missing == pytest.approx(2 / ROWS)
    assert any("'unknown' read as missing" in note for note in schema.notes)
    # Not where the texts are as good as numbers are.
    assert kind_of([*cycle("1", "2", "3")[:-2], "unknown", "unknown"]) == "category"
    assert kind_of(cycle(*map(str, range(21)), "low", "mid", "high", "top")) == "category"


@pytest.mark.parametrize(
    "kind", ["number", "category", "date", "flag", "identifier", "constant", "text"]
)
def test_a_kind_can_be_asked_for(kind: str) -> None:
    values = {"date": cycle("2020-01-31", "2020-02-01"), "flag": cycle("0", "1", "y")}
    schema = infer_schema(
        table(x=values.get(kind, cycle("1", "2")), filler=each("{}.5")), "price", kinds={"x": kind}
    )
    assert (schema.columns[0].kind, schema.columns[0].reason) == (kind, "as asked for")
    assert schema.columns[0].is_used == (kind not in ("identifier", "constant"))
    assert bool(schema.texts) == (kind == "text")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("number", "a number"), ("date", "a date"), ("flag", "true/false, yes/no or 1/0")],
)
def test_a_kind_that_does_not_fit_names_the_first_cell(kind: str, expected: str) -> None:
    values = {"number": "5", "date": "2020-01-31", "flag": "no"}
    texts = [*cycle(values[kind])[:-2], "cheap", "dear"]
    message = f"Column 'x', row {ROWS - 1}: found 'cheap', expected {expected}"
    with pytest.raises(DataError, match=message):
        kind_of(texts, kinds={"x": kind})


def test_kinds_and_tasks_that_do_not_exist_are_refused() -> None:
    frame = table(x=each("{}"))
    with pytest.raises(UsageError, match=r"given as 'numbr'; expected one .* Did you mean number"):
        infer_schema(frame, "price", kinds={"x": "numbr"})
    with pytest.raises(UsageError, match=r"the column 'X', which .* Did you mean x\?"):
        infer_schema(frame, "price", kinds={"X": "number"})
    with pytest.raises(UsageError, match="given for the target 'price'; give the task instead"):
        infer_schema(frame, "price", kinds={"price": "number"})
    with pytest.raises(UsageError, match="task is 'regresion'; expected regression or"):
        infer_schema(frame, "price", task="regresion")


TASKS = {
    "many numbers": (each("{}.5"), "regression"),
    "many whole numbers": (each("{}"), "regression"),
    "money": (each("$1,{:03}"), "regression"),
    "few decimals": (cycle("1.5", "2.5"), "regression"),
    "few whole numbers": (cycle("3", "4", "5"), "classification"),
    "a dozen whole numbers": (cycle(*map(str, range(12))), "regression"),
    "whole numbers that hardly repeat": (each("{}")[:7] * 3, "regression"),
    "zero and one": (cycle("0", "1"), "classification"),
    "flags": (cycle(True, False), "classification"),
    "texts": (cycle("good", "bad"), "classification"),
    "grades": (cycle("1", "2", "n.b."), "classification"),
}


@pytest.mark.parametrize("case", TASKS)
def test_the_task_follows_from_the_target(case: str) -> None:
    values, task = TASKS[case]
    schema = infer_schema(pa.table({"x": each("{}")[: len(values)], "y": values}), "y")
    assert schema.task == task


def test_the_task_can_be_asked_for() -> None:
    frame = pa.table({"x": each("{}"), "y": cycle("3", "4", "5")})
    assert infer_schema(frame, "y", task="regression").task == "regression"
    frame = pa.table({"x": each("{}"), "y": cycle(*map(str, range(20)))})
    schema = infer_schema(frame, "y", task="classification")
    assert schema.target.classes == tuple(map(str, range(20)))


def test_classes_are_in_the_order_of_numbers_or_of_the_alphabet() -> None:
    def classes(*values: Any) -> tuple[str, ...]:
        return infer_schema(pa.table({"x": each("{}"), "y": cycle(*values)}), "y").target.classes

    assert classes("10", "9", "-1") == ("-1", "9", "10")
    assert classes("yes", "no") == ("no", "yes")
    assert classes(2.0, 10.0, 1.0) == ("1", "2", "10")


TARGETS_REFUSED = {
    "all missing": (["", "NA", "?", None], "has no value in any of 4 rows"),
    "one value": (["1", "", "", ""], "Only one row has a value in the target 'y'"),
    "constant": (["5", "5", "", "5"], "'y' is always '5': there is nothing to learn"),
    "text among numbers": (["1.5", "cheap", "3.5", "4"], "row 2: found 'cheap', expected a number"),
    "infinity": (["1.5", "2", "-inf", "4"], "row 3: found '-inf', expected a finite number"),
    "native infinity": ([1.5, None, np.inf, 2.0], "row 3: found 'inf', expected a finite number"),
    "vast": (["1.5", "2", "-1e160", "4"], "'y', row 3: found '-1e160', .* at most 1e\\+150"),
    "as many classes as rows": (list("abcd"), "a different value in every row"),
    "dates": (pd.date_range("2020", periods=4), "expected numbers, texts or flags"),
    "lists": ([[1], [2], [3], [4]], "expected numbers, texts or flags"),
}


@pytest.mark.parametrize("case", TARGETS_REFUSED)
def test_a_target_that_cannot_be_learned_is_refused(case: str) -> None:
    values, message = TARGETS_REFUSED[case]
    with pytest.raises(DataError, match=message):
        infer_schema(pa.table({"x": ["1", "2", "3", "5"], "y": values}), "y")


def test_text_in_a_regression_asked_for_names_the_first_cell() -> None:
    frame = pa.table({"x": each("{}"), "y": cycle("1", "low", "high")})
    with pytest.raises(DataError, match="row 2: found 'low', expected a number"):
        infer_schema(frame, "y", task="regression")


def test_a_missing_target_suggests_near_names_and_lists_the_columns() -> None:
    message = r"no column 'Prise'. Did you mean price\? Its columns: x, price"
    with pytest.raises(DataError, match=message):
        infer_schema(table(x=each("{}")), "Prise")


def test_too_little_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError, match="has 1 row; expected at least two"):
        infer_schema(pa.table({"x": ["1"], "y": ["2"]}), "y")
    with pytest.raises(DataError, match="no other column"):
        infer_schema(pa.table({"y": ["2", "3"]}), "y")
    frame = table(key=each("k{}"), state=cycle("CA"), id=each("{}"))
    message = "No column to predict 'price' from: key .identifier.*state .constant.*id .identifier"
    with pytest.raises(DataError, match=message):
        infer_schema(frame, "price")


def test_rows_without_a_target_are_counted_and_left_out() -> None:
    frame = pa.table({"x": ["1", "2", "3", "4"], "y": ["1.5", "NA", "", "2"]})
    schema = infer_schema(frame, "y")
    assert schema.target.missing == 2
    assert schema.notes == (
        "2 of 4 rows have no value in the target 'y' ('', 'NA') and are left out.",
    )
    kept, places = labeled_rows(frame, schema)
    assert places.tolist() == [0, 3]
    assert kept["x"].to_list() == ["1", "4"]
    assert labeled_rows(kept, schema)[1].tolist() == [0, 1]
    assert target_values(kept, schema).tolist() == [1.5, 2]
    with pytest.raises(DataError, match="'y' has no value in row 2"):
        target_values(frame, schema)


def test_columns_left_out_are_noted() -> None:
    frame = table(x=each("{}.5"), street=each("{} St"), id=each("{}"), state=cycle("CA"))
    schema = infer_schema(frame, "price")
    assert [column.name for column in schema.features] == ["x"]
    assert "identifier (they name rows; --kind COLUMN=number" in schema.notes[0]
    assert schema.notes[0].endswith("street, id.")
    assert "constant (they never change): state" in schema.notes[1]


def test_an_ambiguous_date_is_noted() -> None:
    schema = infer_schema(table(sold=cycle("1/2/2020", "2/3/2020")), "price")
    assert "month/day/year; the dates fit day/month/year too" in schema.notes[0]


def test_describe_gives_the_target_then_every_column() -> None:
    schema = infer_schema(table(x=cycle("1", "2", ""), city=cycle("a", "b")), "price")
    rows = schema.describe()
    assert [row.column for row in rows] == ["price", "x", "city"]
    assert [row.kind for row in rows] == ["target", "number", "category"]
    assert rows[1].missing == pytest.approx(1 / 3)
    assert rows[0].reason == "regression: 60 different numbers"


def test_a_schema_survives_json() -> None:
    frame = table(
        x=[*each("{},5")[:-1], "unknown"], sold=cycle("1/2/2020", "2/3/2020"), city=cycle("a", "b")
    )
    for target in ("price", "city"):
        schema = infer_schema(frame, target)
        assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_frames_of_pandas_are_understood() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.5, None, 3.5, 4.5],
            "city": pd.Categorical(["a", "b", "a", None]),
            "day": pd.date_range("2020", periods=4, tz="Europe/Berlin"),
            "y": [1, 2, 3, 7],
        },
        index=[9, 8, 7, 6],
    )
    schema = infer_schema(frame, "y")
    assert [column.kind for column in schema.columns] == ["number", "category", "date"]
    mixed = pd.DataFrame({"x": [1, "a"], "y": [1, 2]})
    with pytest.raises(DataError, match="mixes values of different types"):
        infer_schema(mixed, "y")
