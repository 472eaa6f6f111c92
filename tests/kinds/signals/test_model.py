"""Signals from an NPZ file: augmented in training only, told apart by both networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.kind import DataSpec, Prepared
from retrograd.kinds.registry import prepare
from retrograd.kinds.signals.kind import SIGNALS
from retrograd.kinds.signals.model import SignalsModel
from retrograd.kinds.signals.options import SignalsOptions
from retrograd.models.signals.cnn import SignalCNN
from retrograd.models.signals.network import AugmentSignal, SignalNetwork
from retrograd.models.signals.recurrent import SignalGRU, SignalLSTM
from retrograd.tensor import Tensor


def bumps(rows: int, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Signals (rows, 20): a bump somewhere, that points up in one class and down in the other."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    place = rng.integers(3, 17, (rows, 1))
    bump = np.exp(-0.5 * (np.arange(20) - place) ** 2)
    return 7 + 3 * (bump * (2 * y[:, None] - 1) + rng.normal(0, 0.1, (rows, 20))), y


def saved(folder: Path, **arrays: Any) -> str:
    path = folder / "signals.npz"
    np.savez(path, **arrays)
    return str(path)


def prepared(folder: Path, rows: int = 120, **options: Any) -> Prepared:
    x, y = bumps(rows)
    x_test, y_test = bumps(60, seed=1)
    path = saved(folder, x=x, y=y, x_test=x_test, y_test=y_test)
    return prepare("signals", DataSpec(path), SignalsOptions(**{"epochs": 2, **options}))


# The augmentation ----------------------------------------------------------------------------


def test_signals_pass_unchanged_in_evaluation(rng: np.random.Generator) -> None:
    x = Tensor(rng.normal(0, 1, (3, 2, 9)).astype(np.float32))
    augment = AugmentSignal(shift=0.5, scale=0.5, noise=1.0).eval()
    np.testing.assert_array_equal(augment(x).numpy(), x.numpy())


def test_a_shift_moves_whole_steps_and_repeats_the_ends() -> None:
    x = np.tile(np.arange(10, dtype=np.float32), (200, 2, 1))
    moved = AugmentSignal(shift=0.3)(Tensor(x)).numpy()
    by = moved[:, 0, 5] - 5
    assert set(by.tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    expected = np.clip(np.arange(10) + by[:, None], 0, 9)
    np.testing.assert_array_equal(moved[:, 0], expected)
    np.testing.assert_array_equal(moved[:, 1], expected)


def test_scale_and_noise_have_the_sizes_asked_for() -> None:
    ones = Tensor(np.ones((4000, 1, 5), np.float32))
    scaled = AugmentSignal(scale=0.2)(ones).numpy()
    assert (scaled == scaled[:, :, :1]).all()
    assert 0.8 <= scaled.min() < 0.81
    assert 1.19 < scaled.max() <= 1.2
    noisy = AugmentSignal(noise=0.3)(ones).numpy()
    assert noisy.std() == pytest.approx(0.3, rel=0.05)
    assert noisy.mean() == pytest.approx(1, abs=0.01)


# The networks --------------------------------------------------------------------------------


def randomized(network: nn.Module, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Random weights and running statistics; the same for torch."""
    for name, value in network.state_dict().items():
        if np.asarray(value).dtype.kind == "f":
            draw = rng.uniform(0.5, 1.5, np.shape(value)) - ("weight" in name)
            network.load_state_dict({**network.state_dict(), name: draw.astype(np.float32)})
    network.eval()
    return {name: torch.tensor(np.array(value)) for name, value in network.state_dict().items()}


def test_the_cnn_is_its_layers_in_torch(rng: np.random.Generator) -> None:
    network = SignalCNN(2, 12, 3, widths=(4, 5, 6))
    w = randomized(network, rng)
    x = rng.normal(0, 1, (3, 2, 12)).astype(np.float32)
    y = torch.tensor(x)
    at = 0
    for length in (12, 6, 3):
        y = torch.nn.functional.conv1d(y, w[f"stages.{at}.weight"], padding=2)
        norm = [
            w[f"stages.{at + 1}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")
        ]
        y = torch.nn.functional.batch_norm(y, *norm).relu()
        if length > 4:
            y = torch.nn.functional.max_pool1d(y, 2)
        at += 4
    found = torch.cat([y.mean(2), y.amax(2)], 1)
    expected = found @ w["head.weight"].T + w["head.bias"]
    np.testing.assert_allclose(network(x).numpy(), expected.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(SignalGRU, torch.nn.GRU), (SignalLSTM, torch.nn.LSTM)]
)
def test_the_recurrent_networks_are_torchs(
    ours: Any, theirs: Any, rng: np.random.Generator
) -> None:
    network = ours(2, 12, 3, width=4)
    w = randomized(network, rng)
    twin = theirs(2, 4, 2, batch_first=True, bidirectional=True)
    twin.load_state_dict({n[10:]: value for n, value in w.items() if n.startswith("recurrent.")})
    x = rng.normal(0, 1, (3, 2, 12)).astype(np.float32)
    states, _ = twin(torch.tensor(x).transpose(1, 2))
    found = torch.cat([states.mean(1), states.amax(1)], 1)
    expected = (found @ w["head.weight"].T + w["head.bias"]).detach()
    np.testing.assert_allclose(network(x).numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("time", [1, 2, 3, 5, 8, 33])
@pytest.mark.parametrize("model", [SignalCNN, SignalGRU])
def test_signals_of_any_length_are_read(model: Any, time: int) -> None:
    x = np.zeros((2, 1, time), np.float32)
    assert model(1, time, 3).eval()(x).shape == (2, 3)


def test_signals_are_standardized_by_channel(rng: np.random.Generator) -> None:
    body = nn.Identity()
    network = SignalNetwork([1.0, 10.0], [2.0, 5.0], AugmentSignal(), body)
    x = np.array([[[1.0, 3.0], [10.0, 15.0]]], np.float32)
    assert network(Tensor(x)).numpy().tolist() == [[[0, 1], [0, 1]]]


# The run -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["cnn", "gru"])
def test_bumps_are_told_apart(model: str, tmp_path: Path) -> None:
    run = prepared(tmp_path, 400, model=model, epochs=10, batch_size=32, learning_rate=0.01)
    run.fit()
    scores = run.model.score(run.split.test)
    assert scores.rows == 60
    assert scores.metrics["accuracy"] > 0.95
    assert scores.metrics["accuracy"] > scores.baseline["accuracy"] + 0.3
    again = SignalsModel.from_json(
        run.model.to_json(), SignalsOptions.from_json(run.options.to_options().to_json())
    )
    again.network.load_state_dict(run.model.network.state_dict())
    np.testing.assert_array_equal(again.predict(run.split.test), run.model.predict(run.split.test))


def test_the_running_statistics_are_averaged_with_the_weights(tmp_path: Path) -> None:
    run = prepared(tmp_path, model="cnn")
    averaged = {id(each) for each in run.trainer.average.parameters}
    statistics = [buffer for name, buffer in run.model.network.named_buffers() if "running" in name]
    assert statistics
    assert all(id(buffer) in averaged for buffer in statistics)


def test_the_files_own_parts_are_kept_apart(tmp_path: Path) -> None:
    run = prepared(tmp_path, valid=0.25)
    assert (len(run.train), len(run.validation), len(run.split.test)) == (90, 30, 60)
    np.testing.assert_array_equal(run.split.test.x[:, 0], bumps(60, seed=1)[0].astype(np.float32))
    x, y = bumps(40)
    path = saved(tmp_path, x_train=x, y_train=y, x_val=x[:7], y_val=y[:7])
    run = prepare("signals", DataSpec(path, test=0.25), SignalsOptions(epochs=1))
    assert (len(run.train), len(run.validation), len(run.split.test)) == (30, 7, 10)


def test_other_arrays_are_said_to_be_unused(tmp_path: Path) -> None:
    x, y = bumps(40)
    run = prepare("signals", DataSpec(saved(tmp_path, x=x, y=y, t=x[0])), SignalsOptions(epochs=1))
    assert any(note.startswith("Not used: 't'") for note in run.notes)


@pytest.mark.parametrize("labels", [["up", "down"], [b"up", b"down"], [3.0, 7.0], [3, 7]])
def test_labels_are_classes_by_their_texts(labels: Any, tmp_path: Path) -> None:
    x, y = bumps(60)
    run = prepare(
        "signals", DataSpec(saved(tmp_path, x=x, y=np.array(labels)[y])), SignalsOptions()
    )
    expected = [
        each.decode()
        if isinstance(each, bytes)
        else str(int(each))
        if not isinstance(each, str)
        else each
        for each in labels
    ]
    assert run.model.classes == tuple(sorted(expected))
    names = np.array(run.model.classes)[run.train.target]
    assert set(names) == set(expected)


def test_channels_come_second(tmp_path: Path) -> None:
    x, y = bumps(40)
    both = np.stack([x, -x], 1)
    run = prepare("signals", DataSpec(saved(tmp_path, x=both, y=y)), SignalsOptions(epochs=1))
    assert run.model.shape == (2, 20)
    assert [row.column for row in run.model.columns()] == ["channel 0", "channel 1"]


def test_predictions_are_a_row_a_signal(tmp_path: Path) -> None:
    run = prepared(tmp_path)
    path = tmp_path / "new.npz"
    np.savez(path, x=bumps(5)[0])
    data = run.model.read(path, [], labeled=False)
    table = run.model.predictions(data, []).to_native()
    assert table.column_names == ["signal", "probability_0", "probability_1", "prediction"]
    assert table["signal"].to_pylist() == [1, 2, 3, 4, 5]
    answers = run.model.predict(data)
    np.testing.assert_allclose(table["probability_1"].to_pylist(), answers[:, 1])
    assert table["prediction"].to_pylist() == [str(each) for each in answers.argmax(1)]


def test_the_test_part_of_a_file_is_what_is_measured(tmp_path: Path) -> None:
    run = prepared(tmp_path)
    notes: list[str] = []
    data = run.model.read(tmp_path / "signals.npz", notes, labeled=True)
    assert run.model.score(data) == run.model.score(run.split.test)
    assert notes[0].startswith("The test part of")


X, Y = bumps(40)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X, "y": Y + 0.5 * (np.arange(40) % 3)}, "numbers with fractions"),
        ({"x": X, "y": np.zeros(40, int)}, "1 class for 40 examples"),
        ({"x": X, "y": np.arange(40)}, "40 classes for 40 examples"),
        (
            {"x": X, "y": Y, "x_test": X, "y_test": Y + 1},
            r"the classes '2', which are not in the training data",
        ),
        ({"x": np.zeros((40, 2, 3, 4)), "y": Y}, r"shape \(2, 3, 4\); a signal is"),
    ],
)
def test_what_cannot_be_learned_is_refused(arrays: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"signals\.npz.*{message}"):
        prepare("signals", DataSpec(saved(tmp_path, **arrays)), SignalsOptions())


def test_signals_of_another_shape_are_refused(tmp_path: Path) -> None:
    run = prepared(tmp_path)
    path = tmp_path / "other.npz"
    np.savez(path, x=X[:, :9], y=Y)
    for labeled in (True, False):
        with pytest.raises(DataError, match=r"other\.npz holds signals of 1 channel and 9 steps"):
            run.model.read(path, [], labeled)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Unknown model 'resnet' for signals"):
        prepared(tmp_path, model="resnet")


def test_signals_and_images_are_told_apart(tmp_path: Path) -> None:
    images = tmp_path / "images.npz"
    np.savez(images, x=np.zeros((4, 8, 8), np.uint8), y=Y[:4])
    assert not SIGNALS.holds(images)
    assert SIGNALS.holds(Path(saved(tmp_path, x=X, y=Y)))
    assert not SIGNALS.holds(tmp_path / "table.csv")


def test_a_step_compiles_with_its_random_changes(tmp_path: Path) -> None:
    augment = AugmentSignal(shift=0.2, scale=0.2, noise=0.1)
    x = bumps(6)[0][:, None].astype(np.float32)
    eager = augment(Tensor(x)).numpy()
    rg.manual_seed(0)
    compiled = rg.compile(augment)(x).numpy()
    np.testing.assert_allclose(eager, compiled, rtol=1e-5)
