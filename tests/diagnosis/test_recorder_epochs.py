"""Between epochs: curvature is the Hessian's, histograms count, held-out answers are tabled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.probes.curvature import Curvature
from retrograd.diagnosis.record import store
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.recorder import Recorder
from retrograd.training.callbacks import Callback
from retrograd.training.history import Epoch
from retrograd.training.objective import Classification, Regression
from retrograd.training.sources import Rows
from retrograd.training.trainer import Trainer

RNG = np.random.default_rng(0)
X = RNG.standard_normal((96, 3)).astype(np.float32)


def small() -> nn.Module:
    rg.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


def small_line() -> nn.Module:
    rg.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 1))


def hessian_by_torch(state: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    shapes = [value.shape for value in state.values()]
    flat = torch.tensor(np.concatenate([v.ravel() for v in state.values()]), dtype=torch.float64)
    x, y = torch.tensor(x, dtype=torch.float64), torch.tensor(y)

    def loss(flat):
        parts = torch.split(flat, [int(np.prod(shape)) for shape in shapes])
        w1, b1, w2, b2 = (part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
        return torch.nn.functional.cross_entropy(torch.tanh(x @ w1.T + b1) @ w2.T + b2, y)

    return torch.autograd.functional.hessian(loss, flat).numpy()


def test_curvature_is_that_of_pytorchs_hessian() -> None:
    model = small()
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    hessian = hessian_by_torch(model.state_dict(), X, y)
    values = np.linalg.eigvalsh(hessian)
    largest = values[np.abs(values).argmax()]
    found = Curvature(model.parameters()).measure(nn.cross_entropy(model(X), y), 400)
    assert found["largest"] == pytest.approx(largest, rel=1e-2)
    assert found["products"] == 800
    assert abs(found["trace"] - np.trace(hessian)) < 4 * found["trace_error"]
    # The variance of vᵀHv over random signs is twice the off-diagonal's sum of squares.
    off = hessian - np.diag(np.diag(hessian))
    assert found["trace_error"] == pytest.approx(np.sqrt(2 * (off**2).sum() / 400), rel=0.25)


def test_a_later_measurement_goes_on_from_the_direction_found() -> None:
    model = small()
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    curvature = Curvature(model.parameters())
    first = [curvature.measure(nn.cross_entropy(model(X), y), 1)["largest"] for _ in range(60)]
    fresh = Curvature(model.parameters()).measure(nn.cross_entropy(model(X), y), 1)
    assert fresh["products"] == 2
    assert abs(first[-1] - first[-2]) < 1e-3 * abs(first[-1]) < abs(fresh["largest"] - first[-1])


def test_a_loss_without_curvature_or_that_is_no_number_has_none_or_nothing() -> None:
    model = nn.Sequential(nn.Linear(3, 1))
    assert Curvature(model.parameters()).measure(model(X).sum(), 2)["largest"] == 0.0
    bad = rg.log(model(X) * 0 - 1).sum()
    assert Curvature(model.parameters()).measure(bad, 2) == {}


def trained(
    objective, model: nn.Module, y: np.ndarray, epochs: int, folder: Path, start=None, more=()
) -> Trainer:
    trainer = Trainer(model, objective, optim.Adam(model.parameters(), lr=1e-2))
    if start is not None:
        trainer.load_state(start)
    trainer.fit(
        Rows((X[:64],), y[:64]),
        Rows((X[64:],), y[64:]),
        epochs=epochs,
        batch_size=8,
        seed=0,
        callbacks=[Recorder(folder), *more],
    )
    return trainer


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[Trainer, Record]:
    folder = tmp_path_factory.mktemp("run")
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    trainer = trained(Classification(2), small(), y, 5, folder / "record")
    return trainer, Record.open(folder)


def test_a_trainers_steps_and_epochs_are_recorded_and_its_validation_is_not(run) -> None:
    trainer, record = run
    assert trainer.steps == 40
    np.testing.assert_array_equal(record.steps, np.arange(1, 41))
    assert [each["epoch"] for each in record.epochs] == [1, 2, 3, 4, 5]
    assert [each["step"] for each in record.epochs] == [8, 16, 24, 32, 40]
    for line, epoch in zip(record.epochs, trainer.history.epochs, strict=True):
        assert line["train_loss"] == epoch.train_loss
        assert line["validation_loss"] == epoch.validation_loss
        steps = slice(line["step"] - 8, line["step"])
        mean = record.series("loss")[steps].mean()
        assert mean == pytest.approx(epoch.train_loss, rel=1e-5)
    assert not record.facts.evaluated_in_train


def test_held_out_answers_are_tabled_after_epochs_1_2_4_and_the_last(run) -> None:
    _, record = run
    tables = {each["epoch"]: each.get("confusion") for each in record.epochs}
    assert [epoch for epoch, table in tables.items() if table is not None] == [1, 2, 4, 5]
    y = (X[64:, 0] * X[64:, 1] > 0).astype(np.int64)
    table = np.array(tables[4])
    np.testing.assert_array_equal(table.sum(1), np.bincount(y))
    accuracy = record.epochs[3]["scores"]["accuracy"]
    assert accuracy == np.trace(table) / 32


def test_histograms_count_the_weights_at_the_start_and_after(run) -> None:
    _, record = run
    found = record.histograms("weight", "0.weight")
    assert [each.step for each in found] == [0, 8, 16, 32]
    assert all(sum(each.counts) == 15 for each in found)
    start = small()[0].weight.numpy()
    assert (found[0].low, found[0].high) == pytest.approx((start.min(), start.max()))
    counts, _ = np.histogram(start, 40)
    np.testing.assert_array_equal(found[0].counts, counts)
    outputs = record.histograms("activation", "1")
    assert [sum(each.counts) for each in outputs] == [8 * 5] * 4
    assert -1 <= outputs[0].low < outputs[0].high <= 1


def test_residuals_of_a_regression_are_quantiles_of_truth_less_prediction(tmp_path) -> None:
    model = small_line()
    trainer = trained(Regression(), model, X.sum(1), 2, tmp_path / "record")
    last = Record.open(tmp_path).epochs[-1]
    assert last["best"]  # so that the model has the weights of that epoch again
    error = X[64:].sum(1) - model(rg.Tensor(X[64:])).numpy()[:, 0]
    np.testing.assert_allclose(last["residuals"], np.quantile(error, np.linspace(0, 1, 21)), 1e-4)
    assert last["scores"]["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
    assert trainer.validation is not None


def test_of_a_run_gone_on_with_from_a_checkpoint_later_steps_are_forgotten(tmp_path) -> None:
    class Checkpoint(Callback):
        def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
            if epoch.epoch == 2:
                self.state = trainer.state()

    checkpoint, y = Checkpoint(), X.sum(1)
    trained(Regression(), small_line(), y, 5, tmp_path / "record", more=[checkpoint])
    lasting = Record.open(tmp_path).series("loss").tolist()[:16]
    trained(Regression(), small_line(), y, 3, tmp_path / "record", start=checkpoint.state)
    record = Record.open(tmp_path)
    np.testing.assert_array_equal(record.steps, np.arange(1, 25))
    assert record.series("loss").tolist()[:16] == lasting
    assert [each["epoch"] for each in record.epochs] == [1, 2, 3]
    assert max(each.step for each in record.histograms("weight", "0.weight")) <= 24


class KilledIn(Callback):
    """Keeps what a checkpoint holds after one step, and ends the run after another."""

    def __init__(self, recorder: Recorder, kept: int, last: int) -> None:
        self.recorder, self.kept, self.last = recorder, kept, last

    def on_batch_end(self, trainer: Trainer, losses: np.ndarray) -> None:
        if trainer.steps == self.kept:
            self.state = trainer.state() | self.recorder.state()
        if trainer.steps == self.last:
            raise InterruptedError

    def on_train_end(self, trainer: Trainer, history: object) -> None:
        if trainer.steps == self.kept:
            self.state = trainer.state() | self.recorder.state()


def test_a_resumed_record_is_that_of_an_uninterrupted_run_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrograd.training.sources.STEPS_PER_CALL", 3)  # two steps a call
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)

    def run(recorder: Recorder, state: dict[str, np.ndarray], *more: Callback) -> None:
        model = small()
        trainer = Trainer(model, Classification(2), optim.Adam(model.parameters(), lr=1e-2))
        if state:
            trainer.load_state(state)
        recorder.load_state(state)
        data = Rows((X[:64],), y[:64]), Rows((X[64:],), y[64:])
        callbacks = [recorder, *more]
        trainer.fit(*data, epochs=9, batch_size=8, seed=0, callbacks=callbacks)

    run(Recorder(tmp_path / "whole"), {})
    first = Recorder(tmp_path / "parts")
    killed = KilledIn(first, 14, 22)  # six steps an epoch
    with pytest.raises(InterruptedError):
        run(first, {}, killed)
    again = Recorder(tmp_path / "parts")
    ended = KilledIn(again, 54, 0)
    run(again, killed.state, ended)
    run(Recorder(tmp_path / "parts"), ended.state)  # killed at its end, no step is left
    folders = (tmp_path / name for name in ("whole", "parts"))
    whole, parts = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders)
    assert whole.keys() == parts.keys()
    for name, contents in whole.items():
        assert parts[name] == contents, name


def test_what_is_thinned_does_not_depend_on_how_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_BYTES_PER_STRIDE", 100)
    rows = np.zeros(200, store.row_type(2))
    rows["step"] = np.arange(1, 201)

    def kept(size: int) -> list[int]:
        found: list[int] = []
        for start in range(0, 200, size):
            more = store.thinned(rows[start : start + size], rows.itemsize * len(found))
            found += more["step"].tolist()
        return found

    assert kept(1)[:9] == [1, 2, 3, 4, 5, 6, 7, 8, 10]  # 16 bytes a row, so 7 before the first 100
    assert kept(200) == kept(7) == kept(1)
