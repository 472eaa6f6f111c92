"""Arrays agree with scikit-learn's and pandas' figures, survive JSON, and refuse what changed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.preprocessing import KBinsDiscretizer, OrdinalEncoder, RobustScaler, StandardScaler

from retrograd.data import Preprocessor, TableArrays, infer_schema, read_table
from retrograd.datasets import sacramento_homes
from retrograd.errors import DataError, UsageError

ROWS = 400


@pytest.fixture
def frame(rng: np.random.Generator) -> pd.DataFrame:
    """One column of every kind, with gaps, as a CSV would hold it: texts."""
    area = np.exp(rng.normal(7, 1, ROWS)).round(2).astype(str)
    area[:20] = ""
    return pd.DataFrame(
        {
            "city": rng.choice(["Galt", "Elk Grove", "Rio Linda"], ROWS),
            "area": area,
            "pool": rng.choice(["yes", "no", "no"], ROWS),
            "sold": pd.date_range("2019-06-03", periods=ROWS).strftime("%Y-%m-%d"),
            "heating": rng.choice(["gas", "oil", "?"], ROWS),
            "beds": rng.integers(1, 6, ROWS).astype(str),
            "price": rng.normal(3e5, 1e5, ROWS).round(2).astype(str),
        }
    )


def fitted(frame: Any, target: str = "price", **asked: Any) -> Preprocessor:
    return Preprocessor.fit(frame, infer_schema(frame, target, **asked), seed=0)


def column(preprocessor: Preprocessor, arrays: TableArrays, name: str) -> np.ndarray[Any, Any]:
    return arrays.numbers[:, preprocessor.number_names.index(name)]


def test_the_arrays_and_their_names_belong_together(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    arrays = preprocessor.transform(frame)
    assert arrays.numbers.dtype == np.float32
    assert arrays.categories.dtype == np.int32
    assert arrays.numbers.shape == (ROWS, len(preprocessor.number_names))
    assert arrays.categories.shape == (ROWS, 2)
    assert len(arrays) == ROWS
    assert preprocessor.category_names == ("city", "heating")
    assert preprocessor.number_names[:3] == ("area", "area is missing", "pool")
    assert preprocessor.feature_names[-3:] == ("beds", "city", "heating")
    sources = dict(zip(preprocessor.feature_names, preprocessor.feature_sources, strict=True))
    assert sources["area is missing"] == "area"
    assert sources["sold day of year sin"] == "sold"
    assert sources["city"] == "city"
    assert preprocessor.cardinalities == (4, 4)
    assert preprocessor.category_levels[0] == ("unseen", "Elk Grove", "Galt", "Rio Linda")
    assert preprocessor.category_levels[1] == ("unseen", "gas", "oil", "missing")


def test_numbers_are_robustly_scaled_and_smoothly_clipped(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    numbers = column(preprocessor, preprocessor.transform(frame), "area")
    raw = pd.to_numeric(frame["area"]).to_numpy()[:, None]
    z = RobustScaler().fit_transform(raw)[:, 0]
    expected = z / np.sqrt(1 + (z / 3) ** 2)
    is_missing = np.isnan(raw[:, 0])
    np.testing.assert_allclose(numbers[~is_missing], expected[~is_missing], rtol=1e-5)
    assert np.abs(z[~is_missing]).max() > 3 > np.abs(numbers).max()


def test_a_missing_number_is_the_median_and_is_marked(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    arrays = preprocessor.transform(frame)
    is_missing = (frame["area"] == "").to_numpy()
    assert (column(preprocessor, arrays, "area")[is_missing] == 0).all()
    np.testing.assert_array_equal(column(preprocessor, arrays, "area is missing"), is_missing)
    # Seen for the first time at prediction: the median, without a mark.
    later = preprocessor.transform(frame.assign(beds=""))
    assert (column(preprocessor, later, "beds") == 0).all()
    assert "beds is missing" not in preprocessor.number_names


def test_without_a_quartile_range_the_standard_deviation_scales() -> None:
    gain = np.array([0.0] * 90 + [7000.0] * 10)
    frame = pd.DataFrame({"gain": gain, "y": np.arange(100.0)})
    numbers = fitted(frame, "y").transform(frame).numbers[:, 0]
    z = gain / StandardScaler().fit(gain[:, None]).scale_[0]
    np.testing.assert_allclose(numbers, z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)


def test_a_column_that_does_not_vary_in_training_is_zero() -> None:
    frame = pd.DataFrame({"x": [0.1, 0.1, 0.1, 9.0], "y": [1.0, 2.0, 3.0, 4.0]})
    schema = infer_schema(frame, "y")
    preprocessor = Preprocessor.fit(frame[:3], schema, seed=0)
    assert (preprocessor.transform(frame).numbers == 0).all()
    assert preprocessor.number_bins()[0].tolist() == [0, 1]


def test_infinities_are_missing_and_noted() -> None:
    frame = pd.DataFrame({"x": ["1.5", "inf", "2", "-inf", "7"], "y": [1.0, 2.0, 3.0, 4.0, 5.5]})
    preprocessor = fitted(frame, "y")
    arrays = preprocessor.transform(frame)
    note = "Column 'x': 2 infinite values read as missing."
    assert preprocessor.notes == arrays.notes == (note,)
    assert arrays.numbers[:, 1].tolist() == [0, 1, 0, 1, 0]
    assert np.isfinite(arrays.numbers).all()


def test_categories_are_numbered_from_one(frame: pd.DataFrame) -> None:
    arrays = fitted(frame).transform(frame)
    expected = OrdinalEncoder().fit_transform(frame[["city"]])[:, 0] + 1
    np.testing.assert_array_equal(arrays.categories[:, 0], expected)
    np.testing.assert_array_equal(arrays.categories[:, 1] == 3, frame["heating"] == "?")


def test_an_unseen_category_is_code_zero_and_noted(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    changed = frame.copy()
    changed.loc[3:4, "city"] = ["Folsom", ""]
    arrays = preprocessor.transform(changed)
    assert arrays.categories[3:5, 0].tolist() == [0, 0]
    assert arrays.notes == (
        "Column 'city': 2 rows with a category that was not in the training data, "
        "such as 'Folsom'.",
    )
    assert preprocessor.transform(frame).notes == ()


def test_flags_are_zero_and_one(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    pool = column(preprocessor, preprocessor.transform(frame), "pool")
    np.testing.assert_array_equal(pool, frame["pool"] == "yes")
    spelled = preprocessor.transform(frame.assign(pool=frame["pool"].map({"yes": 1, "no": 0})))
    np.testing.assert_array_equal(column(preprocessor, spelled, "pool"), pool)
    # The more frequent of the two stands for a gap.
    gaps = preprocessor.transform(frame.assign(pool=""))
    assert (column(preprocessor, gaps, "pool") == 0).all()


def test_dates_are_unfolded_as_pandas_does(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    arrays = preprocessor.transform(frame)
    day = pd.to_datetime(frame["sold"]).dt
    angle = 2 * np.pi * (day.day_of_year - 1) / 365.2425
    expected = {
        "year": day.year,
        "month": day.month,
        "day of week": day.day_of_week,
        "day of year sin": np.sin(angle),
        "day of year cos": np.cos(angle),
        "days": np.arange(ROWS),
    }
    named = [name for name in preprocessor.number_names if name.startswith("sold ")]
    assert named == [f"sold {part}" for part in expected]
    for part, values in expected.items():
        z = RobustScaler().fit_transform(np.asarray(values, float)[:, None])[:, 0]
        clipped = z / np.sqrt(1 + (z / 3) ** 2)
        found = column(preprocessor, arrays, f"sold {part}")
        np.testing.assert_allclose(found, clipped, rtol=1e-5, atol=1e-6)


def test_hours_join_where_they_vary_and_missing_dates_are_marked() -> None:
    times = pd.date_range("2020-01-01", periods=48, freq="h").strftime("%Y-%m-%d %H:%M").to_list()
    frame = pd.DataFrame({"time": [*times, "", ""], "y": np.arange(50.0)})
    preprocessor = fitted(frame, "y")
    assert "time hour sin" in preprocessor.number_names
    assert "time year" not in preprocessor.number_names
    arrays = preprocessor.transform(frame)
    assert column(preprocessor, arrays, "time is missing").sum() == 2
    assert (column(preprocessor, arrays, "time days")[-2:] == 0).all()


def test_a_regression_target_is_standardized_and_comes_back(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    target = preprocessor.target(frame)
    raw = frame["price"].astype(float).to_numpy()
    assert target.dtype == np.float32
    expected = StandardScaler().fit_transform(raw[:, None])[:, 0]
    np.testing.assert_allclose(target, expected, rtol=1e-5, atol=1e-6)
    # float32 keeps 7 digits of a target that spreads over 1e5 dollars.
    np.testing.assert_allclose(preprocessor.unscale_target(target), raw, atol=0.05)
    np.testing.assert_allclose(preprocessor.unscale_target(target[:, None])[:, 0], raw, atol=0.05)


def test_a_classification_target_is_codes_of_the_classes(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame, "city")
    target = preprocessor.target(frame)
    assert target.dtype == np.int64
    assert preprocessor.classes == ("Elk Grove", "Galt", "Rio Linda")
    assert np.array(preprocessor.classes)[target].tolist() == frame["city"].to_list()
    message = "Column 'city', row 3: found 'Folsom', expected one of the classes 'Elk Grove'"
    changed = frame.copy()
    changed.loc[2, "city"] = "Folsom"
    with pytest.raises(DataError, match=message):
        preprocessor.target(changed)


def test_a_target_without_a_value_is_refused(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    changed = frame.copy()
    changed.loc[6, "price"] = "NA"
    with pytest.raises(DataError, match="'price' has no value in row 7"):
        preprocessor.target(changed)
    with pytest.raises(DataError, match="no column 'price'"):
        preprocessor.target(frame.drop(columns="price"))


def test_prediction_needs_no_target_and_no_order(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    expected = preprocessor.transform(frame)
    shuffled = frame[sorted(frame.columns)].drop(columns="price").assign(extra=1)
    arrays = preprocessor.transform(shuffled[:7])
    np.testing.assert_array_equal(arrays.numbers, expected.numbers[:7])
    np.testing.assert_array_equal(arrays.categories, expected.categories[:7])


def test_a_missing_column_is_named(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    message = r"lacks the column that the model learns from: 'area'. Did you mean Area\?"
    with pytest.raises(DataError, match=message):
        preprocessor.transform(frame.rename(columns={"area": "Area"}))
    with pytest.raises(DataError, match=r"lacks columns .*: 'city', 'pool'"):
        preprocessor.transform(frame.drop(columns=["pool", "city"]))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("area", "big", "found 'big', expected a number"),
        ("sold", "soon", "found 'soon', expected a date written year-month-day"),
        ("pool", "maybe", "found 'maybe', expected true/false"),
    ],
)
def test_a_changed_kind_is_named_with_its_row(
    frame: pd.DataFrame, name: str, value: str, expected: str
) -> None:
    preprocessor = fitted(frame)
    changed = frame.copy()
    changed.loc[[4, 9], name] = value
    with pytest.raises(DataError, match=f"Column '{name}', row 5: {expected}"):
        preprocessor.transform(changed)


def test_text_and_native_types_give_the_same_arrays(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame)
    native = frame.assign(
        area=pd.to_numeric(frame["area"]),
        beds=frame["beds"].astype(int),
        pool=frame["pool"] == "yes",
        sold=pd.to_datetime(frame["sold"]),
        city=frame["city"].astype("category"),
    )
    expected, found = preprocessor.transform(frame), preprocessor.transform(native)
    np.testing.assert_array_equal(found.numbers, expected.numbers)
    np.testing.assert_array_equal(found.categories, expected.categories)


def test_decimal_commas_and_learned_markers_hold_at_prediction() -> None:
    area = [f"{row},5" for row in range(58)] + ["unknown", "unknown"]
    frame = pd.DataFrame({"area": area, "y": np.arange(60.0)})
    preprocessor = fitted(frame, "y")
    arrays = preprocessor.transform(pd.DataFrame({"area": ["28,5", "29", "unknown"]}))
    assert arrays.numbers[:, 1].tolist() == [0, 0, 1]
    assert arrays.numbers[0, 0] < arrays.numbers[1, 0]
    assert arrays.numbers[2, 0] == 0


def test_bins_of_different_numbers_are_the_quantile_bins_of_scikit_learn() -> None:
    raw = np.random.default_rng(1).normal(size=1000)
    frame = pd.DataFrame({"x": raw, "y": np.arange(1000.0)})
    preprocessor = fitted(frame, "y")
    (edges,) = preprocessor.number_bins()
    scaled = preprocessor.transform(frame).numbers
    binner = KBinsDiscretizer(50, strategy="quantile", quantile_method="inverted_cdf")
    np.testing.assert_allclose(edges, binner.fit(scaled).bin_edges_[0], rtol=1e-6)
    assert np.histogram(scaled, edges)[0].tolist() == [19] + [20] * 48 + [21]
    coarse = preprocessor.number_bins(max_bins=10)[0]
    assert len(coarse) == 11
    assert set(coarse.tolist()) <= set(edges.tolist())


def test_a_value_that_fills_most_rows_fills_one_bin() -> None:
    raw = np.append(np.zeros(3600), np.arange(1.0, 401))
    frame = pd.DataFrame({"x": raw, "y": np.arange(4000.0)})
    (edges,) = fitted(frame, "y").number_bins()
    # 4000 / 128 = 31 rows count for the zeros, beside 400 others: 431 // 20 = 21 shares. The first
    # lies within the zeros, whose value is an edge already.
    assert len(edges) == 21


def test_bins_rise_within_the_values_and_leave_out_missing_ones(frame: pd.DataFrame) -> None:
    preprocessor = fitted(frame.assign(area=frame["area"].where(frame.index < 60, "")))
    arrays = preprocessor.transform(frame)
    bins = preprocessor.number_bins(max_bins=16)
    assert len(bins) == arrays.numbers.shape[1]
    for edges in bins:
        assert edges.dtype == np.float32
        assert 2 <= len(edges) <= 17
        assert (np.diff(edges) > 0).all()
    by_name = dict(zip(preprocessor.number_names, bins, strict=True))
    assert by_name["pool"].tolist() == [0, 1]
    assert by_name["area is missing"].tolist() == [0, 1]
    # Of 60 values that are there: with the missing ones at the median there would be more bins.
    assert len(by_name["area"]) == 3
    assert len(by_name["beds"]) <= 5
    with pytest.raises(UsageError, match="max_bins is 0; expected 1 to 128"):
        preprocessor.number_bins(max_bins=0)


@pytest.mark.parametrize("target", ["price", "city"])
def test_json_gives_back_the_same_preprocessor(frame: pd.DataFrame, target: str) -> None:
    preprocessor = fitted(frame, target)
    # Sorted keys, so that nothing hangs on the order in a file.
    text = json.dumps(preprocessor.to_json(), sort_keys=True, allow_nan=False)
    loaded = Preprocessor.from_json(json.loads(text))
    assert loaded == preprocessor
    # Shortest decimals of float32: the digits of float64 would double the file.
    assert max(len(repr(q)) for row in preprocessor.edges for q in row) <= len("-1.23456789e-01")
    before, after = preprocessor.transform(frame), loaded.transform(frame)
    np.testing.assert_array_equal(after.numbers, before.numbers)
    np.testing.assert_array_equal(after.categories, before.categories)
    np.testing.assert_array_equal(loaded.target(frame), preprocessor.target(frame))


def test_json_of_another_version_or_damaged_is_refused(frame: pd.DataFrame) -> None:
    saved = fitted(frame).to_json()
    with pytest.raises(DataError, match=r"preprocessor of version 1, found .* of version 2"):
        Preprocessor.from_json({**saved, "version": 2})
    with pytest.raises(DataError, match="found None of version None"):
        Preprocessor.from_json({})
    for name in saved.keys() - {"format", "version"}:
        damaged = {key: value for key, value in saved.items() if key != name}
        with pytest.raises(DataError, match=f"damaged .*{name}"):
            Preprocessor.from_json(damaged)
    with pytest.raises(DataError, match="damaged"):
        Preprocessor.from_json({**saved, "numeric": saved["numeric"][1:]})


def test_the_same_seed_gives_the_same_bins_of_a_long_table() -> None:
    rows = 150_000
    frame = pa.table({"x": np.random.default_rng(0).normal(size=rows), "y": np.arange(1.0 * rows)})
    schema = infer_schema(frame, "y")
    first, again, other = (Preprocessor.fit(frame, schema, seed).edges for seed in (0, 0, 1))
    assert first == again
    assert first != other
    # Of 100,000 rows the median is good to 1.25 / sqrt(100,000) standard deviations (0.004).
    assert first[0][64] == pytest.approx(0, abs=0.02)


def test_real_house_prices_become_arrays() -> None:
    frame = read_table(sacramento_homes())
    preprocessor = fitted(frame)
    arrays = preprocessor.transform(frame)
    assert preprocessor.number_names == ("beds", "baths", "sqft", "latitude", "longitude")
    assert preprocessor.category_names == ("city", "zip", "type")
    assert preprocessor.cardinalities == (38, 69, 4)
    assert len(arrays) == 932
    assert (arrays.categories > 0).all()
