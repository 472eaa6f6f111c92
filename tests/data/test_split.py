"""A split is a seeded partition that keeps the classes' shares where it can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrograd.data import split_rows
from retrograd.data.split import share
from retrograd.errors import DataError, UsageError


@given(n=st.integers(10, 200), fraction=st.floats(0.1, 0.9), seed=st.integers(0, 2**31))
def test_every_row_is_in_one_part(n: int, fraction: float, seed: int) -> None:
    kept, held = split_rows(n, fraction, seed)
    assert len(held) == round(n * fraction)
    assert sorted([*kept, *held]) == list(range(n))


def test_the_seed_decides() -> None:
    first, again, other = (split_rows(100, 0.2, seed)[1].tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_classes_keep_their_shares(rng: np.random.Generator) -> None:
    codes = rng.permutation(np.repeat([0, 1, 2], [700, 250, 50]))
    notes: list[str] = []
    kept, held = split_rows(1000, 0.2, 0, codes, notes)
    assert np.bincount(codes[held]).tolist() == [140, 50, 10]
    assert np.bincount(codes[kept]).tolist() == [560, 200, 40]
    assert notes == []


def test_a_class_with_one_row_stays_in_training() -> None:
    codes = np.array([0] * 50 + [1] * 48 + [2, 3])
    for seed in range(5):
        notes: list[str] = []
        kept, held = split_rows(100, 0.2, seed, codes, notes)
        assert {98, 99} <= set(kept)
        assert len(held) == 20
        assert notes == ["2 classes have a single row, which stays in training."]


def test_more_classes_than_held_out_rows_split_plainly() -> None:
    codes = np.repeat(np.arange(15), 2)
    notes: list[str] = []
    kept, held = split_rows(30, 0.2, 0, codes, notes)
    assert (len(kept), len(held)) == (24, 6)
    assert notes == [
        "6 held-out rows cannot hold 15 classes in proportion; the split ignores the classes."
    ]


@pytest.mark.parametrize(("held", "is_stratified"), [(1, False), (2, True), (8, True), (9, False)])
def test_either_part_needs_a_row_of_each_class(held: int, is_stratified: bool) -> None:
    """Of eleven rows: five of either class, and one of a class by itself."""
    codes = np.array([0] * 5 + [1] * 5 + [2])
    notes: list[str] = []
    kept, out = split_rows(11, held / 11, 0, codes, notes)
    assert (len(kept), len(out)) == (11 - held, held)
    assert ("single row" in notes[0], len(notes)) == (is_stratified, 1)
    if is_stratified:
        assert np.bincount(codes[out]).tolist() == [held // 2, held // 2]
        assert 10 in kept


@pytest.mark.parametrize("text", [None, "", "rows.csv"])
def test_what_is_no_number_is_no_share(text: str | None) -> None:
    assert share(text) is None


def test_a_share_lies_between_0_and_1() -> None:
    assert share("0.25") == 0.25
    for text in ("0", "1", "-0.5", "1.5", "nan"):
        with pytest.raises(UsageError, match=rf"between 0 and 1; found {text}\."):
            share(text)


def test_an_empty_part_and_a_wrong_fraction_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 rows cannot be split with 0.2 held out"):
        split_rows(2, 0.2, 0)
    with pytest.raises(DataError, match=r"2 rows cannot be split with 0.9 held out"):
        split_rows(2, 0.9, 0)
    with pytest.raises(DataError, match="1 row cannot be split"):
        split_rows(1, 0.5, 0)
    for fraction in (0.0, 1.0, -0.5, 20.0):
        with pytest.raises(UsageError, match="expected between 0 and 1"):
            split_rows(10, fraction, 0)
