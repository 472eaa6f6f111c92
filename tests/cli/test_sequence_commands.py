"""Texts, series and signals through the command, from the file to what the run is for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from support.command import Command
from support.documented import documented


def train_text(retrograd: Command, text: str = "to be or not to be; " * 60) -> None:
    Path("text.txt").write_text(text, "utf-8")
    options = [f"--set={each}" for each in ("width=8", "depth=1", "context=8")]
    result = retrograd(
        "train", "text.txt", "--task", "language-model", "--epochs", 2, "--out", "run", *options
    )
    assert result.code == 0, result.err


def test_a_text_is_trained_on_and_continued(retrograd: Command) -> None:
    train_text(retrograd)
    assert json.loads(Path("run/manifest.json").read_text())["kind"] == "language-model"
    page = Path("run/report.html").read_text()
    assert "Predicting the next character, it predicts" in page
    assert "The baseline is knowing only how frequent each character is." in page
    assert retrograd("report", "run").code == 0
    result = retrograd("train", "--resume", "run", "--epochs", 3)
    assert result.code == 0, result.err
    assert len(Path("run/metrics.jsonl").read_text().splitlines()) == 3
    first = retrograd("generate", "run", "--prompt", "to be", "--length", 25, "--seed", 4)
    assert first.code == 0
    assert first.err == ""
    assert first.out.startswith("to be")
    assert len(first.out) == len("to be") + 25 + 1
    assert set(first.out) <= set("to be or not to be; \n")
    same = retrograd("generate", "run", "--prompt", "to be", "--length", 25, "--seed", 4)
    assert same.out == first.out
    told = ("generate", "run", "--prompt", "to be", "--length", 25, "--seed", 4, "--json")
    found = json.loads(retrograd(*told).out)
    assert [*found] == documented("generate")
    assert found["prompt"] + found["text"] + "\n" == first.out
    evaluated = json.loads(retrograd("evaluate", "run", "text.txt", "--json").out)
    assert evaluated["rows"] == 60 * 20 - 1


def test_the_prompts_unknown_characters_are_said_beside_the_text(retrograd: Command) -> None:
    train_text(retrograd)
    result = retrograd("generate", "run", "--prompt", "to be [é]", "--length", 3)
    assert result.code == 0
    assert result.out.startswith("to be [é]")
    assert "3 characters of the prompt" in result.err
    refused = retrograd("generate", "run", "--prompt", "XYZ")
    assert (refused.code, refused.out) == (2, "")
    assert "has no character" in refused.err


def test_a_corpus_cannot_steer_the_terminal(
    retrograd: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_text(retrograd, "\x1b[31mred\x07\n" * 100)
    arguments = ("generate", "run", "--prompt", "red", "--length", 80)
    assert "\x1b" in retrograd(*arguments).out  # a file gets what was drawn
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = retrograd(*arguments).out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\N{REPLACEMENT CHARACTER}" in shown


def test_a_text_in_an_old_encoding_is_read_and_said(retrograd: Command) -> None:
    Path("text.txt").write_bytes(b"caf\xe9 " * 100)
    small = [f"--set={each}" for each in ("width=8", "depth=1", "context=8")]
    arguments = ("train", "text.txt", "--task", "language-model", "--epochs", 1, "--out", "run")
    result = retrograd(*arguments, *small)
    assert result.code == 0, result.err
    assert "note: text.txt is not UTF-8; it was read as cp1252." in result.out
    assert "é" in json.loads(Path("run/preprocessing.json").read_text("utf-8"))["characters"]


def test_a_series_is_trained_on_measured_and_continued(retrograd: Command) -> None:
    times = [str(np.datetime64("2015-01") + np.timedelta64(i, "M")) for i in range(120)]
    values = 20 + 5 * np.sin(np.arange(120) * np.pi / 6)
    lines = ["month,sales", *(f"{t},{v:.3f}" for t, v in zip(times, values, strict=True))]
    Path("sales.csv").write_text("\n".join(lines))
    arguments = ("--task", "forecast", "--time", "month", "--target", "sales", "--epochs", 3)
    result = retrograd("train", "sales.csv", *arguments, "--test", 0.2, "--set", "horizon=6")
    assert result.code == 0, result.err
    assert "repeats after 12" in result.out
    scores = json.loads(Path("runs/sales-1/scores.json").read_text())
    assert {"r2", "rmse", "mae"} == scores["test"]["baseline"].keys()
    page = Path("runs/sales-1/report.html").read_text()
    assert "repeating the last 12 values, is off by" in page
    assert retrograd("predict", "runs/sales-1", "sales.csv", "--out", "next.csv").code == 0
    written = Path("next.csv").read_text().splitlines()
    assert written[0] == "month,sales,prediction"
    assert written[120].startswith("2024-12,")
    assert [line.split(",")[0] for line in written[121:]] == [f"2025-0{i}" for i in range(1, 7)]
    assert all(line.split(",")[1] == "" and float(line.split(",")[2]) for line in written[121:])
    assert retrograd("evaluate", "runs/sales-1", "sales.csv").code == 0
    refused = retrograd("generate", "runs/sales-1", "--prompt", "a")
    assert refused.code == 2
    assert "'forecast'" in refused.err
    assert "'language-model'" in refused.err


def test_a_forecast_needs_its_column(retrograd: Command) -> None:
    Path("sales.csv").write_text("month,sales\n2020-01,1\n")
    result = retrograd("train", "sales.csv", "--task", "forecast", "--time", "month")
    assert result.code == 2
    assert "--target COLUMN" in result.err


def test_signals_are_trained_on_and_predicted(retrograd: Command) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = rng.normal(y[:, None], 0.3, (60, 12))
    np.savez("signals.npz", x=x, y=y, x_test=x[:9], y_test=y[:9])
    result = retrograd("train", "signals.npz", "--model", "gru", "--epochs", 1, "--out", "run")
    assert result.code == 0, result.err
    scores = json.loads(Path("run/scores.json").read_text())
    assert scores["test"]["rows"] == 9
    lines = retrograd("predict", "run", "signals.npz").out.splitlines()
    assert lines[0].replace('"', "") == "signal,probability_0,probability_1,prediction"
    assert len(lines) == 1 + 9
