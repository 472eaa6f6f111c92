"""What systems and programs put into a folder is passed over; what is left has one order."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrograd.data.folders import files_below, is_hidden, other_endings, sub_folders

HIDDEN = [
    *("._1.txt", ".DS_Store", ".ipynb_checkpoints", "__MACOSX", "__pycache__", "~$report.txt"),
    *("Thumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN", "lost+found"),
]


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_no_data_is_passed_over(name: str, tmp_path: Path) -> None:
    assert is_hidden(name)
    (tmp_path / name).mkdir()
    (tmp_path / name / "1.txt").write_text("a copy")
    (tmp_path / "a" / name).mkdir(parents=True)
    (tmp_path / "a" / name / "2.txt").write_text("a copy")
    (tmp_path / "a" / "3.txt").write_text("a text")
    assert sub_folders(tmp_path) == [tmp_path / "a"]
    assert list(files_below(tmp_path)) == [tmp_path / "a" / "3.txt"]


@pytest.mark.parametrize("name", ["1.txt", "a_b", "_1.txt", "a~$", "x.db", "thumbs"])
def test_other_names_are_data(name: str) -> None:
    assert not is_hidden(name)


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = ["b/2.txt", "b/1.txt", "a/x.txt", "c.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = [file.relative_to(tmp_path).as_posix() for file in files_below(tmp_path)]
    assert found == ["c.txt", "a/x.txt", "b/1.txt", "b/2.txt"]


def test_files_of_other_kinds_are_counted_by_their_endings() -> None:
    files = [Path("a.HEIC"), Path("b.heic"), Path("c")]
    assert other_endings(files, "PNG and JPEG") == (
        "3 files passed over, since PNG and JPEG are read: .heic (2), no ending (1)."
    )
