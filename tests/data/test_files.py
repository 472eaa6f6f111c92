"""A file is written whole or not at all, and a refusal says in plain words why."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retrograd.data import atomic_write
from retrograd.errors import UsageError


def test_the_file_appears_with_its_contents(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    with atomic_write(path) as part:
        part.write_bytes(b"new")
        assert part.parent == tmp_path
        assert part.suffix == ".bin"
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["weights.bin"]


def test_the_contents_are_on_the_disk_before_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def record(*arguments: Any, name: str = name, real: Callable[..., None] = real) -> None:
            calls.append(name)
            real(*arguments)

        monkeypatch.setattr(os, name, record)
    with atomic_write(tmp_path / "weights.bin") as part:
        part.write_bytes(b"new")
    assert calls == ["fsync", "replace"]


def test_it_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "atomic") as part:
        part.write_bytes(b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("failure", [ValueError("mine"), KeyboardInterrupt()])
def test_a_failing_block_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: BaseException
) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("old")

    def write_half() -> None:
        with atomic_write(path) as part:
            part.write_text("half")
            raise failure

    with pytest.raises(type(failure)):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["metrics.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_leaves_the_old_file_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"old")
    with (
        pytest.raises(UsageError) as caught,
        atomic_write(path),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        full.write(b"new")
    assert str(caught.value) == f"Cannot write {path}: the disk is full."
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["weights.bin"]


def test_a_folder_that_is_not_there_is_refused_before_the_work(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "weights.bin"
    with (
        pytest.raises(UsageError, match=r"Cannot write .*weights.bin: the folder does not exist"),
        atomic_write(path),
    ):
        pytest.fail("the block ran")


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with (
        pytest.raises(UsageError, match="a file, not a folder"),
        atomic_write(tmp_path / "runs" / "weights.bin"),
    ):
        pass


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is a folder, not a file"), atomic_write(tmp_path):
        pass
    assert [name for name in os.listdir(tmp_path.parent) if name.endswith(".part")] == []


def test_a_folder_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    # Not chmod: the tests may run as root, whom no mode stops.
    monkeypatch.setattr(Path, "touch", refuse)
    with (
        pytest.raises(UsageError, match="permission denied"),
        atomic_write(tmp_path / "weights.bin"),
    ):
        pass


def test_an_error_about_another_file_passes_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), atomic_write(tmp_path / "out.csv"):
        (tmp_path / "elsewhere").read_text()
    assert os.listdir(tmp_path) == []
