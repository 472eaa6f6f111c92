"""An NPZ file becomes parts by the names of its arrays, or is refused; nothing in it is run."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrograd.data.arrays import examples_kind, read_arrays, read_examples
from retrograd.data.bombs import refuse_bomb
from retrograd.errors import DataError

X = np.arange(24.0).reshape(6, 4)
Y = np.array([0, 1, 0, 1, 2, 2])


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "names",
    [
        {"train": ("x", "y"), "test": ("x_test", "y_test")},
        {"train": ("X_train", "y_train"), "test": ("X_test", "y_test")},
        {"train": ("train_images", "train_labels"), "valid": ("val_images", "val_labels")},
        {"train": ("data", "target"), "valid": ("validation-data", "validation-target")},
    ],
    ids=str,
)
def test_parts_are_known_by_the_arrays_names(names: Any, tmp_path: Path) -> None:
    arrays = {}
    for number, (x, y) in enumerate(names.values()):
        arrays |= {x: X + number, y: Y}
    found = read_arrays(npz(tmp_path, **arrays, t=np.arange(4)))
    for part in ("train", "valid", "test"):
        pair = getattr(found, part)
        if part not in names:
            assert pair is None
            continue
        np.testing.assert_array_equal(pair[0], arrays[names[part][0]])
        np.testing.assert_array_equal(pair[1], Y)
    assert found.notes == ("Not used: 't', neither examples nor labels.",)


@pytest.mark.parametrize(
    ("shape", "dtype", "kind"),
    [
        ((5, 40), "float64", "signals"),
        ((5, 3, 40), "float32", "signals"),
        ((5, 40), "int16", "signals"),
        ((5, 28, 28), "uint8", "images"),
        ((5, 32, 32, 3), "uint8", "images"),
        ((5, 32, 32, 3), "float32", "images"),
        ((5, 784), "uint8", "images"),
        ((5, 785), "uint8", "signals"),
        ((5, 28, 28), "float32", "images"),
        ((5, 28, 30), "float32", "signals"),
        ((5, 8, 8), "float64", "images"),
        ((5, 7, 7), "float64", "signals"),
    ],
)
def test_kind_is_told_by_shape_and_type(
    shape: tuple[int, ...], dtype: str, kind: str, tmp_path: Path
) -> None:
    path = npz(tmp_path, x=np.zeros(shape, dtype), y=np.zeros(5, int))
    assert examples_kind(path) == kind


def test_the_name_of_an_array_says_what_it_holds(tmp_path: Path) -> None:
    square, flat = np.zeros((5, 9, 9)), np.zeros((5, 64))
    assert examples_kind(npz(tmp_path, train_signals=square, train_labels=Y[:5])) == "signals"
    assert examples_kind(npz(tmp_path, images=flat, labels=Y[:5])) == "images"
    assert examples_kind({"images": flat, "labels": Y[:5]}) == "images"


def test_what_a_file_holds_is_told_without_loading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = npz(tmp_path, y=Y, x=np.zeros((6, 3, 40)))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the arrays were loaded")

    monkeypatch.setattr(np, "load", refuse)
    assert examples_kind(path) == "signals"


def test_a_file_without_examples_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected x and y"):
        examples_kind(npz(tmp_path, weights=X))


def test_arrays_in_memory_are_read_as_a_file_of_them_is(tmp_path: Path) -> None:
    x = X.reshape(6, 2, 2)
    of_file = read_arrays(npz(tmp_path, x=x, y=Y))
    for source in ({"x": x, "y": Y}, (x, Y)):
        assert examples_kind(source) == "signals"
        found = read_arrays(source)
        np.testing.assert_array_equal(found.train[0], of_file.train[0])
        np.testing.assert_array_equal(found.train[1], of_file.train[1])
    assert examples_kind((x.astype(np.uint8), Y)) == "images"
    np.testing.assert_array_equal(read_examples(x), x)


def test_a_pair_of_rows_and_targets_is_a_table(tmp_path: Path) -> None:
    assert examples_kind((X, Y)) is None
    assert examples_kind({"size": [1, 2], "price": [3, 4]}) is None


def test_a_column_of_labels_is_taken_as_labels(tmp_path: Path) -> None:
    assert read_arrays(npz(tmp_path, x=X, y=Y[:, None])).train[1].shape == (6,)


@pytest.mark.parametrize("dtype", ["float64", "uint8", "bool"])
def test_one_hot_labels_are_the_places_of_their_ones(dtype: str, tmp_path: Path) -> None:
    found = read_arrays(npz(tmp_path, x=X, y=np.eye(3, dtype=dtype)[Y]))
    np.testing.assert_array_equal(found.train[1], Y)
    assert found.notes == ("'y' is one-hot, (6, 3): the place of the 1 is the class, from 0.",)


class Payload:
    """What a pickle runs when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_python_objects_are_refused_and_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    bad = np.array([Payload(trap)] * 6, object)
    with pytest.raises(DataError, match=r"data\.npz.*Python objects.*numbers or texts"):
        read_arrays(npz(tmp_path, x=X, y=bad))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": X, "b": Y}, r"holds the arrays 'a', 'b'; expected x and y"),
        ({"x": X}, r"'x' but no array 'y'"),
        ({"x_train": X, "y_train": Y, "y_test": Y}, r"'y_test' but no array 'x'"),
        ({"x": X, "y": Y[:4]}, r"'x' has 6 examples and 'y' 4 labels"),
        ({"x": X[:0], "y": Y[:0]}, r"shape \(0, 4\)"),
        ({"x": X[:, 0], "y": Y}, r"shape \(6,\); expected numbers"),
        ({"x": X.astype(str), "y": Y}, r"expected numbers"),
        (
            {"x": X, "y": np.eye(6) / 2},
            r"'y' is an array of float64 and shape \(6, 6\); expected one .* y\.argmax\(1\) makes",
        ),
        ({"x": X, "y": 1 - np.eye(6)}, r"shape \(6, 6\); expected one label for each example"),
        ({"x": X, "y": Y, "data": X}, r"'x' and 'data' both name"),
        ({"x": X, "y": Y, "x_test": X[:, :2], "y_test": Y}, r"different shapes"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_arrays_that_do_not_fit_are_refused_by_name(
    arrays: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"data\.npz.*{message}"):
        read_arrays(npz(tmp_path, **arrays))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_no_number_are_refused_with_their_place(bad: float, tmp_path: Path) -> None:
    x = X.copy()
    x[3, 1] = x[5, 0] = bad
    with pytest.raises(DataError, match=r"'x'.*in 2 examples, first in example 3 \(counted"):
        read_arrays(npz(tmp_path, x=x, y=Y))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and then nothing", b"text"])
def test_a_broken_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"data\.npz.*it is broken"):
        read_arrays(path)


def damaged(path: Path, flags: dict[bytes, tuple[int, int]]) -> Path:
    """The file with a byte of each header with these first bytes, at that place, set or flipped."""
    contents = bytearray(path.read_bytes())
    for start, (place, value) in flags.items():
        at = -1
        while (at := contents.find(start, at + 1)) >= 0:
            contents[at + place] = value
    path.write_bytes(contents)
    return path


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({b"PK\3\4": (6, 1), b"PK\1\2": (8, 1)}, "it is encrypted"),
        ({b"PK\3\4": (8, 99), b"PK\1\2": (10, 99)}, "in a way that this Python does not know"),
        ({b"PK\3\4": (60, 255)}, "it is broken"),
    ],
    ids=["encrypted", "an unknown compression", "a damaged stream"],
)
def test_an_archive_that_cannot_be_unpacked_says_why(
    flags: dict[bytes, tuple[int, int]], why: str, tmp_path: Path
) -> None:
    np.savez_compressed(tmp_path / "data.npz", x=X, y=Y)
    path = damaged(tmp_path / "data.npz", flags)
    for use in (read_arrays, examples_kind):
        with pytest.raises(DataError, match=why):
            use(path)


def header(shape: tuple[int, ...]) -> bytes:
    """How an array of bytes of this shape begins."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


@pytest.mark.parametrize(
    "entry",
    [b"hello", b"", header((60_000_000_000_000, 4)), header((-1, 4)), header((2, 4)) + b"abc"],
    ids=["no array", "nothing", "a huge header", "a negative header", "cut short"],
)
def test_an_entry_that_is_not_what_it_declares_is_refused(entry: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("x.npy", entry)
    with pytest.raises(DataError, match="it is broken"):
        read_arrays(tmp_path / "data.npz")


@pytest.mark.parametrize(
    ("packed", "unpacked", "is_bomb"),
    [
        (1 << 20, 100 * (1 << 20) + 1, False),  # over a hundredfold, and small
        (1 << 25, (1 << 30) + 1, False),  # large, and less than a hundredfold
        (10_000_000, (1 << 30) + 1, True),
    ],
)
def test_a_bomb_is_large_and_more_than_a_hundredfold(
    packed: int, unpacked: int, is_bomb: bool
) -> None:
    if not is_bomb:
        refuse_bomb("data.npz", packed, unpacked)
        return
    with pytest.raises(DataError, match="unfolds from 10,000,000 bytes to 1,073,741,825"):
        refuse_bomb("data.npz", packed, unpacked)


def test_arrays_without_a_role_are_not_unfolded(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "data.npz", x=X, y=Y, junk=np.zeros(1 << 24, np.uint8))
    tracemalloc.start()
    found = read_arrays(tmp_path / "data.npz")
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()
    assert any("'junk'" in note for note in found.notes)
    np.testing.assert_array_equal(found.train[0], X)


def test_an_array_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with path.open("wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match="a single unnamed array"):
        read_arrays(path)


def test_examples_without_labels_can_be_read(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_examples(npz(tmp_path, x=X)), X)
    both = npz(tmp_path, x=X, y=Y, x_test=X + 1, y_test=Y)
    np.testing.assert_array_equal(read_examples(both), X + 1)
    with pytest.raises(DataError, match="no array 'x'"):
        read_examples(npz(tmp_path, labels=Y))
