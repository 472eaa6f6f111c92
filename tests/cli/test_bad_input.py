"""Bad input: one clear message, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import QUICK, Command, Result, write_houses

# Weights of some 50 kB.
WIDE = ("--epochs", "2", "--set", "width=64")
HEADER = "size,beds,city,price\n"
ROWS = "".join(f"{50 + i},{i % 4 + 1},{'AB'[i % 2]},{1000 * i + 500}\n" for i in range(30))


def refused(result: Result, *said: str) -> None:
    assert result.code == 2, result
    assert result.err.startswith(("error: ", "Usage: ")), result.err
    assert "Traceback" not in result.err + result.out
    for words in said:
        assert words in result.err, result.err


def train(retrograd: Command, *options: object, target: str = "price") -> Result:
    return retrograd("train", "data.csv", "--target", target, *QUICK, *options)


TABLES = {
    "an empty file": ("", ["data.csv", "empty"]),
    "a header only": (HEADER, ["data.csv", "row"]),
    "one row": (HEADER + "50,1,A,500\n", ["row"]),
    "duplicate columns": ("size,size,price\n1,2,3\n4,5,6\n", ["size"]),
    "a ragged row": (HEADER + ROWS + "51,2\n", ["line 32", "2", "4"]),
    "a target without values": (
        HEADER + "".join(f"{i},1,A,\n" for i in range(9)),
        ["price", "no value"],
    ),
    "a constant target": (HEADER + "".join(f"{i},1,A,7\n" for i in range(9)), ["price", "7"]),
    "an infinite target": (HEADER + ROWS + "51,2,A,inf\n", ["price", "inf"]),
    "a target whose spread no number holds": (
        HEADER + "".join(f"{i},1,A,{i + 1.5}e300\n" for i in range(30)),
        ["price", "line 2", "1.5e300", "1e+150"],
    ),
    "identifiers only": (
        "code,price\n" + "".join(f"q{i:04}w,{i * 3.5}\n" for i in range(40)),
        ["price", "code", "identifier"],
    ),
}


@pytest.mark.parametrize(("contents", "said"), TABLES.values(), ids=TABLES.keys())
def test_a_table_that_cannot_be_learned_from_is_refused(
    contents: str, said: list[str], retrograd: Command, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text(contents)
    refused(train(retrograd), "data.csv", *said)
    assert sorted(p.name for p in tmp_path.iterdir()) in (["data.csv"], ["data.csv", "runs"])
    assert not list(tmp_path.glob("runs/*"))


def test_a_large_target_is_learned(retrograd: Command, tmp_path: Path) -> None:
    contents = HEADER + "".join(f"{i},1,A,{i + 1.5}e149\n" for i in range(9))
    (tmp_path / "data.csv").write_text(contents)
    result = train(retrograd)
    assert result.code == 0, result.err


def test_a_file_that_is_not_there_is_named_with_near_names(
    retrograd: Command, tmp_path: Path
) -> None:
    write_houses(tmp_path / "houses.csv")
    refused(retrograd("train", "house.csv", "--target", "price"), "house.csv", "houses.csv")


def test_a_target_that_is_not_there_is_named_with_near_names(
    retrograd: Command, tmp_path: Path
) -> None:
    write_houses(tmp_path / "data.csv")
    refused(train(retrograd, target="prise"), "'prise'", "price")


def test_a_text_as_the_target_of_a_regression_is_named_with_its_row(
    retrograd: Command, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text(HEADER + ROWS + "51,2,A,cheap\n")
    refused(train(retrograd, "--task", "regression"), "price", "'cheap'", "line 32")


def test_rows_without_a_target_are_left_out_and_counted(retrograd: Command, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(HEADER + ROWS + "51,2,A,NaN\n52,2,A,\n")
    result = train(retrograd)
    assert result.code == 0, result.err
    assert "2 of 32" in result.out


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
def test_other_encodings_are_read(encoding: str, retrograd: Command, tmp_path: Path) -> None:
    text = (HEADER + ROWS).replace("size", "größe")
    (tmp_path / "data.csv").write_bytes(text.encode(encoding))
    result = train(retrograd)
    assert result.code == 0, result.err
    assert "größe" in result.out


def test_a_folder_that_holds_something_is_kept(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "data.csv")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    refused(train(retrograd, "--out", "mine"), "mine", "--out")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_named(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "data.csv")
    refused(train(retrograd, "--out", "data.csv/run"), "data.csv/run")


def test_a_place_where_the_system_makes_no_folder_is_named(
    retrograd: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As /proc, where the folders above are there."""
    write_houses(tmp_path / "data.csv")

    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "mkdir", refuse)
    result = train(retrograd)
    refused(result, "runs/data-1: the system makes no folder there.", "--out")


def run_with_little_disk(folder: Path, kibibytes: int, *arguments: str) -> Result:
    """The command in a process whose files the kernel stops from growing past a size."""
    limited = 'trap "" XFSZ; ulimit -f "$0"; exec "$@"'
    # Without the cache of compiled programs, whose files are larger.
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    done = subprocess.run(
        ["bash", "-c", limited, str(kibibytes), sys.executable, "-m", "retrograd", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("kibibytes", "file"), [(1, "preprocessing.json"), (4, "record/000.json")])
def test_a_disk_that_fills_while_training_leaves_no_run_behind(
    kibibytes: int, file: str, tmp_path: Path
) -> None:
    write_houses(tmp_path / "data.csv")
    result = run_with_little_disk(
        tmp_path, kibibytes, "train", "data.csv", "--target", "price", "--out", "run", *WIDE
    )
    refused(result, f"run/{file}")
    assert not (tmp_path / "run").exists()


def test_a_disk_that_fills_after_the_weights_are_written_keeps_them(
    tmp_path: Path, retrograd: Command
) -> None:
    write_houses(tmp_path / "data.csv")
    result = run_with_little_disk(
        tmp_path, 32, "train", "data.csv", "--target", "price", "--out", "run", *WIDE
    )
    refused(result, "run/checkpoint.safetensors")
    assert retrograd("evaluate", "run", "data.csv").code == 0


def test_a_disk_that_fills_while_predicting_keeps_the_old_file(trained: Path) -> None:
    (trained / "out.csv").write_text("the old predictions\n")
    result = run_with_little_disk(trained, 1, "predict", "run", "houses.csv", "--out", "out.csv")
    refused(result, "out.csv")
    assert (trained / "out.csv").read_text() == "the old predictions\n"
    assert sorted(p.name for p in trained.iterdir()) == ["houses.csv", "out.csv", "run"]


# Predicting ---------------------------------------------------------------------------------------


def test_predict_names_a_column_that_is_missing(retrograd: Command, trained: Path) -> None:
    (trained / "new.csv").write_text("size,city\n50,Berne\n60,Cusco\n")
    refused(retrograd("predict", "run", "new.csv", "--out", "p.csv"), "'beds'")
    assert not (trained / "p.csv").exists()


def test_predict_names_a_column_whose_kind_has_changed(retrograd: Command, trained: Path) -> None:
    (trained / "new.csv").write_text("size,beds,city\n50,3,Berne\nlarge,2,Cusco\n")
    refused(retrograd("predict", "run", "new.csv"), "'size'", "'large'", "line 3")


def test_predict_takes_a_category_that_training_did_not_see(
    retrograd: Command, trained: Path
) -> None:
    (trained / "new.csv").write_text("size,beds,city\n50,3,Atlantis\n60,2,Cusco\n")
    result = retrograd("predict", "run", "new.csv")
    assert result.code == 0, result.err
    assert "Atlantis" in result.err  # said, not hidden
    assert len(result.out.splitlines()) == 3


@pytest.mark.parametrize("damage", ["cut short", "edited", "gone"])
def test_weights_that_are_not_what_training_wrote_are_refused(
    damage: str, retrograd: Command, trained: Path
) -> None:
    weights = trained / "run" / "weights.safetensors"
    contents = bytearray(weights.read_bytes())
    if damage == "cut short":
        weights.write_bytes(contents[: len(contents) // 2])
    elif damage == "edited":
        contents[-1] ^= 1
        weights.write_bytes(contents)
    else:
        weights.unlink()
    refused(retrograd("predict", "run", "houses.csv"), "weights.safetensors")


def test_a_folder_that_is_no_run_is_refused(retrograd: Command, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    write_houses(tmp_path / "houses.csv")
    refused(retrograd("predict", "photos", "houses.csv"), "photos", "retrograd train")
    refused(retrograd("evaluate", "nowhere", "houses.csv"), "nowhere")


def test_explain_names_a_row_that_is_not_there(retrograd: Command, trained: Path) -> None:
    refused(retrograd("explain", "run", "houses.csv", "--row", "81"), "81", "80")


# Options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "widht=3"], ["'widht'", "width"]),
        (["--set", "width=wide"], ["width", "'wide'", "whole number"]),
        (["--set", "dropout=2"], ["dropout", "2"]),
        (["--set", "width"], ["KEY=VALUE"]),
        (["--kind", "size=colour"], ["'size'", "'colour'", "category"]),
        (["--kind", "siez=number"], ["'siez'", "size"]),
        (["--test", "1.5"], ["1.5", "0 and 1"]),
        (["--valid", "nowhere.csv"], ["nowhere.csv"]),
        (["--device", "abacus"], ["abacus", "cpu"]),
        (["--config", "nowhere.json"], ["nowhere.json"]),
        (["--task", "prophecy"], ["prophecy", "regression"]),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    options: list[str], said: list[str], retrograd: Command, tmp_path: Path
) -> None:
    write_houses(tmp_path / "data.csv")
    refused(train(retrograd, *options), *said)
    assert not (tmp_path / "runs").exists()


def test_a_gpu_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    write_houses(tmp_path / "data.csv")
    # A process of its own, since JAX chooses its device once; one that hides any GPU there is.
    command = [sys.executable, "-m", "retrograd", "train", "data.csv", "--target", "price"]
    ended = subprocess.run(
        [*command, "--device", "gpu"],
        cwd=tmp_path,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    refused(Result(ended.returncode, ended.stdout, ended.stderr), "--device gpu", "cuda")
    assert len(ended.stderr.splitlines()) == 1
