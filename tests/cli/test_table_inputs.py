"""What a table may come in, from the command: other formats, standard input, empty batches."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from support.command import QUICK, Command, write_houses

import retrograd as rg


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> object:
    """Have the next command read these bytes from standard input."""

    def give(contents: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(contents)))

    return give


def test_a_run_learns_from_standard_input_and_answers_it(
    retrograd: Command, tmp_path: Path, pipe: object
) -> None:
    assert callable(pipe)
    contents = write_houses(tmp_path / "houses.csv").read_bytes()
    pipe(gzip.compress(contents))
    result = retrograd("train", "-", "--target", "price", "--out", "run", *QUICK)
    assert result.code == 0, result.err
    pipe(contents)
    answers = retrograd("predict", "run", "-")
    assert answers.code == 0, answers.err
    assert answers.out == retrograd("predict", "run", "houses.csv").out
    pipe(contents)
    scores = retrograd("evaluate", "run", "-")
    assert "On the 80 rows of standard input" in scores.out
    pipe(contents.replace(b"Albany", b"Albany,1", 1))
    refused = retrograd("predict", "run", "-")
    assert refused.code == 2
    assert "standard input, line " in refused.err


@pytest.mark.parametrize("suffix", [".xlsx", ".feather", ".jsonl", ".csv.gz"])
def test_a_run_evaluates_and_predicts_other_formats(
    retrograd: Command, trained: Path, suffix: str
) -> None:
    frame = pd.read_csv(trained / "houses.csv")
    path = trained / f"again{suffix}"
    {
        ".xlsx": lambda: frame.to_excel(path, index=False),
        ".feather": lambda: frame.to_feather(path),
        ".jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        ".csv.gz": lambda: frame.to_csv(path, index=False),
    }[suffix]()
    scores = [
        json.loads(retrograd("evaluate", "run", name, "--json").out)
        for name in ("houses.csv", path.name)
    ]
    assert scores[0] == scores[1]
    assert retrograd("predict", "run", path.name, "--out", "p.csv").code == 0
    assert len(pd.read_csv(trained / "p.csv")) == 80


def test_a_compressed_table_names_its_run(retrograd: Command, tmp_path: Path) -> None:
    contents = write_houses(tmp_path / "houses.csv").read_bytes()
    (tmp_path / "homes.csv.gz").write_bytes(gzip.compress(contents))
    assert retrograd("train", "homes.csv.gz", "--target", "price", *QUICK).code == 0
    assert (tmp_path / "runs" / "homes-1").is_dir()


def test_a_named_separator_is_kept_with_the_run(retrograd: Command, tmp_path: Path) -> None:
    text = write_houses(tmp_path / "houses.csv").read_text()
    (tmp_path / "hats.csv").write_text(text.replace(",", "^"))
    refused = retrograd("train", "hats.csv", "--target", "price", *QUICK)
    assert refused.code == 2
    assert "--sep" in refused.err
    options = ("--target", "price", "--sep", "^", "--out", "run", *QUICK)
    assert retrograd("train", "hats.csv", *options).code == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["sep"] == "^"
    result = retrograd("predict", "run", "hats.csv")
    assert result.code == 0, result.err
    assert len(result.out.splitlines()) == 81


@pytest.mark.parametrize("name", ["none.csv", "none.parquet", "none.xlsx"])
def test_an_empty_batch_has_an_empty_answer(retrograd: Command, trained: Path, name: str) -> None:
    frame = pd.read_csv(trained / "houses.csv").iloc[:0]
    write = {"csv": frame.to_csv, "parquet": frame.to_parquet, "xlsx": frame.to_excel}
    write[name.split(".")[1]](trained / name, index=False)
    result = retrograd("predict", "run", name, "--out", "p.csv")
    assert result.code == 0, result.err
    with (trained / "p.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["size", "beds", "city", "price", "prediction"]]
    refused = retrograd("evaluate", "run", name)
    assert refused.code == 2
    assert "No row has a value in the target 'price'" in refused.err
    refused = retrograd("train", name, "--target", "price", *QUICK)
    assert refused.code == 2
    assert "has 0 rows; expected at least two" in refused.err


def test_one_row_is_predicted(retrograd: Command, trained: Path) -> None:
    lines = (trained / "houses.csv").read_text().splitlines()
    (trained / "one.csv").write_text("\n".join(lines[:2]))
    rows = retrograd("predict", "run", "one.csv").out.splitlines()
    assert len(rows) == 2
    assert len(rg.load(trained / "run").predict({"size": [], "beds": [], "city": []})) == 0


def test_a_target_called_prediction_stays_beside_its_prediction(
    retrograd: Command, tmp_path: Path
) -> None:
    text = write_houses(tmp_path / "houses.csv").read_text()
    (tmp_path / "renamed.csv").write_text(text.replace("price", "prediction", 1))
    options = ("--target", "prediction", "--out", "run", "--quiet", *QUICK)
    assert retrograd("train", "renamed.csv", *options).code == 0
    notes = retrograd("predict", "run", "renamed.csv", "--out", "p.csv").err
    assert "'prediction' of its own, which stays; the new one is 'prediction_2'" in notes
    frame, truth = pd.read_csv(tmp_path / "p.csv"), pd.read_csv(tmp_path / "renamed.csv")
    assert frame["prediction"].equals(truth["prediction"])
    answers = rg.load(tmp_path / "run").predict(tmp_path / "renamed.csv")
    assert answers.tolist() == pytest.approx(frame["prediction_2"].tolist())


def test_a_class_called_none_is_learned_and_answered(retrograd: Command, tmp_path: Path) -> None:
    rows = "".join(f"{n}.5,{['None', 'aspirin'][n % 2]}\n" for n in range(40))
    (tmp_path / "drugs.csv").write_text("dose,drug\n" + rows)
    result = retrograd("train", "drugs.csv", "--target", "drug", "--out", "run", *QUICK)
    assert "'None' is a class of the target 'drug'" in result.out
    header = retrograd("predict", "run", "drugs.csv").out.splitlines()[0].replace('"', "")
    assert header == "dose,drug,probability_None,probability_aspirin,prediction"
    scores = json.loads(retrograd("evaluate", "run", "drugs.csv", "--json").out)
    assert scores["rows"] == 40
