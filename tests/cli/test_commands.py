"""The commands on good input: what they print, what they write, and that it is right."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from support.command import QUICK, Command, write_houses

from retrograd.diagnosis.record.record import Record
from retrograd.training import Trainer

COMMANDS = ("train", "evaluate", "predict", "explain", "report", "demo")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str, retrograd: Command) -> None:
    result = retrograd(command, "--help")
    assert result.code == 0
    assert re.search(rf"Example:.*retrograd {command}", result.out, re.DOTALL)


def test_train_leaves_a_run_folder_without_code(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv")
    result = retrograd("train", "houses.csv", "--target", "price", "--test", "0.2", *QUICK)
    assert result.code == 0, result.err
    assert "category" in result.out
    assert "baseline" in result.out
    run = tmp_path / "runs" / "houses-1"
    kinds = {path.suffix for path in run.rglob("*") if path.is_file()}
    assert kinds == {".json", ".jsonl", ".rows", ".safetensors", ".html"}
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["rows"] == {"train": 54, "validation": 10, "test": 16}
    assert manifest["verdict"] == "out of epochs"


def test_a_run_of_a_single_step_draws_its_report(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv", rows=60)
    options = ("--target", "price", "--out", "run", *QUICK, "--epochs", "1")
    result = retrograd("train", "houses.csv", *options)
    assert result.code == 0, result.err
    assert len(Record.open(tmp_path / "run").steps) == 1
    assert "no finite value" in (tmp_path / "run" / "report.html").read_text()


def test_the_same_seed_gives_the_same_weights(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv")
    weights = []
    for out, seed in (("a", 3), ("b", 3), ("c", 4)):
        retrograd("train", "houses.csv", "--target", "price", "--out", out, "--seed", seed, *QUICK)
        weights.append((tmp_path / out / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]


def test_predict_keeps_the_rows_in_their_order_and_adds_the_prediction(
    retrograd: Command, trained: Path
) -> None:
    result = retrograd("predict", "run", "houses.csv", "--out", "p.csv")
    assert result.code == 0, result.err
    before, after = read(trained / "houses.csv"), read(trained / "p.csv")
    assert [{k: v for k, v in row.items() if k != "prediction"} for row in after] == before
    retrograd("predict", "run", "houses.csv", "--out", "p.parquet")
    column = pq.read_table(trained / "p.parquet")["prediction"].to_numpy()
    np.testing.assert_allclose(column, [float(row["prediction"]) for row in after])


def test_evaluate_agrees_with_scikit_learn_on_what_predict_writes(
    retrograd: Command, trained: Path
) -> None:
    retrograd("predict", "run", "houses.csv", "--out", "p.csv")
    scores = json.loads(retrograd("evaluate", "run", "houses.csv", "--json").out)
    rows = read(trained / "p.csv")
    truth = [float(row["price"]) for row in rows]
    answers = [float(row["prediction"]) for row in rows]
    assert scores["rows"] == 80
    assert set(scores["metrics"]) == set(scores["baseline"]) == {"r2", "rmse", "mae"}
    assert scores["metrics"]["r2"] == pytest.approx(r2_score(truth, answers))
    assert scores["metrics"]["rmse"] == pytest.approx(root_mean_squared_error(truth, answers))
    assert scores["metrics"]["mae"] == pytest.approx(mean_absolute_error(truth, answers))


def test_classes_come_with_their_probabilities(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv")
    retrograd("train", "houses.csv", "--target", "city", "--out", "run", "--quiet", *QUICK)
    retrograd("predict", "run", "houses.csv", "--out", "p.csv")
    names = ["Albany", "Berne", "Cusco"]
    for row in read(tmp_path / "p.csv"):
        chances = [float(row[f"probability_{name}"]) for name in names]
        assert sum(chances) == pytest.approx(1, abs=1e-5)
        assert row["prediction"] == names[int(np.argmax(chances))]
    scores = json.loads(retrograd("evaluate", "run", "houses.csv", "--json").out)
    assert set(scores["metrics"]) == {"accuracy", "log_loss", "roc_auc"}


def test_quiet_says_nothing_and_json_speaks_json(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv")
    arguments = ("train", "houses.csv", "--target", "price", *QUICK)
    quiet = retrograd(*arguments, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    events = [json.loads(line) for line in retrograd(*arguments, "--json").out.splitlines()]
    assert [event["event"] for event in events] == ["start", "epoch", "epoch", "end"]
    assert Path(events[-1]["report"]).is_file()


def test_options_from_a_run_give_the_same_run(retrograd: Command, trained: Path) -> None:
    retrograd("train", "houses.csv", "--config", "run/config.json", "--out", "again", "--quiet")
    first, second = (trained / name / "weights.safetensors" for name in ("run", "again"))
    assert first.read_bytes() == second.read_bytes()


def test_explain_prints_the_walk_and_writes_the_page(retrograd: Command, trained: Path) -> None:
    before = (trained / "run" / "weights.safetensors").read_bytes()
    result = retrograd("explain", "run", "houses.csv", "--row", 3)
    assert result.code == 0, result.err
    for step in ("1. Forward", "2. Error", "3. Backward", "4. Update", "5. Repeat"):
        assert step in result.out
    assert "<html" in (trained / "run" / "explain-row-3.html").read_text()
    assert (trained / "run" / "weights.safetensors").read_bytes() == before
    # The page beside the weights does not make the run look edited.
    assert retrograd("evaluate", "run", "houses.csv").code == 0


def test_report_is_written_anew(retrograd: Command, trained: Path) -> None:
    page = trained / "run" / "report.html"
    page.unlink()
    assert retrograd("report", "run").code == 0
    assert "<html" in page.read_text()


def start_training(folder: Path, *options: str) -> subprocess.Popen[str]:
    """A run in a process of its own that has reached its third epoch and would go on for long."""
    write_houses(folder / "houses.csv", rows=400)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "retrograd", "train", "houses.csv", "--target", "price"),
            *("--out", "run", "--epochs", "100000", "--set", "patience=100000", *options),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 3/"):
            break
    return process


def test_ctrl_c_keeps_what_was_reached_and_says_how_to_go_on(
    retrograd: Command, tmp_path: Path
) -> None:
    process = start_training(tmp_path)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "retrograd train --resume run" in rest
    assert retrograd("evaluate", "run", "houses.csv").code == 0
    done = len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    more = retrograd("train", "--resume", "run", "--epochs", done + 2)
    assert more.code == 0, more.err
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, done + 3))


def test_ctrl_c_before_the_first_epoch_is_over_leaves_nothing_and_says_so(
    retrograd: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*arguments: object) -> None:
        raise KeyboardInterrupt

    write_houses(tmp_path / "houses.csv")
    monkeypatch.setattr(Trainer, "_run_epoch", press)
    result = retrograd("train", "houses.csv", "--target", "price", "--out", "run", *QUICK)
    assert result.code == 130
    assert result.err == (
        "Interrupted before the first epoch was over, so that there is nothing to keep.\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_killed_run_keeps_its_log(tmp_path: Path, retrograd: Command) -> None:
    process = start_training(tmp_path)
    time.sleep(0.2)
    process.kill()
    process.communicate(timeout=60)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines[:3]] == [1, 2, 3]


def cut_off(run: Path) -> None:
    """Make a run what it is when it is killed before its first checkpoint."""
    at_the_end = ("scores.json", "findings.json", "report.html")
    for name in ("weights.safetensors", "checkpoint.safetensors", *at_the_end):
        (run / name).unlink()
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["verdict"]
    manifest["files"] = {
        name: facts for name, facts in manifest["files"].items() if (run / name).exists()
    }
    (run / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "run", "houses.csv"),
        ("predict", "run", "houses.csv"),
        ("explain", "run", "houses.csv"),
    ],
    ids=lambda command: command[0],
)
def test_a_run_killed_before_it_kept_weights_says_how_to_go_on(
    command: tuple[str, ...], retrograd: Command, trained: Path
) -> None:
    cut_off(trained / "run")
    result = retrograd(*command)
    assert result.code == 2
    assert "has kept no weights" in result.err
    assert "To go on: retrograd train --resume run" in result.err


def test_a_run_killed_before_it_kept_weights_is_trained_from_its_start(
    retrograd: Command, trained: Path
) -> None:
    expected = {
        name: (trained / "run" / name).read_bytes()
        for name in ("config.json", "weights.safetensors", "scores.json", "record/000.rows")
    }
    cut_off(trained / "run")
    result = retrograd("train", "--resume", "run")
    assert result.code == 0, result.err
    for name, contents in expected.items():
        assert (trained / "run" / name).read_bytes() == contents, name


def test_a_run_killed_before_it_kept_weights_is_judged_by_its_record(
    retrograd: Command, trained: Path
) -> None:
    cut_off(trained / "run")
    result = retrograd("diagnose", "run")
    assert result.code in (0, 1), result.err
    assert "Only the record is looked at" in result.out
    result = retrograd("report", "run")
    assert result.code == 0, result.err
    assert "Only what was recorded is shown" in result.err
    page = (trained / "run" / "report.html").read_text()
    assert "Training had not ended after 2 epochs" in page
    assert "No weights were kept" in page
    assert "The flow through the layers" in page
    assert "Training: epoch" not in page


def test_a_file_that_is_gone_from_a_run_that_ended_is_named(
    retrograd: Command, trained: Path
) -> None:
    (trained / "run" / "checkpoint.safetensors").unlink()
    result = retrograd("train", "--resume", "run", "--epochs", 9)
    assert result.code == 2
    assert "lacks checkpoint.safetensors (there is no such file)" in result.err


def test_going_on_is_the_same_as_not_having_stopped(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv")
    options = ("--target", "price", "--set", "width=8", "--set", "members=2", "--set", "dropout=.1")
    whole = retrograd("train", "houses.csv", *options, "--out", "whole", "--epochs", 6)
    assert whole.code == 0, whole.err
    retrograd("train", "houses.csv", *options, "--out", "parts", "--epochs", 6, "--time-limit", 0)
    log = tmp_path / "parts" / "metrics.jsonl"
    assert len(log.read_text().splitlines()) == 1
    more = retrograd("train", "--resume", "parts", "--time-limit", 1000)
    assert more.code == 0, more.err
    weights = [tmp_path / name / "weights.safetensors" for name in ("whole", "parts")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_run_that_has_ended_is_not_gone_on_with(retrograd: Command, trained: Path) -> None:
    result = retrograd("train", "--resume", "run")
    assert result.code == 2
    assert "--epochs" in result.err


def test_a_run_killed_after_its_last_epoch_is_scored_and_reported(
    retrograd: Command, trained: Path
) -> None:
    run = trained / "run"
    scores, log = (run / "scores.json").read_bytes(), (run / "metrics.jsonl").read_bytes()
    for name in ("scores.json", "findings.json", "report.html"):
        (run / name).unlink()
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["verdict"] = None
    manifest["files"] = {n: f for n, f in manifest["files"].items() if (run / n).exists()}
    (run / "manifest.json").write_text(json.dumps(manifest))
    result = retrograd("train", "--resume", "run")
    assert result.code == 0, result.err
    assert (run / "scores.json").read_bytes() == scores
    assert (run / "metrics.jsonl").read_bytes() == log
    assert (run / "report.html").is_file()
    assert json.loads((run / "manifest.json").read_text())["verdict"] == "out of epochs"
    assert retrograd("train", "--resume", "run").code == 2


def test_one_row_is_no_rows(retrograd: Command, trained: Path) -> None:
    header, first, *_ = (trained / "houses.csv").read_text().splitlines()
    (trained / "one.csv").write_text(f"{header}\n{first}\n")
    result = retrograd("evaluate", "run", "one.csv")
    assert "On the 1 row of one.csv" in result.out
    write_houses(trained / "few.csv", rows=5)
    result = retrograd("train", "few.csv", "--target", "price", *QUICK)
    assert "stopping by 1 other:" in result.out


def test_a_run_whose_table_has_changed_is_not_gone_on_with(
    retrograd: Command, trained: Path
) -> None:
    manifest = json.loads((trained / "run" / "manifest.json").read_text())
    manifest["data"]["path"] = str(write_houses(trained / "other.csv", seed=1))
    (trained / "run" / "manifest.json").write_text(json.dumps(manifest))
    result = retrograd("train", "--resume", "run", "--epochs", 9)
    assert result.code == 2
    assert "other.csv" in result.err


def test_a_learning_rate_that_diverges_ends_with_exit_code_1(
    retrograd: Command, tmp_path: Path
) -> None:
    write_houses(tmp_path / "houses.csv")
    result = retrograd(
        "train",
        "houses.csv",
        "--target",
        "price",
        "--epochs",
        30,
        "--set",
        "learning_rate=100",
        "--set",
        "clip_norm=1e12",
        "--set",
        "depth=20",
    )
    assert result.code == 1, result.out
    assert "learning rate" in result.err
    assert "Traceback" not in result.err
