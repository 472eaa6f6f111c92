"""Folders, tables, IDX and NPZ files to labeled images, and the refusals of what is none."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrograd.data.images import (
    format_of,
    holds_images,
    pixel_statistics,
    read_examples_only,
    read_parts,
    to_set,
)
from retrograd.data.images.idx import read_idx
from retrograd.data.images.labels import codes_of, judge_labels
from retrograd.errors import DataError

Write = Callable[..., Path]


def write_idx(path: Path, values: np.ndarray) -> None:
    code = {"uint8": 0x08, "float32": 0x0D, "int16": 0x0B}[values.dtype.name]
    header = bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    contents = header + values.astype(values.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(gzip.compress(contents) if path.suffix == ".gz" else contents)


# Folders ------------------------------------------------------------------------------------------


def test_sub_folders_are_classes(tmp_path: Path, write_folder: Write) -> None:
    folder = write_folder(tmp_path / "data", each=3)
    (folder / "dot" / "deeper").mkdir()
    (folder / "dot" / "000.png").rename(folder / "dot" / "deeper" / "x.PNG")
    (folder / "dot" / "notes.txt").write_text("not an image")
    (folder / ".hidden").mkdir()
    (folder / "dot" / ".DS_Store.png").write_text("")
    assert holds_images(folder)
    parts = read_parts(folder, None, None, [])
    assert list(parts) == ["train"]
    images = to_set(parts["train"], format_of(parts["train"], 64), 0.01, [])
    assert images.names == (
        "bar/000.png",
        "bar/001.png",
        "bar/002.png",
        "dot/001.png",
        "dot/002.png",
        "dot/deeper/x.PNG",
    )
    target = judge_labels(images, None, None)
    assert target.classes == ("bar", "dot")
    assert codes_of(images, target).tolist() == [0, 0, 0, 1, 1, 1]


def test_classes_that_are_numbers_are_in_their_order(tmp_path: Path, rng) -> None:
    for name in ("10", "9", "2"):
        (tmp_path / name).mkdir()
        Image.fromarray(rng.integers(0, 256, (4, 4), np.uint8)).save(tmp_path / name / "a.png")
    found = read_parts(tmp_path, None, None, [])["train"]
    assert judge_labels(to_set(found, format_of(found, 64), 0, []), None, None).classes == (
        "2",
        "9",
        "10",
    )


def test_folders_named_as_parts_are_parts(tmp_path: Path, write_folder: Write) -> None:
    for part in ("train", "Val", "test"):
        write_folder(tmp_path / part, each=2)
    parts = read_parts(tmp_path, None, None, [])
    assert {name: found.source.name for name, found in parts.items()} == {
        "train": "train",
        "valid": "Val",
        "test": "test",
    }


def test_a_class_may_be_called_train(tmp_path: Path, rng: np.random.Generator) -> None:
    for name in ("train", "plane"):
        (tmp_path / name).mkdir()
        Image.fromarray(rng.integers(0, 256, (4, 4), np.uint8)).save(tmp_path / name / "a.png")
    found = read_parts(tmp_path, None, None, [])
    assert list(found) == ["train"]
    assert found["train"].source == tmp_path
    assert found["train"].images.labels.to_pylist() == ["plane", "train"]


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    assert holds_images(tmp_path)  # rather than a table
    with pytest.raises(DataError, match="holds 1 image and no sub-folder with images"):
        read_parts(tmp_path, None, None, [])
    (tmp_path / "a.png").unlink()
    assert not holds_images(tmp_path)


def test_a_folder_of_texts_holds_no_images(tmp_path: Path) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "logo.png")
    assert not holds_images(tmp_path)


def test_images_are_known_by_any_of_their_endings(tmp_path: Path, write_folder: Write) -> None:
    folder = write_folder(tmp_path / "data", each=7, suffix=".jpg")
    for number, ending in enumerate([".jfif", ".jpe", ".JPEG", ".Jpg", ".heic", ".HEIC", ".svg"]):
        for kind in ("bar", "dot"):
            image = folder / kind / f"{number:03}.jpg"
            image.rename(image.with_suffix(ending))
    notes: list[str] = []
    found = read_parts(folder, None, None, notes)["train"]
    assert len(to_set(found, format_of(found, 64), 0, []).names) == 8
    (note,) = notes
    assert note.startswith("6 files passed over, since PNG, JPEG, ")
    assert note.endswith("are read: .heic (4), .svg (2).")


def test_an_empty_sub_folder_is_said(tmp_path: Path, write_folder: Write) -> None:
    folder = write_folder(tmp_path / "data", each=2)
    (folder / "line").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "loose.png")
    notes: list[str] = []
    read_parts(folder, None, None, notes)
    assert "without images are ignored: line." in notes[0]
    assert "1 image beside the class folders" in notes[1]


# Broken files -------------------------------------------------------------------------------------


def test_a_few_broken_images_are_named_and_left_out(tmp_path: Path, write_folder: Write) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    (folder / "bar" / "003.png").write_bytes(b"no image")
    found = read_parts(folder, None, None, [])["train"]
    notes: list[str] = []
    images = to_set(found, format_of(found, 64), 0.05, notes)
    assert len(images) == 19
    assert "bar/003.png" not in images.names
    assert "1 of 20 images cannot be read" in notes[0]
    assert "003.png: not an image" in notes[0]
    assert len(images.labels) == 19


def test_more_than_the_limit_is_an_error(tmp_path: Path, write_folder: Write) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    (folder / "bar" / "003.png").write_bytes(b"no image")
    found = read_parts(folder, None, None, [])["train"]
    with pytest.raises(DataError, match=r"1 of 20 images cannot be read; .* at most 0: .*003"):
        to_set(found, format_of(found, 64), 0.01, [])


def test_few_images_may_have_a_few_broken_ones(tmp_path: Path, write_folder: Write) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    (folder / "bar" / "003.png").write_bytes(b"no image")
    (folder / "bar" / "004.png").write_bytes(b"no image")
    found = read_parts(folder, None, None, [])["train"]
    assert len(to_set(found, format_of(found, 64), None, [])) == 18
    (folder / "bar" / "005.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"3 of 20 images cannot be read; .* at most 2: "):
        to_set(found, format_of(found, 64), None, [])


# Tables -------------------------------------------------------------------------------------------


def test_a_column_of_paths_is_found_and_read(tmp_path: Path, write_folder: Write) -> None:
    write_folder(tmp_path / "pictures", each=2)
    table = tmp_path / "table.csv"
    table.write_text(
        "id,file,kind\n"
        "1,pictures/dot/001.png,round\n"
        "2,pictures/bar/000.png,long\n"
        "3,,round\n"
        "4,pictures/bar/001.png,\n"
    )
    assert holds_images(table)
    notes: list[str] = []
    found = read_parts(table, None, "kind", notes)["train"]
    assert "2 rows without an image or a value of 'kind': left out." in notes
    images = to_set(found, format_of(found, 64), 0.01, notes)
    assert images.names == ("pictures/dot/001.png", "pictures/bar/000.png")
    assert images.frame is not None
    assert images.frame["id"].to_list() == ["1", "2"]
    target = judge_labels(images.take(np.array([0, 1, 0, 1])), "kind", None)
    assert target.classes == ("long", "round")
    assert codes_of(images, target).tolist() == [1, 0]


def test_an_image_may_have_no_ending(tmp_path: Path, write_folder: Write) -> None:
    folder = write_folder(tmp_path / "p", each=10)
    (folder / "dot" / "000.png").rename(folder / "dot" / "000")
    names = [f"p/{kind}/{number:03}.png" for kind in ("bar", "dot") for number in range(10)]
    names[10] = "p/dot/000"
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["id,kind", *(f"{name},{name[2:5]}" for name in names)]))
    assert holds_images(table)
    found = read_parts(table, None, "kind", [])["train"]
    assert len(to_set(found, format_of(found, 64), 0, [])) == 20
    (folder / "bar" / "003.png").unlink()
    with pytest.raises(DataError, match=r"p/bar/003\.png: no such file"):
        to_set(found, format_of(found, 64), 0, [])


@pytest.mark.parametrize(
    "text",
    ["a,b\n1,2\n", "photo,b\nnowhere.png,2\n", "photo,b\nx.png,1\nnot a path,2\n"],
    ids=["numbers", "files that are not there", "other texts too"],
)
def test_other_tables_hold_no_images(tmp_path: Path, text: str) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "x.png")
    (tmp_path / "table.csv").write_text(text)
    assert not holds_images(tmp_path / "table.csv")


def test_a_column_or_target_that_is_not_there_is_named(tmp_path: Path, write_folder: Write) -> None:
    write_folder(tmp_path / "p", each=1)
    table = tmp_path / "table.csv"
    table.write_text("file,kind\np/dot/000.png,round\n")
    with pytest.raises(DataError, match=r"no column 'kin'. Did you mean kind\?"):
        read_parts(table, None, "kin", [])
    with pytest.raises(DataError, match="no column 'image'"):
        read_parts(table, "image", "kind", [])
    with pytest.raises(DataError, match="--target"):
        read_parts(table, None, None, [])


# Arrays -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("joint", ["-images-idx3-ubyte", "-images.idx3-ubyte"])
def test_idx_files_are_paired_by_their_names(
    tmp_path: Path, rng: np.random.Generator, suffix: str, joint: str
) -> None:
    arrays = {}
    for part, n in (("train", 6), ("t10k", 4)):
        x, y = rng.integers(0, 256, (n, 5, 4), np.uint8), rng.integers(0, 3, n).astype(np.uint8)
        labels = joint.replace("images", "labels").replace("idx3", "idx1")
        write_idx(tmp_path / f"{part}{joint}{suffix}", x)
        write_idx(tmp_path / f"{part}{labels}{suffix}", y)
        arrays["test" if part == "t10k" else part] = x, y
    assert holds_images(tmp_path)
    assert holds_images(tmp_path / f"train{joint}{suffix}")
    parts = read_parts(tmp_path, None, None, [])
    assert set(parts) == {"train", "test"}
    for name, (x, y) in arrays.items():
        np.testing.assert_array_equal(parts[name].images[:, 0], x)
        assert parts[name].labels.to_pylist() == y.tolist()


def test_idx_holds_other_types_in_big_endian(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.standard_normal((3, 2)).astype(np.float32)
    write_idx(tmp_path / "a", values)
    found = read_idx(tmp_path / "a")
    np.testing.assert_array_equal(found, values)
    assert found.dtype.isnative


@pytest.mark.parametrize(
    "contents",
    [
        b"\0\0\x08\x46" + struct.pack(">70I", *[1] * 70) + b"x",
        b"\0\0\x08\x03" + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1),
        b"\0\0\x08\0",
    ],
    ids=["70 axes", "nothing in huge axes", "no axes"],
)
def test_an_idx_header_of_no_examples_is_refused(contents: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(contents)
    with pytest.raises(DataError, match="is not an IDX file of examples"):
        read_idx(tmp_path / "a")


def test_an_idx_file_is_unfolded_as_far_as_its_header_says(tmp_path: Path) -> None:
    header = b"\0\0\x08\x01" + struct.pack(">I", 9)
    (tmp_path / "more.gz").write_bytes(gzip.compress(header + bytes(1 << 24)))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"more than the 17 bytes that its header promises"):
        read_idx(tmp_path / "more.gz")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    huge = b"\0\0\x08\x02" + struct.pack(">2I", 1 << 20, 1 << 20)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(huge + bytes(1 << 16)))
    with pytest.raises(DataError, match=r"unfolds from [\d,]+ bytes to 1,099,511,627,776"):
        read_idx(tmp_path / "bomb.gz")


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"PK\x03\x04abc", "is not an IDX file"),
        (b"\0\0\x08\x01\0\0\0\x05abc", "not the 13 bytes that its header promises"),
        (b"", "is not an IDX file"),
    ],
)
def test_a_broken_idx_file_is_refused(tmp_path: Path, contents: bytes, message: str) -> None:
    (tmp_path / "a-images-idx3-ubyte").write_bytes(contents)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "a-images-idx3-ubyte")
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b" + contents)
    with pytest.raises(DataError, match="broken gzip"):
        read_idx(tmp_path / "a.gz")


def test_images_without_their_labels_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "a-images-idx3-ubyte", np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(DataError, match="label file a-labels-idx1-ubyte is not beside it"):
        read_parts(tmp_path, None, None, [])
    assert len(read_examples_only(tmp_path / "a-images-idx3-ubyte", None, []).images) == 2


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((6, 4, 5, 3), (6, 3, 4, 5)),
        ((6, 3, 4, 5), (6, 3, 4, 5)),
        ((6, 4, 5), (6, 1, 4, 5)),
        ((6, 16), (6, 1, 4, 4)),
    ],
)
def test_npz_arrays_of_every_layout(
    tmp_path: Path, rng: np.random.Generator, shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    x = rng.integers(0, 256, shape, np.uint8)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=[0, 1, 2] * 2, x_test=x[:2], y_test=[0, 1])
    assert holds_images(tmp_path / "a.npz")
    parts = read_parts(tmp_path / "a.npz", None, None, [])
    found = parts["train"].images
    assert found.shape == expected
    assert parts["test"].images.shape == (2, *expected[1:])
    values = x.transpose(0, 3, 1, 2) if shape[-1] == 3 else x
    np.testing.assert_array_equal(found.ravel(), values.ravel())


def test_the_units_of_pixels_are_said(tmp_path: Path) -> None:
    x = np.linspace(0, 1, 2 * 8 * 8).reshape(2, 8, 8)
    np.savez(tmp_path / "a.npz", x=x, y=[0, 1])
    notes: list[str] = []
    assert holds_images(tmp_path / "a.npz")
    read_parts(tmp_path / "a.npz", None, None, notes)
    assert "The pixels are float32 values from 0 to 1, and are learned from as they are" in notes[0]


def test_arrays_of_another_form_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    y = [0, 1]
    np.savez(tmp_path / "a.npz", x=rng.integers(0, 256, (2, 4, 4), np.uint8), y=y)
    np.savez(tmp_path / "b.npz", x=rng.random((2, 4, 4, 1)), y=y)
    a = read_parts(tmp_path / "a.npz", None, None, [])["train"]
    b = read_parts(tmp_path / "b.npz", None, None, [])["train"]
    with pytest.raises(DataError, match="float32 values; the network was trained on 4×4, gray"):
        to_set(b, format_of(a, 64), 0.01, [])


def test_a_class_that_training_did_not_know_is_refused(tmp_path: Path, write_folder: Write) -> None:
    found = read_parts(write_folder(tmp_path / "a", each=2), None, None, [])["train"]
    images = to_set(found, format_of(found, 64), 0.01, [])
    target = judge_labels(images, None, None)
    (tmp_path / "a" / "dot").rename(tmp_path / "a" / "dott")
    other = read_parts(tmp_path / "a", None, None, [])["train"]
    with pytest.raises(DataError, match="the classes 'dott', which are not in the training data"):
        codes_of(to_set(other, format_of(other, 64), 0.01, []), target)


def test_one_class_is_nothing_to_learn(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 4, 4), np.uint8), y=[1, 1, 1])
    found = read_parts(tmp_path / "a.npz", None, None, [])["train"]
    with pytest.raises(DataError, match="All 3 images belong to one class, '1'"):
        judge_labels(to_set(found, format_of(found, 64), 0, []), None, None)


def test_statistics_are_numpys(tmp_path: Path, rng: np.random.Generator) -> None:
    x = rng.integers(0, 256, (5, 4, 6, 3), np.uint8)
    x[..., 2] = 7  # never changes
    np.savez(tmp_path / "a.npz", x=x, y=[0, 1, 0, 1, 0])
    found = read_parts(tmp_path / "a.npz", None, None, [])["train"]
    mean, std = pixel_statistics(to_set(found, format_of(found, 64), 0, []))
    np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(std, [*x.std((0, 1, 2))[:2], 1], rtol=1e-12)
