"""Arrays of examples and their labels from an NPZ file, as NumPy's `savez` writes it.

An array's name says what it holds: `x` and `y` (or `images`, `data`, `signals` and `labels`,
`targets`), alone or with the part it belongs to: `x_train`, `y_test`, `train_images`,
`val_labels`. A name without a part belongs to the training part.
"""

from __future__ import annotations

import lzma
import math
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from retrograd.data.bombs import refuse_bomb
from retrograd.data.files import existing_file, plain_reason
from retrograd.errors import DataError
from retrograd.wording import count, listed

__all__ = ["ArraysFile", "are_arrays", "examples_kind", "read_arrays", "read_examples"]

Array = np.ndarray[Any, Any]
Part = tuple[Array, Array]

_ROLES = {
    **dict.fromkeys(("x", "data", "features", "images", "inputs", "signals"), "x"),
    **dict.fromkeys(("y", "label", "labels", "target", "targets"), "y"),
}
_PARTS = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("val", "valid", "validation"), "valid"
)
# The smallest images that people classify are scikit-learn's digits.
_LEAST_SIDE = 8
# What the standard library and NumPy raise for a file that is damaged, encrypted or no NPZ file.
_BROKEN = (
    *(ValueError, EOFError, SyntaxError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
_EXPECTED = "expected x and y, or x_train, y_train, x_test and y_test"


@dataclass(frozen=True)
class ArraysFile:
    """Examples `(n, ...)` and their labels `(n,)`, as the file has them: one pair for each part.

    `notes` say what was made of them, and what is not used.
    """

    train: Part
    valid: Part | None = None
    test: Part | None = None
    notes: tuple[str, ...] = ()


def examples_kind(data: Any) -> str | None:
    """What the examples of an NPZ file or of arrays in memory are; None for any other data.

    "images": an array called images, `(n, height, width, channels)`, `(n, side, side)`, bytes
    `(n, height, width)`, and bytes `(n, pixels)` of a square. "signals": an array called signals,
    and all others, `(n, time)` and `(n, channels, time)`.

    Only a file's headers are read. Raises DataError as `read_arrays` does for data without
    examples.
    """
    if not isinstance(data, str | os.PathLike):
        if not are_arrays(data):
            return None
        forms = {name: (x.shape, x.dtype) for name, x in _named(data)[1].items()}
    elif Path(data).suffix.lower() != ".npz":
        return None
    else:
        forms = _headers(existing_file(data))
    for name, form in forms.items():
        if _place(name) == ("train", "x"):
            return _kind_by_form(name, *form)
    raise DataError(_without_examples(data, forms))


def _kind_by_form(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    for kind in ("images", "signals"):
        if kind in name.lower():
            return kind
    if len(shape) == 4 or (len(shape) == 3 and shape[1] == shape[2] >= _LEAST_SIDE):
        return "images"
    is_square = len(shape) == 2 and math.isqrt(shape[1]) ** 2 == shape[1]
    return "images" if dtype == np.uint8 and (len(shape) == 3 or is_square) else "signals"


def _without_examples(source: object, arrays: Iterable[str]) -> str:
    return (
        f"{source} holds the arrays {listed(map(repr, arrays)) or 'none'}; {_EXPECTED}. Use these "
        "names in numpy.savez."
    )


def read_arrays(data: Any) -> ArraysFile:
    """The parts of an NPZ file, or of arrays in memory: a dict with the same names, or a pair x, y.

    No code in a file is run: arrays of Python objects are refused. Labels of shape `(n, 1)`, and
    one-hot labels `(n, classes)`, come back as `(n,)`. Raises DataError for a file that is missing,
    broken or not an NPZ file, and for arrays that are missing, empty, not numeric or of unequal
    lengths.
    """
    source, arrays, others = _named(data)
    found: dict[tuple[str, str], tuple[str, Array]] = {}
    notes: list[str] = []
    for name, array in arrays.items():
        place = _place(name)
        assert place is not None
        if place in found:
            raise DataError(
                f"{source}: {found[place][0]!r} and {name!r} both name the same part; {_EXPECTED}."
            )
        else:
            found[place] = (name, array)
    parts = {
        part: _part(source, part, found, notes)
        for part in ("train", "valid", "test")
        if (part, "x") in found or (part, "y") in found
    }
    if "train" not in parts:
        raise DataError(_without_examples(source, [*arrays, *others]))
    shapes = {part: x.shape[1:] for part, (x, _) in parts.items()}
    if len(set(shapes.values())) > 1:
        raise DataError(f"{source}: the parts' examples have different shapes, {shapes}.")
    if others:
        notes.append(f"Not used: {listed(map(repr, others))}, neither examples nor labels.")
    return ArraysFile(**parts, notes=tuple(notes))


def are_arrays(data: Any) -> bool:
    """Whether `read_arrays` takes these values in memory: examples of two axes or more.

    A pair whose examples have two axes is a table, as in scikit-learn.
    """
    if isinstance(data, tuple) and len(data) == 2:
        return np.ndim(data[0]) > 2
    if not isinstance(data, Mapping):
        return False
    return any(
        (_place(str(name)) or ("", ""))[1] == "x" and np.ndim(x) > 1 for name, x in data.items()
    )


def _named(data: Any) -> tuple[str, dict[str, Array], list[str]]:
    """The name of the source for messages, the arrays with a role by name, and the others' names.

    Of a file the others are not read.
    """
    if isinstance(data, str | os.PathLike):
        path = existing_file(data)
        return str(path), *_load(path)
    if isinstance(data, tuple):
        data = dict(zip(("x", "y"), data, strict=True))
    elif not isinstance(data, Mapping):
        data = {"x": data}
    arrays = {str(name): np.asarray(each) for name, each in data.items()}
    others = [name for name in arrays if _place(name) is None]
    return "The data in memory", {n: a for n, a in arrays.items() if n not in others}, others


def read_examples(data: Any) -> Array:
    """The examples alone, `(n, ...)`; labels may be missing. The test part, if there is one.

    Raises DataError as `read_arrays` does.
    """
    source, arrays, _ = _named(data)
    found = {_place(name): (name, x) for name, x in arrays.items()}
    for part in ("test", "train", "valid"):
        if (part, "x") in found:
            name, x = found[part, "x"]
            return _numbers(source, name, x)
    raise DataError(f"{source} holds no array 'x' or 'x_test'. Use that name in numpy.savez.")


def _headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """The shape and type of each array with a role, without the arrays.

    Raises DataError as `_load` does.
    """
    with _opened(path) as archive:
        found = {}
        for entry in archive.infolist():
            if _place(_name(entry)) is not None:
                with archive.open(entry) as file:
                    found[_name(entry)] = _header(file)
        return found


def _load(path: Path) -> tuple[dict[str, Array], list[str]]:
    """The arrays of an NPZ file that have a role, by name, and the names of the others."""
    arrays, others = {}, []
    with _opened(path) as archive:
        for entry in archive.infolist():
            if _place(_name(entry)) is None:
                others.append(_name(entry))
            else:
                arrays[_name(entry)] = _array(path, archive, entry)
    return arrays, others


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; what is wrong with it, also when it is read within the block, as a DataError."""
    try:
        with path.open("rb") as file:
            if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
                raise DataError(
                    f"{path} holds a single unnamed array; {_EXPECTED}, as numpy.savez writes."
                )
            with zipfile.ZipFile(file) as archive:
                yield archive
    except OSError as error:
        raise DataError(f"Cannot read {path}: {plain_reason(error)}.") from error
    except _BROKEN as error:
        why = "it is broken"
        if "Object arrays" in str(error):
            why = "it holds Python objects"
        elif "encrypted" in str(error):
            why = "it is encrypted"
        elif isinstance(error, NotImplementedError):
            why = "it is compressed in a way that this Python does not know"
        raise DataError(
            f"{path} cannot be read as an NPZ file of plain arrays: {why}. Write it with "
            "numpy.savez and arrays of numbers or texts."
        ) from error


def _array(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Array:
    """An entry's array, if it holds as much as it declares and that is no bomb."""
    with archive.open(entry) as file:
        shape, dtype = _header(file)
        declared = file.tell() + math.prod(shape) * dtype.itemsize
        # Python objects, which have another size, NumPy refuses by name.
        if declared != entry.file_size and not dtype.hasobject:
            raise ValueError(f"{entry.filename} is cut short")
    refuse_bomb(f"{path}: {_name(entry)!r}", entry.compress_size, entry.file_size)
    with archive.open(entry) as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
        return array


def _name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.removesuffix(".npy")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and type at the start of an array's entry; ValueError for anything else."""
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"a header of version {version}")
    shape, _, dtype = readers[version](file)
    if any(size < 0 for size in shape):
        raise ValueError(f"a shape of {shape}")
    return shape, dtype


def _place(name: str) -> tuple[str, str] | None:
    """The part and the role in an array's name: ("train", "x") for "X_train"."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    roles = [_ROLES[word] for word in words if word in _ROLES]
    parts = [_PARTS[word] for word in words if word in _PARTS]
    if len(roles) != 1 or len(roles) + len(parts) != len(words) or len(parts) > 1:
        return None
    return (parts[0] if parts else "train"), roles[0]


def _part(
    source: str, part: str, found: dict[tuple[str, str], tuple[str, Array]], notes: list[str]
) -> Part:
    """Examples and labels of the same length."""
    for role, missing in (("x", "y"), ("y", "x")):
        if (part, missing) not in found:
            name = found[part, role][0]
            raise DataError(
                f"{source} holds {name!r} but no array {missing!r} to go with it; {_EXPECTED}."
            )
    (x_name, x), (y_name, y) = found[part, "x"], found[part, "y"]
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    elif _is_one_hot(y):
        notes.append(f"{y_name!r} is one-hot, {y.shape}: the place of the 1 is the class, from 0.")
        y = y.argmax(1)
    x = _numbers(source, x_name, x)
    if y.dtype.kind not in "biufSU" or y.ndim != 1:
        way_out = " Of scores or probabilities, y.argmax(1) makes the classes." * (y.ndim == 2)
        raise DataError(
            f"{source}: {y_name!r} is an array of {y.dtype} and shape {y.shape}; expected one "
            f"label for each example, (n,), or one-hot labels, (n, classes).{way_out}"
        )
    if len(x) != len(y):
        raise DataError(
            f"{source}: {x_name!r} has {count(len(x), 'example')} and {y_name!r} "
            f"{count(len(y), 'label')}; expected one label for each example."
        )
    return x, y


def _is_one_hot(y: Array) -> bool:
    """Whether each row of (n, classes) has a single 1 among zeros."""
    if y.ndim != 2 or y.dtype.kind not in "biuf":
        return False
    ones = y == 1
    return bool((ones | (y == 0)).all() and (ones.sum(1) == 1).all())


def _numbers(source: str, name: str, x: Array) -> Array:
    """Examples that are finite numbers of a shape that can be learned from."""
    if x.dtype.kind not in "biuf" or x.ndim < 2 or 0 in x.shape:
        raise DataError(
            f"{source}: {name!r} is an array of {x.dtype} and shape {x.shape}; expected numbers, "
            "(n, time), (n, channels, time) or images (n, height, width)."
        )
    if x.dtype.kind == "f":
        wrong = ~np.isfinite(x).reshape(len(x), -1).all(1)
        if wrong.any():
            raise DataError(
                f"{source}: {name!r} holds values that are not finite in "
                f"{count(int(wrong.sum()), 'example')}, first in example {int(wrong.argmax())} "
                "(counted from 0). Fill them in or leave those examples out."
            )
    return x
