"""The report of a run: its verdict is right, its numbers agree, its data cannot harm it."""

from __future__ import annotations

import copy
import dataclasses
import math
import shutil
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import confusion_matrix, mean_absolute_error
from support.made_manifests import made_manifest
from support.small_tables import HOSTILE, flowers, houses, prepared

from retrograd.data import Schema
from retrograd.data.tables.places import Places
from retrograd.diagnosis.catalogue import finding
from retrograd.kinds.base.kind import Prepared
from retrograd.kinds.table.data import TableData
from retrograd.report import RunReport, write_report, write_run_report
from retrograd.report.pages.predictions import Effort, Judged
from retrograd.report.words.figures import cut, figure
from retrograd.report.words.run import compared, stop_sentence, verdict
from retrograd.store import Given, RunFolder, RunLog, write_recipe
from retrograd.store.names import VALIDATION
from retrograd.training.history import Epoch, Verdict
from retrograd.training.scores import Scores


def _trained(table: pa.Table, target: str, folder: Path) -> tuple[Prepared[Any], RunFolder]:
    run = prepared(table, target)
    made = RunFolder.create(folder, "unused")
    manifest = made_manifest(data=Given(f"{HOSTILE}.csv"))
    write_recipe(made, run.options.to_options(), run.model, manifest)
    run.fit([RunLog(made, manifest)])
    return run, made


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Prepared[Any], RunFolder]]:
    place = tmp_path_factory.mktemp("runs")
    return {
        "regression": _trained(houses(), "price", place / "houses <b>-1"),
        "classification": _trained(flowers(), "kind", place / "flowers-1"),
    }


@pytest.fixture(params=["regression", "classification"])
def case(request: pytest.FixtureRequest, runs: Any) -> tuple[Prepared[Any], RunFolder]:
    found: tuple[Prepared[Any], RunFolder] = runs[request.param]
    return found


def test_the_page_is_safe_offline_accessible_and_small(case: Any, read_page: Any) -> None:
    run, folder = case
    path = write_run_report(folder, run.model, run.split.validation, VALIDATION)
    assert path == folder.path / "report.html"
    page = read_page(path)
    page.check_is_safe_and_offline()
    page.check_is_accessible()
    assert HOSTILE in page.text
    assert folder.path.name in page.text
    assert path.stat().st_size < 300_000


def test_it_says_what_the_model_scores(case: Any, read_page: Any) -> None:
    run, folder = case
    text = read_page(write_run_report(folder, run.model, run.split.validation, VALIDATION)).text
    scores = run.model.score(run.split.validation)
    for key, value in scores.metrics.items():
        assert f"{figure(value)} {figure(scores.baseline[key])}" in text
    assert str(run.trainer.history.best.epoch) in text
    assert all(row.reason in text for row in run.model.schema.describe())


def test_the_confusions_are_counted_right(runs: Any, read_page: Any) -> None:
    run, folder = runs["classification"]
    text = read_page(write_run_report(folder, run.model, run.split.validation, VALIDATION)).text
    truth = run.model.preprocessor.target(run.split.validation.frame)
    predicted = run.model.predict(run.split.validation).argmax(1)
    counts = confusion_matrix(truth, predicted, labels=[0, 1, 2])
    for name, row in zip(run.model.preprocessor.classes, counts, strict=True):
        assert f"{cut(name, 24)} {row[0]} {row[1]} {row[2]}" in text


def test_the_rows_predicted_worst_come_first(runs: Any, read_page: Any) -> None:
    run, folder = runs["regression"]
    text = read_page(write_run_report(folder, run.model, run.split.validation, VALIDATION)).text
    truth = np.asarray(run.split.validation.frame["price"].to_numpy(), float)
    answers = run.model.predict(run.split.validation)
    order = np.argsort(-np.abs(answers - truth))[:10]
    lines = [f"{figure(truth[row], 5)} {figure(answers[row], 5)}" for row in order]
    places = [text.index(line) for line in lines]
    assert places == sorted(places)


def test_a_long_run_on_a_large_table_has_a_small_page(
    runs: Any, tmp_path: Path, read_page: Any
) -> None:
    rng = np.random.default_rng(0)
    rows, classes = 20_000, 40
    run, folder = runs["classification"]
    judged = Judged.of(run.model, run.split.validation, VALIDATION, Effort.BRIEF)
    report = RunReport.read(folder, judged)
    model, known = copy.copy(run.model), run.model.schema
    target = dataclasses.replace(known.target, classes=tuple(f"class {i}" for i in range(classes)))
    schema = dataclasses.replace(known, target=target, columns=known.columns * 500)
    model.reasons = lambda data, rows: [()] * len(rows)  # the invented schema reads no table
    model.preprocessor = dataclasses.replace(model.preprocessor, schema=schema)
    many_judged = dataclasses.replace(
        judged,
        model=model,
        truth=rng.integers(0, classes, rows),
        answers=rng.dirichlet(np.ones(classes), rows),
        data=_as_data(
            pa.table({"length": rng.normal(size=rows), "width": rng.normal(size=rows)}), schema
        ),
    )
    epochs = [_epoch(i, 1 / i, i == 5000) for i in range(1, 5001)]
    many = dataclasses.replace(report, judged=many_judged, epochs=epochs)
    write_report(tmp_path / "many.html", many)
    assert (tmp_path / "many.html").stat().st_size < 300_000
    assert "in preprocessing.json" in read_page(tmp_path / "many.html").text
    regression, folder = runs["regression"]
    judged = Judged.of(regression.model, regression.split.validation, VALIDATION, Effort.BRIEF)
    frame = pa.concat_tables([houses()] * 200)
    data = _as_data(frame, regression.model.schema)
    prices = np.asarray(frame["price"])
    answers = prices + rng.normal(size=len(prices))
    many_judged = dataclasses.replace(judged, truth=prices, answers=answers, data=data)
    many = RunReport.read(folder, many_judged)
    write_report(tmp_path / "dots.html", many)
    assert (tmp_path / "dots.html").stat().st_size < 300_000


def _as_data(table: pa.Table, schema: Schema) -> TableData:
    frame = nw.from_native(table, eager_only=True)
    return TableData(frame, schema, Places.from_one(len(frame)))


BASELINE = "always answering 2"


def _epoch(number: int, valid: float, best: bool) -> Epoch:
    return Epoch(number, number * 10, number * 1.0, valid, valid, 0.001, best)


def _scores(answers: list[float], truth: list[float]) -> Scores:
    mae, base = mean_absolute_error(truth, answers), mean_absolute_error(truth, [2.0] * len(truth))
    return Scores(len(truth), {"mae": float(mae)}, {"mae": float(base)}, BASELINE)


def _verdict(scores: Scores, part: str = VALIDATION, **more: bool) -> str:
    return verdict("x", compared(scores), scores.rows, part, scores.baseline_does, **more)


def test_the_verdict_is_honest() -> None:
    good, bad = _scores([1.1, 3.2], [1, 3]), _scores([5, -1], [1, 3])
    assert _verdict(good).startswith("The model beats the baseline in every metric")
    assert "off by 0.15 on average" in _verdict(good)
    assert "the baseline, always answering 2, is off by 1" in _verdict(good)
    assert "no better than the baseline" in _verdict(bad)
    mixed = Scores(9, {"r2": 0.1, "mae": 5.0}, {"r2": 0.0, "mae": 4.0}, BASELINE)
    assert "in some metrics, but not in MAE" in _verdict(mixed)
    lucky = _verdict(good, by_chance=True)
    assert lucky.startswith("The model beats the baseline by no more than chance could explain")
    nothing = Scores(9, {"accuracy": 0.5}, {"accuracy": 0.5}, BASELINE)
    assert "no better than the baseline" in _verdict(nothing)


def test_rows_that_chose_the_epoch_are_not_called_unseen(
    runs: Any, tmp_path: Path, read_page: Any
) -> None:
    run, folder = runs["regression"]
    for part, said, unsaid in (
        ("validation", "held out to stop by", "never seen"),
        ("test", "never seen in training", "to stop by"),
    ):
        judged = Judged.of(run.model, run.split.validation, part, Effort.NONE)
        report = dataclasses.replace(RunReport.read(folder, judged), findings=[])
        write_report(tmp_path / "run.html", report)
        text = read_page(tmp_path / "run.html").text
        scores = text[text.index("Scores On") : text.index("Worst predictions")]
        assert said in scores
        assert unsaid not in scores
        assert said in _verdict(judged.scores, part)
        assert ("chose the epoch" in scores) == (part == "validation")


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (Verdict.CONVERGED, "converged"),
        (Verdict.OUT_OF_EPOCHS, "used up its epochs"),
        (Verdict.OUT_OF_TIME, "used up its time"),
        (Verdict.INTERRUPTED, "interrupted"),
        (None, "had not ended"),
    ],
)
def test_it_says_why_training_stopped(reason: Verdict | None, word: str) -> None:
    epochs = [_epoch(1, 3.0, True), _epoch(2, 1.0, True), _epoch(3, math.pi, False)]
    said = stop_sentence(epochs, reason, 2)
    assert word in said
    assert "after 3 epochs" in said
    assert "of epoch 2" in said
    assert "more training may help" not in said
    assert ("may help" in stop_sentence(epochs[:2], reason, 2)) == (
        reason in (Verdict.OUT_OF_EPOCHS, Verdict.OUT_OF_TIME)
    )
    assert "may help" not in stop_sentence(epochs[:2], reason, 2, is_sound=False)
    assert "first epoch" in stop_sentence([], reason, None)


def test_a_run_in_which_an_error_was_found_is_not_told_to_train_longer(
    runs: Any, tmp_path: Path, read_page: Any
) -> None:
    run, folder = runs["regression"]
    report = dataclasses.replace(
        RunReport.read(
            folder, Judged.of(run.model, run.split.validation, VALIDATION, Effort.BRIEF)
        ),
        epochs=[_epoch(1, 1.0, True)],
        verdict=Verdict.OUT_OF_EPOCHS,
        kept=1,
    )
    for findings, helps in (([], True), ([finding("RG201", "The loss grew.")], False)):
        write_report(tmp_path / "run.html", dataclasses.replace(report, findings=findings))
        assert ("may help" in read_page(tmp_path / "run.html").text) is helps


def test_one_row_is_no_rows(runs: Any, tmp_path: Path, read_page: Any) -> None:
    run, folder = runs["regression"]
    judged = Judged.of(
        run.model, run.split.validation.take(np.array([0])), VALIDATION, Effort.BRIEF
    )
    write_report(tmp_path / "run.html", RunReport.read(folder, judged))
    text = read_page(tmp_path / "run.html").text
    assert "On 1 row held out" in text
    assert "1 rows" not in text


def test_weights_that_were_not_written_are_not_said_to_be_kept(
    runs: Any, tmp_path: Path, read_page: Any
) -> None:
    """The log is ahead of the last checkpoint where a run was killed."""
    run, made = runs["regression"]
    folder = RunFolder(Path(shutil.copytree(made.path, tmp_path / "killed")))
    lines = folder.read_lines("metrics.jsonl")
    later = {**lines[-1], "epoch": len(lines) + 1, "validation_loss": 1e-9, "best": True}
    folder.write_lines("metrics.jsonl", [*lines, later])
    folder.write_manifest(dataclasses.replace(folder.manifest(), verdict=None))
    text = read_page(write_run_report(folder, run.model, run.split.validation, VALIDATION)).text
    kept = max(line["epoch"] for line in lines if line["best"])
    assert f"The weights kept are those of epoch {kept}," in text
    assert f"epoch {len(lines) + 1} was better, but was lost" in text
    assert f"epoch {kept}: " in text  # the ring's
    (folder.path / "checkpoint.safetensors").unlink()
    assert RunReport.read(folder).kept == kept
    (folder.path / "weights.safetensors").unlink()
    assert RunReport.read(folder).kept is None
    assert "No weights were kept" in stop_sentence(run.trainer.history.epochs, None, None)
