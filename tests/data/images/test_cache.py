"""Decoded images are kept on disk, found again, made anew when a file changes, and cleared away."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrograd.data.images import ImageSet, PixelFormat, cache, read_parts, sets, to_set
from retrograd.errors import DataError

Write = Callable[..., Path]
FORM = PixelFormat(1, 12, 12)


@pytest.fixture(autouse=True)
def _keeps_small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "_WORTH_KEEPING_FILES", 10)


def load(folder: Path) -> ImageSet:
    return to_set(read_parts(folder, None, None, [])["train"], FORM, 0.1, [])


def kept(home: Path) -> list[Path]:
    return sorted(home.rglob("*.npy"))


def test_files_are_decoded_once(
    tmp_path: Path, write_folder: Write, cache_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    (folder / "bar" / "004.png").write_bytes(b"no image")
    first = load(folder)
    monkeypatch.setattr(sets, "decode_files", None)  # nothing is decoded from here on
    second = load(folder)
    assert first.names == second.names
    assert "bar/004.png" not in second.names
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert len(kept(cache_home)) == 1
    assert not list(cache_home.rglob(".*"))


def test_a_file_that_changes_is_decoded_anew(
    tmp_path: Path, write_folder: Write, cache_home: Path
) -> None:
    folder = write_folder(tmp_path / "data", each=10, suffix=".bmp")  # all of one size
    load(folder)
    path = folder / "bar" / "000.bmp"
    Image.fromarray(np.full((12, 12), 9, np.uint8)).save(path)
    os.utime(path, ns=(1, 1))
    np.testing.assert_array_equal(load(folder).pixels[0], 9)
    assert len(kept(cache_home)) == 2


def test_a_damaged_array_is_made_anew(
    tmp_path: Path, write_folder: Write, cache_home: Path
) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    first = np.array(load(folder).pixels)
    (path,) = kept(cache_home)
    path.write_bytes(path.read_bytes()[:200])
    np.testing.assert_array_equal(load(folder).pixels, first)


def test_an_interrupted_decoding_leaves_nothing(
    tmp_path: Path, write_folder: Write, cache_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "data", each=10)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sets, "_fill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load(folder)
    assert not [path for path in cache_home.rglob("*") if path.is_file()]


def test_what_was_used_longest_ago_is_cleared_away(
    tmp_path: Path, write_folder: Write, cache_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [write_folder(tmp_path / name, each=10) for name in "abc"]
    for age, folder in enumerate(folders[:2]):
        before = set(kept(cache_home))
        load(folder)
        (new,) = set(kept(cache_home)) - before
        os.utime(new, (1000 + age, 1000 + age))
    load(folders[0])  # used now, so that b is the oldest
    one = kept(cache_home)[0].stat().st_size
    monkeypatch.setattr(cache, "LIMIT", 2 * one)
    load(folders[2])
    assert len(kept(cache_home)) == 2
    monkeypatch.setattr(sets, "decode_files", None)
    load(folders[0])
    load(folders[2])
    with pytest.raises(TypeError):
        load(folders[1])


@pytest.mark.parametrize("in_the_way", [True, False], ids=["no folder", "too large"])
def test_without_room_in_the_cache_files_are_decoded_all_the_same(
    tmp_path: Path,
    write_folder: Write,
    cache_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_the_way: bool,
) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    expected = np.array(load(folder).pixels)
    (tmp_path / "file").write_text("")
    if in_the_way:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    else:
        (path,) = kept(cache_home)
        path.unlink()
        monkeypatch.setattr(cache, "LIMIT", 10)
    np.testing.assert_array_equal(load(folder).pixels, expected)


def test_beyond_memory_images_are_read_from_the_cache_as_they_are_needed(
    tmp_path: Path, write_folder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    expected = np.array(load(folder).pixels)
    monkeypatch.setattr(sets, "MEMORY_BYTES", 100)
    images = load(folder)
    assert isinstance(images.pixels, np.memmap)
    chosen = images.take(np.array([7, 2, 11]))
    assert chosen.pixels.shape == (3, 1, 12, 12)
    np.testing.assert_array_equal(chosen.pixels[np.array([2, 0])], expected[[11, 7]])


def test_beyond_memory_and_cache_images_are_decoded_as_they_are_needed(
    tmp_path: Path, write_folder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "data", each=10)
    expected = np.array(load(folder).pixels)
    (folder / "dot" / "003.png").write_bytes(b"no image")
    monkeypatch.setattr(sets, "MEMORY_BYTES", 100)
    monkeypatch.setattr(cache, "LIMIT", 10)
    images = load(folder)
    assert len(images) == 19
    np.testing.assert_array_equal(
        np.concatenate(list(images.parts(6))), np.delete(expected, 13, axis=0)
    )
    (folder / "bar" / "000.png").unlink()
    with pytest.raises(DataError, match=r"can no longer be read: .*000\.png"):
        images.pixels[:3]


def test_what_a_killed_process_had_begun_is_cleared_away_after_a_day(
    tmp_path: Path, write_folder: Write, cache_home: Path
) -> None:
    cache.cache_folder().mkdir(parents=True)
    old, new = (cache.cache_folder() / f".{name}.part.npy" for name in ("0a", "0b"))
    for path, hours in ((old, 25), (new, 23)):
        path.touch()
        then = time.time() - 3600 * hours
        os.utime(path, (then, then))
    load(write_folder(tmp_path / "data", each=10))
    assert not old.exists()
    assert new.exists()
