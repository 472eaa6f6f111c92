"""What systems and programs put into a folder is passed over; what is left has one order."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrograd.data.folders import class_files, files_below, is_hidden, sub_folders

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


def test_class_files_come_with_what_else_is_there(tmp_path: Path) -> None:
    for name in ("b/2.x", "a/1.x", "a/1.HEIC", "b/2.heic", "b/3", "c/4.heic", "5.x", ".d/6.x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    notes: list[str] = []
    files = class_files(tmp_path, lambda path: path.suffix == ".x", "image", "x files", notes)
    assert files == [tmp_path / "a/1.x", tmp_path / "b/2.x"]
    assert notes == [
        "Sub-folders without images are ignored: c.",
        f"1 image beside the class folders of {tmp_path}: ignored.",
        "4 files passed over, since x files are read: .heic (3), no ending (1).",
    ]
    assert class_files(tmp_path, lambda path: False, "text", "texts", notes) == []
    assert len(notes) == 3
