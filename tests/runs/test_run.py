"""A run as a library: trained on whatever holds the data, used, looked at, resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from sklearn.metrics import mean_absolute_error
from support.small_tables import flowers, houses

import retrograd as rg
from retrograd.diagnosis.record.record import Record
from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.kind import Prepared
from retrograd.runs import Run, RunCallback
from retrograd.runs.data import RunData
from retrograd.store import RunFolder
from retrograd.training import Verdict

SMALL: dict[str, Any] = {"width": 8, "depth": 1, "members": 2, "bins": 4, "epochs": 2}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    pyarrow.csv.write_csv(houses(), folder / "houses.csv")
    return folder


@pytest.fixture(scope="module")
def of_path(place: Path) -> Run:
    return rg.train(
        place / "houses.csv", "price", test=0.2, valid=0.25, out=place / "path", **SMALL
    )


@pytest.fixture(scope="module")
def of_memory(place: Path) -> Run:
    return rg.train(houses(), "price", test=0.2, valid=0.25, out=place / "memory", **SMALL)


@pytest.fixture(scope="module")
def classifier(place: Path) -> Run:
    return rg.train(flowers(), "kind", out=place / "flowers", **SMALL)


def copied(run: Run, to: Path) -> Path:
    return Path(shutil.copytree(run.path, to))


@pytest.fixture(params=["path", "memory"])
def run(request: pytest.FixtureRequest, of_path: Run, of_memory: Run) -> Run:
    return of_path if request.param == "path" else of_memory


# What it is ---------------------------------------------------------------------------------------


def test_a_run_says_what_it_is(run: Run) -> None:
    assert run.kind == "table"
    assert run.options.epochs == 2
    assert run.options.valid == 0.25
    assert run.history.verdict is Verdict.OUT_OF_EPOCHS
    assert [each.epoch for each in run.history.epochs] == [1, 2]
    assert set(run.scores) == {"validation", "test"}
    assert run.scores["test"].rows == 24
    assert {each.column for each in run.columns} == {*houses().column_names}
    assert str(run.path) in repr(run)


def test_the_scores_of_the_last_epoch_are_recorded(tmp_path: Path) -> None:
    run = rg.train(houses(), "price", out=tmp_path / "run", **{**SMALL, "epochs": 5})
    epochs = Record.open(run.path).epochs
    assert [each["epoch"] for each in epochs] == [1, 2, 3, 4, 5]
    assert [each["epoch"] for each in epochs if "scores" in each] == [1, 2, 4, 5]
    assert [each["best"] for each in epochs] == [each.best for each in run.history.epochs]


def test_a_loaded_run_is_the_one_that_was_trained(run: Run) -> None:
    again = rg.load(run.path)
    assert again.scores == run.scores
    assert again.options == run.options
    assert again.columns == run.columns
    np.testing.assert_array_equal(again.predict(houses()), run.predict(houses()))


def test_the_scores_are_those_of_rows_that_were_not_trained_on(of_path: Run) -> None:
    split = RunData.again(RunFolder.open(of_path.path)).split
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    prices = [float(price) for each in parts.values() for price in each.frame["price"].to_list()]
    assert sorted(prices) == sorted(houses()["price"].to_pylist())
    assert [len(each) for each in parts.values()] == [72, 24, 24]
    for name in ("validation", "test"):
        rows = parts[name].frame
        truth = np.array(rows["price"].to_list(), float)
        expected = mean_absolute_error(truth, of_path.predict(rows))
        assert of_path.scores[name].metrics["mae"] == pytest.approx(expected)


def test_a_class_that_is_text_is_predicted_as_text(classifier: Run) -> None:
    predicted = classifier.predict(flowers())
    chances = classifier.predict_proba(flowers())
    assert chances.shape == (120, 3)
    np.testing.assert_allclose(chances.sum(1), 1, rtol=1e-5)
    assert list(predicted) == [classifier.classes[code] for code in chances.argmax(1)]
    assert set(classifier.classes) == set(flowers()["kind"].to_pylist())


def test_numbers_have_no_probabilities(of_path: Run) -> None:
    with pytest.raises(UsageError, match="no probabilities; use predict"):
        of_path.predict_proba(houses())


def test_evaluate_is_what_scikit_learn_says_of_predict(run: Run) -> None:
    scores = run.evaluate(houses())
    expected = mean_absolute_error(houses()["price"].to_numpy(), run.predict(houses()))
    assert scores.metrics["mae"] == pytest.approx(expected)


def test_predicted_rows_stand_in_their_order_beside_their_columns(run: Run) -> None:
    table = run.predict_table(houses())
    assert table.column_names == [*houses().column_names, "prediction"]
    np.testing.assert_array_equal(table["prediction"].to_numpy(), run.predict(houses()))


def test_a_row_is_explained_and_the_network_left_as_it_is(of_path: Run, place: Path) -> None:
    before = of_path.predict(houses())
    walk = of_path.explain(houses(), 3)
    assert walk.row == 3
    assert walk.truth == houses()["price"][2].as_py()
    assert of_path.explain(place / "houses.csv", 3).truth == walk.truth
    np.testing.assert_array_equal(of_path.predict(houses()), before)


def test_what_only_another_kind_can_do_is_refused(of_path: Run) -> None:
    with pytest.raises(UsageError, match="is a run of the kind 'table'; this works for"):
        of_path.generate("To be")


# Data in memory -----------------------------------------------------------------------------------


def test_columns_by_name_give_the_same_run_as_a_frame(
    of_memory: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    data = houses().to_pydict()
    run = rg.train(data, "price", test=0.2, valid=0.25, progress=True, **SMALL)
    assert "epoch 2/2" in capfd.readouterr().out
    assert run.path == Path("runs/table-1")  # no file has given it a name
    weights = [(each.path / "weights.safetensors").read_bytes() for each in (run, of_memory)]
    assert weights[0] == weights[1]
    np.testing.assert_array_equal(run.predict(data), of_memory.predict(houses()))


def test_arrays_are_learned_from_and_whole_numbers_predicted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.where(rng.integers(0, 2, 100), 7, -1)
    x = rng.normal(y[:, None], 0.1, (100, 3))
    run = rg.train(x, y, task="classification", out=tmp_path / "run", **SMALL)
    predicted = run.predict(x)
    assert predicted.dtype.kind == "i"
    assert set(run.classes.tolist()) == {-1, 7}
    assert run.evaluate((x, y)).metrics["accuracy"] == (predicted == y).mean()


def test_in_memory_data_is_not_read_twice_and_not_lost_for_the_process_that_trained(
    of_memory: Run, tmp_path: Path
) -> None:
    assert of_memory.report() == of_memory.path / "report.html"
    for again in (lambda run: run.report(), lambda run: run.resume(epochs=3)):
        with pytest.raises(DataError, match=r"learned from values in memory.*data=frame"):
            again(rg.load(copied(of_memory, tmp_path / f"run{id(again)}")))
    page = rg.load(of_memory.path).report(data=houses())
    assert page.is_file()


def test_other_data_than_the_runs_own_is_refused(of_memory: Run, tmp_path: Path) -> None:
    loaded = rg.load(copied(of_memory, tmp_path / "run"))
    with pytest.raises(DataError, match="it makes 48 rows for train"):
        loaded.report(data=houses(80))
    table = houses()
    size = pa.array(table["size"].to_numpy() * 2)
    changed = table.set_column(table.column_names.index("size"), "size", size)
    with pytest.raises(DataError, match="measured again, its training rows differ"):
        loaded.resume(data=changed, epochs=3)
    assert len(loaded.history.epochs) == 2
    assert loaded.findings() is not None


def test_diagnose_says_when_the_data_is_not_at_hand(of_memory: Run) -> None:
    notes: list[str] = []
    rg.load(of_memory.path).diagnose(notes=notes)
    assert "Only the record is looked at" in notes[0]
    notes.clear()
    found = of_memory.diagnose(notes=notes)
    assert notes == []
    assert [each.code for each in found] == [each.code for each in of_memory.findings()]


# Training it further ------------------------------------------------------------------------------


class Told(RunCallback):
    """What a callback hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_prepared(self, prepared: Prepared[Any]) -> None:
        self.heard.append(f"prepared after {len(prepared.trainer.history.epochs)}")

    def on_damage(self, notes: Any) -> None:
        self.heard.append("damaged")

    def on_scoring(self) -> None:
        self.heard.append("scoring")


def test_a_run_that_was_resumed_is_as_if_it_had_not_stopped(
    place: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, told = place / "houses.csv", Told()
    options = {**SMALL, "epochs": 4, "dropout": 0.1}
    whole = rg.train(data, "price", out=tmp_path / "whole", **options)
    here = rg.train(data, "price", out=tmp_path / "here", time_limit=0, callbacks=[told], **options)
    assert here.history.verdict is Verdict.OUT_OF_TIME
    elsewhere = rg.load(copied(here, tmp_path / "elsewhere"))
    expected = (whole.path / "weights.safetensors").read_bytes()
    for run in (here, elsewhere):
        assert run.resume(time_limit=1000, callbacks=[told]) is run
        assert (run.path / "weights.safetensors").read_bytes() == expected
        np.testing.assert_array_equal(run.predict(data), whole.predict(data))
        assert run.scores == whole.scores
    again = ["prepared after 1", "scoring"]
    assert told.heard == ["prepared after 0", "scoring", *again, *again]
    assert capfd.readouterr() == ("", "")  # nothing is printed unless it is asked for


def test_a_run_that_has_ended_says_how_to_train_it_longer(of_path: Run) -> None:
    with pytest.raises(UsageError, match=r"out of epochs, after 2 epochs\).*more epochs"):
        of_path.resume()


def test_a_run_that_another_process_trains_is_not_resumed(of_path: Run) -> None:
    with (
        RunFolder.open(of_path.path).writing(),
        pytest.raises(UsageError, match="Another process is training"),
    ):
        rg.load(of_path.path).resume(epochs=9)


def test_where_the_newest_files_are_damaged_those_before_are_used_and_it_is_said(
    of_path: Run, place: Path, tmp_path: Path
) -> None:
    before = of_path.predict(houses())
    path = copied(of_path, tmp_path / "run")
    rg.load(path).resume(epochs=4)
    expected = (path / "weights.safetensors").read_bytes()
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        (path / name).write_bytes(b"torn")
    notes: list[str] = []
    np.testing.assert_array_equal(rg.load(path).predict(houses(), notes), before)
    assert f"{path / 'weights.safetensors'} is damaged" in notes[0]
    told = Told()
    rg.load(path).resume(epochs=4, callbacks=[told])
    assert told.heard[:2] == ["damaged", "prepared after 2"]
    assert (path / "weights.safetensors").read_bytes() == expected


@pytest.mark.parametrize("change", [{"width": 16}, {"bins": 8}, {"kinds": {"beds": "number"}}])
def test_options_that_make_another_run_of_it_are_refused_and_nothing_is_lost(
    change: dict[str, Any], of_path: Run
) -> None:
    before = (of_path.path / "config.json").read_bytes()
    with pytest.raises(UsageError, match=f"{next(iter(change))} is .* resumed keeps it"):
        rg.load(of_path.path).resume(**change, epochs=9)
    assert (of_path.path / "config.json").read_bytes() == before
    assert len(of_path.history.epochs) == 2


def test_a_killed_run_is_opened_and_told_from_one_that_ended(of_path: Run, tmp_path: Path) -> None:
    folder = copied(of_path, tmp_path / "run")
    gone = ("scores.json", "findings.json", "report.html", "weights", "checkpoint")
    for path in folder.iterdir():
        if path.name.startswith(gone):
            path.unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["verdict"] = None
    manifest["files"] = {n: f for n, f in manifest["files"].items() if not n.startswith(gone)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    run = rg.load(folder)
    assert run.history.verdict is None
    assert run.scores == {}
    assert run.findings() == run.diagnose()
    with pytest.raises(DataError, match="has kept no weights"):
        run.predict(houses())
    notes: list[str] = []
    assert "No weights were kept" in run.report(notes=notes).read_text()
    assert notes[0].startswith("Only what was recorded is shown.")
    run.resume()
    assert run.scores == of_path.scores
    weights = [(each.path / "weights.safetensors").read_bytes() for each in (run, of_path)]
    assert weights[0] == weights[1]


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"data": "hoses.csv", "target": "price"}, r"No such file.*houses\.csv"),
        ({"data": "houses.csv"}, "Name the column of houses.csv to predict: target="),
        ({"data": "houses.csv", "target": "prise"}, "prise"),
        ({"data": "houses.csv", "target": "price", "width": "wide"}, "width is 'wide'"),
        ({"data": "houses.csv", "target": "price", "wdth": 8}, "no option 'wdth'. Did you mean"),
        ({"data": "houses.csv", "target": "price", "test": 1.5}, "between 0 and 1; found 1.5"),
        ({"data": "houses.csv", "target": "price", "model": "resnet"}, "resnet"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(
    arguments: dict[str, Any], said: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    with pytest.raises((UsageError, DataError), match=said):
        rg.train(**arguments)
    assert not (place / "runs").exists()
