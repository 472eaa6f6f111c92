"""A fingerprint is that of a whole row, and of nothing but the row."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from retrograd.kinds.base.fingerprints import fingerprints


def test_a_row_is_hashed_by_its_bytes() -> None:
    x = np.array([[1.5, -2.0], [0.0, 3.0]], np.float32)
    expected = [blake2b(row.tobytes(), digest_size=8).digest() for row in x]
    assert fingerprints(x).tolist() == [int.from_bytes(each, "little") for each in expected]


def test_any_change_in_any_column_is_another_row() -> None:
    x, codes, texts = np.zeros((4, 2)), np.zeros(4, np.int64), ["a", "a", "a", "a"]
    x[1, 1], codes[2], texts[3] = 1e-300, 1, "b"
    assert len({*fingerprints(x, codes, texts).tolist()}) == 4


def test_texts_do_not_run_into_one_another() -> None:
    first, second = fingerprints(["ab", "a"], ["c", "bc"])
    assert first != second


def test_columns_without_width_are_passed_over() -> None:
    x = np.arange(3.0)
    none = np.zeros((3, 0), np.int32)
    assert fingerprints(x, none).tolist() == fingerprints(x).tolist()
