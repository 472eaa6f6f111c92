"""A run folder whose process is killed, or whose files are damaged: nothing is lost for good."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.made_manifests import made_manifest

from retrograd.errors import DataError, UsageError
from retrograd.store import RunFolder
from retrograd.store.names import CHECKPOINT, MANIFEST, OPTIONS, SCORES, WEIGHTS
from retrograd.training.history import Verdict


class Killed(BaseException):
    """The process is killed here."""


def arrays(number: int) -> dict[str, np.ndarray]:
    return {"a": np.full(4, number, np.float32)}


def write(folder: RunFolder, number: int) -> None:
    """A set of files that all say `number`; every other one has figures."""
    folder.stage_json(OPTIONS, {"number": number})
    folder.stage_arrays(WEIGHTS, arrays(number), {"epoch": str(number)})
    folder.stage_arrays(CHECKPOINT, arrays(10 * number))
    if number % 2:
        folder.stage_json(SCORES, {"number": number})
    else:
        folder.drop(SCORES)
    folder.write_manifest(made_manifest(seed=number))


def read(path: Path) -> int:
    """The number that all files say, as another process reads them."""
    folder = RunFolder.open(path)
    number = folder.manifest().seed
    assert folder.read_json(OPTIONS) == {"number": number}
    assert folder.read_about(WEIGHTS) == {"epoch": str(number)}
    np.testing.assert_array_equal(folder.read_arrays(WEIGHTS)["a"], number)
    np.testing.assert_array_equal(folder.read_arrays(CHECKPOINT)["a"], 10 * number)
    assert folder.has(SCORES) == bool(number % 2)
    assert folder.notes == []
    return number


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path / "run", "unused")
    write(folder, 1)
    write(folder, 2)
    return folder


def plain(path: Path) -> set[str]:
    return {each.name for each in path.iterdir() if "-" not in each.name}


@pytest.mark.parametrize("call", ["replace", "unlink", "fsync"])
def test_wherever_a_kill_falls_the_run_is_as_before_or_as_after(
    call: str, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = getattr(os, call), set()
    for moment in range(100):
        left = moment

        def killed(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return real(*arguments, **named)

        before = read(folder.path)
        with monkeypatch.context() as patch:
            patch.setattr(os, call, killed)
            try:
                write(RunFolder.open(folder.path), before + 1)
                is_over = True
            except Killed:
                is_over = False
        found = read(folder.path)
        assert found in (before, before + 1)
        seen.add(found - before)
        with RunFolder.open(folder.path).writing():  # the next process that trains
            assert read(folder.path) == found
        names = {MANIFEST, OPTIONS, WEIGHTS, CHECKPOINT, *([SCORES] if found % 2 else [])}
        assert plain(folder.path) == names
        assert len(list(folder.path.iterdir())) == len(names) + 2  # weights, checkpoint before
        if is_over:
            break
    assert is_over
    assert seen == {0, 1} or call == "unlink"


def test_a_damaged_newest_file_gives_way_to_the_one_before_in_words(folder: RunFolder) -> None:
    (folder.path / CHECKPOINT).write_bytes(b"torn")
    again = RunFolder.open(folder.path)
    np.testing.assert_array_equal(again.read_arrays(CHECKPOINT)["a"], 10)
    (said,) = again.notes
    assert f"{folder.path / CHECKPOINT} is damaged" in said
    assert "The one that was written before it is used." in said
    np.testing.assert_array_equal(again.read_arrays(WEIGHTS)["a"], 2)
    assert len(again.notes) == 1
    for each in folder.path.glob("checkpoint-*"):
        each.unlink()
    with pytest.raises(DataError, match="is not the file that training wrote"):
        again.read_arrays(CHECKPOINT)


def test_what_was_written_twice_is_kept_once(folder: RunFolder) -> None:
    before = sorted(folder.path.iterdir())
    write(folder, 2)
    assert sorted(folder.path.iterdir()) == before
    assert read(folder.path) == 2


def test_what_killed_writes_have_left_is_swept(folder: RunFolder) -> None:
    (folder.path / "record").mkdir()
    for name in (
        ".0a1b2c3d4e5f.part.json",
        "record/.0a1b2c3d4e5f.part",
        "scores-0a1b2c3d4e5f.json",
    ):
        (folder.path / name).touch()
    (folder.path / "explain-row-3.html").touch()
    with folder.writing():
        pass
    names = plain(folder.path)
    assert names == {MANIFEST, OPTIONS, WEIGHTS, CHECKPOINT, "record"}
    assert list((folder.path / "record").iterdir()) == []
    assert (folder.path / "explain-row-3.html").exists()


def test_a_second_process_is_refused_and_a_third_is_not(folder: RunFolder) -> None:
    with (
        folder.writing(),
        pytest.raises(UsageError, match="Another process is training the run"),
        RunFolder.open(folder.path).writing(),
    ):
        pass
    with RunFolder.open(folder.path).writing():
        pass


def test_a_folder_whose_process_was_killed_before_its_run_began_is_free(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".0a1b2c3d4e5f.part.json").touch()
    (tmp_path / "run" / "config-0a1b2c3d4e5f.json").touch()
    folder = RunFolder.create(tmp_path / "run", "unused")
    with folder.writing():
        assert list(folder.path.iterdir()) == []
    (tmp_path / "run" / "thesis.txt").touch()
    with pytest.raises(UsageError, match="exists already"):
        RunFolder.create(tmp_path / "run", "unused")
    with pytest.raises(UsageError, match="was filled by another process"), folder.writing():
        pass


def test_a_link_to_a_folder_is_emptied_and_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    folder = RunFolder.create(tmp_path / "link", "unused")
    write(folder, 1)
    (folder.path / "record").mkdir()
    folder.remove()
    assert list((tmp_path / "real").iterdir()) == []
    assert (tmp_path / "link").is_symlink()


def test_a_file_that_is_no_json_however_deep_is_named(folder: RunFolder) -> None:
    (folder.path / MANIFEST).write_text("[" * 100_000)
    with pytest.raises(DataError, match=r"manifest\.json is damaged"):
        RunFolder.open(folder.path)


def test_the_verdict_is_committed_with_the_files(folder: RunFolder) -> None:
    folder.write_manifest(made_manifest(seed=2, verdict=Verdict.CONVERGED))
    assert read(folder.path) == 2
    assert folder.manifest().verdict is Verdict.CONVERGED
