"""Every recorded number equals PyTorch's, eagerly, compiled and in a loop; the record keeps."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from support.torch_twin import LAYERS, batches, ours, theirs

import retrograd as rg
from retrograd import nn, optim
from retrograd.autodiff.hooks import hooks
from retrograd.compiler import pack
from retrograd.diagnosis.probes import ring
from retrograd.diagnosis.probes.arrays import element_count, elements, row_count, rows
from retrograd.diagnosis.probes.steps import next_due
from retrograd.diagnosis.record import store as record_store
from retrograd.diagnosis.record.record import SERIES, Record
from retrograd.diagnosis.recorder import Recorder
from retrograd.errors import DataError

STEPS = 40


def run(step, x, y, way: str):
    if way == "over":
        half = len(x) // 2
        step = rg.compile(step)
        for part in (slice(half), slice(half, None)):
            step.over(x[part], y[part])
    else:
        step = rg.compile(step) if way == "compiled" else step
        for xs, ys in zip(x, y, strict=True):
            step(xs, ys)


@pytest.fixture(scope="module", params=["eager", "compiled", "over"])
def way(request) -> str:
    return request.param


@pytest.fixture(scope="module", params=[None, 0.5])
def twins(request, way):
    model, optimizer, step = ours(request.param)
    x, y = batches(STEPS)
    expected = theirs(model.state_dict(), x, y, request.param)
    with rg.record(model, optimizer) as record:
        run(step, x, y, way)
    return record, expected


def test_every_step_is_recorded_once_in_order(twins) -> None:
    record, _ = twins
    np.testing.assert_array_equal(record.steps, np.arange(1, STEPS + 1))


def test_all_series_of_each_step_are_pytorchs(twins) -> None:
    record, expected = twins
    columns = {c for part in record.parts for c in part.columns} | {
        ("update_ratio", name) for name in record.subjects("update_norm")
    }
    compared = set()
    for series, subject in columns - {("dead", "1"), ("saturated", "3")}:
        found = record.series(series, subject)
        for i in np.flatnonzero(np.isfinite(found)):
            compared.add(series)
            wanted = expected[i][series, subject]
            assert found[i] == pytest.approx(wanted, rel=2e-3, abs=2e-5), (series, subject, i + 1)
    assert compared | {"dead", "saturated"} == {each.name for each in SERIES}


def test_what_is_scheduled_is_measured_in_the_steps_promised(twins) -> None:
    record, _ = twins
    near = record.steps[np.isfinite(record.series("std", "0"))]
    assert near.tolist() == [1, 9, 17, 33]
    pairs = record.steps[np.isfinite(record.series("gradient_cosine"))]
    assert pairs.tolist() == [2, 18, 34]
    for each in SERIES:
        if not each.scheduled:
            subjects = [""] if each.of == "step" else record.subjects(each.name)
            for subject in subjects:
                assert np.isfinite(record.series(each.name, subject)).all(), (each.name, subject)


def test_blocks_of_compiled_steps_follow_one_another_around_the_ring() -> None:
    model, optimizer, step = ours()
    step = rg.compile(step)
    x, y = batches(1)
    losses = []
    with rg.record(model, optimizer) as record:
        for steps in (50, 120, 7, 300):
            losses += [step(x[0], y[0]).item() for _ in range(steps)]
            assert len(record.steps) == len(losses)
    np.testing.assert_array_equal(record.steps, np.arange(1, 478))
    np.testing.assert_allclose(record.series("loss"), losses, rtol=1e-6)
    assert np.isfinite(record.matrix("update_norm")).all()


def test_no_scheduled_step_of_a_long_run_is_overwritten_by_a_later_one(monkeypatch) -> None:
    # As few rows as a large network's rings have; small arrays would be packed together.
    monkeypatch.setattr(ring, "_PACKED", 0)
    monkeypatch.setattr(pack, "_FEWEST", 1 << 20)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    optimizer = optim.SGD(model.parameters(), lr=1e-3)

    @rg.compile
    def step(x):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()

    x = np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32)
    with rg.record(model, optimizer) as record:
        for _ in range(1030):
            step(x)
    np.testing.assert_array_equal(record.steps, np.arange(1, 1031))
    measured = record.steps[np.isfinite(record.series("std", "0"))]
    assert list(measured) == [1, 9, 17, 33, 257, 513, 769, 1025]


def test_units_that_do_nothing_are_counted(twins) -> None:
    record, _ = twins
    # At first one of 16, then those that rest for all of the window.
    assert record.series("dead", "1")[0] >= 1 / 16
    assert record.series("saturated", "3")[0] >= 1 / 16
    assert record.series("dead", "1")[-1] == 1 / 16
    assert record.layers[1].rectifies
    assert record.layers[3].bounds == (-0.99, 0.99)


def test_the_record_says_of_what_it_is(twins) -> None:
    record, _ = twins
    assert tuple(layer.name for layer in record.layers) == LAYERS
    assert [layer.kind for layer in record.layers] == ["Linear", "ReLU", "Linear", "Tanh", "Linear"]
    assert record.layers[2].parameters == ("2.weight", "2.bias")
    assert record.optimizer[0] == "SGD"
    assert record.optimizer[1]["lr"] == 0.01
    weight = record.parameters[0]
    assert (weight.name, weight.shape, weight.optimized, weight.sample) == (
        "0.weight",
        (16, 6),
        True,
        96,
    )


def test_the_noise_scale_is_that_of_the_pairs(twins) -> None:
    record, _ = twins
    dot, square = record.series("gradient_dot"), record.series("gradient_square")
    i = 33  # the third pair, in step 34
    signal, noise = np.nanmean(dot[: i + 1]), np.nanmean((square - dot)[: i + 1]) * 8
    expected = noise / signal if signal > 0 else np.inf
    assert record.noise_scale()[i] == pytest.approx(expected, rel=1e-4)
    assert np.isnan(record.noise_scale()[0])


def test_the_noise_scale_is_known_for_gradients_of_a_known_spread() -> None:
    # The gradient of a mean of (w - x)²/2 is w - mean(x): |G|² = |w|², tr(Σ) = the dimension.
    rng = np.random.default_rng(0)
    weight = rg.Parameter(np.full(50, 0.5, np.float32))

    class Point(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = weight

        def forward(self, x):
            return ((self.weight - x) ** 2).sum(1) / 2

    model = Point()
    optimizer = optim.SGD(model.parameters(), lr=0.0)

    def step(x):
        optimizer.zero_grad()
        model(x).mean().backward()
        optimizer.step()

    with rg.record(model, optimizer) as record:
        for _ in range(800):
            step(rng.standard_normal((10, 50)).astype(np.float32))
    assert record.noise_scale(span=1000)[-1] == pytest.approx(50 / (50 * 0.25), rel=0.15)


# Dead units over the window -----------------------------------------------------------------------


@pytest.mark.parametrize("compiled", [False, True])
def test_a_unit_is_dead_after_a_window_of_silence_and_alive_at_once(compiled: bool) -> None:
    model = nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU())
    model[0].weight.data = np.array([[1.0], [2.0]], np.float32)
    optimizer = optim.SGD(model.parameters(), lr=0.0)

    def step(x):
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()

    step = rg.compile(step) if compiled else step
    wakes = {1, 2, 60}
    with rg.record(model, optimizer) as record:
        for i in range(1, 70):
            step(np.full((4, 1), 1.0 if i in wakes else -1.0, np.float32))
    dead = record.series("dead", "1")
    assert record.window == 32
    expected = [float(2 + 32 <= i < 60) for i in range(1, 70)]
    np.testing.assert_array_equal(dead, expected)


# Large layers are sampled -------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(128, 784), (64, 64), (10, 4096), (33, 1, 77), (3000,), (5, 3)])
def test_a_sample_of_a_weight_is_as_long_as_said_and_spread_over_its_rows(shape) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    seen = elements(array, 1024)
    assert len(seen) == element_count(shape, 1024) == len(np.unique(seen))
    if array.size <= 1024:
        np.testing.assert_array_equal(seen, array.ravel())
    else:
        assert 512 <= len(seen) < 768
        width = array[0].size
        _, by_row = np.unique(seen // width, return_counts=True)
        _, by_column = np.unique(seen % width, return_counts=True)
        for times, there in (by_row, len(array)), (by_column, width):
            assert len(times) >= min(there, 500)
            assert times.max() - times.min() <= 1


def test_a_sample_leaves_out_no_column_where_all_short_strides_meet_the_same_ones() -> None:
    array = np.arange(20 * 60).reshape(20, 60)  # 60 has factors in common with 2 and 3
    assert len(np.unique(elements(array, 1024) % 60)) == 60


def test_a_sample_of_an_output_is_whole_rows() -> None:
    array = np.random.default_rng(0).standard_normal((64, 32, 28, 28))
    assert len(rows(array)) == row_count(array.shape) == 1
    assert len(rows(np.zeros((64, 128)))) == row_count((64, 128)) == 64
    assert len(rows(np.zeros((64, 1000)))) == row_count((64, 1000)) == 16


@pytest.mark.parametrize("way", ["compiled", "over"])
def test_of_a_large_weight_scheduled_gradients_are_exact_and_others_near(way: str) -> None:
    rg.manual_seed(0)
    model = nn.Sequential(nn.Linear(200, 100), nn.ReLU(), nn.Linear(100, 1))
    optimizer = optim.SGD(model.parameters(), lr=1e-2)

    def step(x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    x = np.random.default_rng(0).standard_normal((18, 32, 200)).astype(np.float32)
    before = model.state_dict()
    with rg.record(model, optimizer) as record:
        run(lambda x, _: step(x), x, x[..., :1], way)
    model.load_state_dict(before)
    for i, xs in enumerate(x):
        weight = np.array(model[0].weight.data)
        step(xs)
        gradient = model[0].weight.grad.numpy()
        exact = i + 1 in (1, 9, 17)
        found = record.series("gradient_norm", "0.weight")[i]
        assert found == pytest.approx(np.linalg.norm(gradient), rel=1e-4 if exact else 0.25)
        found = record.series("weight_norm", "0.weight")[i]
        assert found == pytest.approx(np.linalg.norm(weight), rel=0.1)
        found = record.series("update_norm", "0.weight")[i]
        assert found == pytest.approx(1e-2 * np.linalg.norm(gradient), rel=0.25)


def test_channels_are_the_units_of_a_convolution() -> None:
    rg.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    model[0].bias.data = np.array([0, -100, 0, 0], np.float32)
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    with rg.record(model, optimizer) as record:
        model(np.random.default_rng(0).standard_normal((5, 1, 8, 8)).astype("f4")).sum().backward()
        optimizer.step()
    assert [(each.name, each.units) for each in record.layers] == [("0", 4), ("1", 4), ("3", 2)]
    assert record.series("dead", "1").tolist() == [0.25]


# Functions, calls, facts --------------------------------------------------------------------------


class Twice(nn.Module):
    """A layer used twice, an activation called as a function, and a weight that nothing uses."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.idle = nn.Linear(4, 4)

    def forward(self, x):
        return rg.tanh(self.norm(self.layer(rg.relu(self.layer(x)))))


def one_step(model, optimizer, x, clear: bool = True) -> None:
    if clear:
        optimizer.zero_grad()
    (model(x) ** 2).mean().backward()
    optimizer.step()


@pytest.mark.parametrize("compiled", [False, True])
def test_calls_and_functions_are_layers_of_their_own(compiled: bool) -> None:
    rg.manual_seed(0)
    model = Twice()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    step = rg.compile(one_step) if compiled else one_step
    with rg.record(model, optimizer) as record:
        step(model, optimizer, x)
    names = [layer.name for layer in record.layers]
    assert names == ["layer", "relu", "layer #2", "norm", "tanh"]
    assert record.facts.no_gradient == record.facts.never == ("idle.bias", "idle.weight")
    assert not record.facts.kept_gradients
    assert "idle.weight" not in record.subjects("gradient_norm")


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_that_are_never_cleared_are_noticed(compiled: bool) -> None:
    model = nn.Sequential(nn.Linear(4, 4))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x = np.ones((6, 4), np.float32)
    step = rg.compile(one_step) if compiled else one_step
    with rg.record(model, optimizer) as record:
        for _ in range(3):
            step(model, optimizer, x, clear=False)
    assert record.facts.kept_gradients


def test_layers_in_the_wrong_mode_are_noticed() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm1d(4))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x = np.ones((6, 4), np.float32)
    with rg.record(model, optimizer) as record:
        with rg.no_grad():
            model(x)
        one_step(model.eval(), optimizer, x)
    assert record.facts.trained_in_eval == ("1", "2")
    assert record.facts.evaluated_in_train == ("1", "2")


def test_equal_units_are_counted_at_the_start() -> None:
    model = nn.Sequential(nn.Linear(3, 4))
    model[0].weight.data = np.array([[1, 2, 3], [1, 2, 3], [0, 0, 1], [4, 5, 6]], np.float32)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with rg.record(model, optimizer) as record:
        one_step(model, optimizer, np.ones((2, 3), np.float32))
    assert record.parameters[0].equal_units == 0.5


def test_recording_changes_no_step_and_leaves_nothing_behind() -> None:
    x, y = batches(20)
    losses = []
    for recorded in (False, True):
        model, optimizer, step = ours()
        step = rg.compile(step)
        if recorded:
            with rg.record(model, optimizer):
                losses.append([step(xs, ys).item() for xs, ys in zip(x, y, strict=True)])
        else:
            losses.append([step(xs, ys).item() for xs, ys in zip(x, y, strict=True)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert hooks.active == ()


def test_steps_of_another_optimizer_are_not_recorded() -> None:
    _model, _optimizer, step = ours()
    other, _, _ = ours()
    x, y = batches(2)
    other_optimizer = optim.SGD(other.parameters(), lr=0.1)
    with rg.record(other, other_optimizer) as record:
        step(x[0], y[0])
        one_step(other, other_optimizer, x[0])
    assert record.steps.tolist() == [1]


# On disk ------------------------------------------------------------------------------------------


def test_a_folder_keeps_what_memory_keeps(tmp_path: Path) -> None:
    records = []
    for folder in (None, tmp_path / "record"):
        model, optimizer, step = ours()
        with rg.record(model, optimizer, folder) as record:
            run(step, *batches(30), "eager")
        records.append(record)
    records.append(Record.open(tmp_path))
    for record in records[1:]:
        assert record.parts == records[0].parts
        assert record.facts == records[0].facts
        for part in record.parts:
            for column in part.columns:
                np.testing.assert_array_equal(record.series(*column), records[0].series(*column))


def test_no_record_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no record of its training"):
        Record.open(tmp_path)


def test_a_torn_end_is_passed_over(tmp_path: Path) -> None:
    model, optimizer, step = ours()
    recorder = Recorder(tmp_path)
    with recorder.watching(model, optimizer):
        run(step, *batches(5), "eager")
    recorder.add_epoch(1, 0.5, 0.25, best=True)
    recorder.add_epoch(2, 0.4, 0.2, best=True)
    whole = Record.open(tmp_path)
    steps = whole.steps.copy()
    for name in [f"{i:03d}.rows" for i in range(len(whole.parts))]:
        with (tmp_path / name).open("ab") as file:
            file.write(b"torn")
    with (tmp_path / "epochs.jsonl").open("r+b") as file:
        file.truncate(file.seek(0, 2) - 7)
    torn = Record.open(tmp_path)
    np.testing.assert_array_equal(torn.steps, steps)
    assert [each["epoch"] for each in torn.epochs] == [1]
    recorder.add_epoch(3, 0.3, 0.1)
    assert [each["epoch"] for each in torn.epochs] == [1, 3]


def test_a_killed_run_keeps_its_record(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, signal, sys
        sys.path.insert(0, sys.argv[2])
        from support.torch_twin import batches, ours
        import retrograd as rg
        model, optimizer, step = ours()
        x, y = batches(1)
        with rg.record(model, optimizer, sys.argv[1]):
            for i in range(1000):
                step(x[0], y[0])
                if i == 300:
                    os.kill(os.getpid(), signal.SIGKILL)
    """)
    here = str(Path(__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path), here], check=False)
    assert done.returncode == -9
    steps = Record.open(tmp_path).steps
    assert 200 <= len(steps) <= 301
    np.testing.assert_array_equal(steps, np.arange(1, len(steps) + 1))


def test_a_compiled_run_writes_at_least_every_second_or_so(tmp_path: Path) -> None:
    model, optimizer, step = ours()
    x, y = batches(1)
    step = rg.compile(step)
    with rg.record(model, optimizer, tmp_path):
        for _ in range(4):
            step(x[0], y[0])
            time.sleep(1.05)
        assert len(Record.open(tmp_path).steps) >= 2


def test_a_long_record_grows_with_the_logarithm(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(record_store, "_BYTES_PER_STRIDE", 20 * 16)
    for store in (record_store.FolderStore(tmp_path), record_store.MemoryStore()):
        part = store.begin({})
        for start in range(1, 201, 10):
            rows = np.zeros(10, record_store.row_type(2))
            rows["step"] = np.arange(start, start + 10)
            store.append(part, rows)
        steps = store.rows(part, 2)["step"]
        assert steps[:20].tolist() == list(range(1, 21))
        assert steps[20:40].tolist() == list(range(22, 61, 2))
        assert steps[40:].tolist() == [*range(64, 141, 4), *range(144, 201, 8)]


@pytest.mark.parametrize(("step", "due"), [(1, 1), (2, 9), (33, 33), (34, 257), (258, 513)])
def test_scheduled_steps(step: int, due: int) -> None:
    assert next_due(step) == due


def test_findings_are_of_the_loss_and_the_rows_that_are_given(rng: np.random.Generator) -> None:
    x = rng.normal(size=(200, 3)).astype(np.float32)
    y = x @ np.array([[2.0], [1.0], [-1.0]], np.float32)
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=1e-5)

    def found(**known):
        with rg.record(model, optimizer, **known) as record:
            for _ in range(20):
                optimizer.zero_grad()
                nn.mse_loss(model(x), y).backward()
                optimizer.step()
        return {each.code for each in record.findings() if each.severity != "note"}

    # Only beside a linear model of the same rows is it seen that the network could do better.
    assert "RG503" not in found()
    assert "RG503" in found(loss=nn.mse_loss, data=(x, y))
    assert "RG503" in found(loss=nn.mse_loss, data=(x[:100], y[:100]), valid=(x[100:], y[100:]))
    with pytest.raises(TypeError, match="record: data is of type ndarray"):
        rg.record(model, optimizer, data=x)
    with pytest.raises(TypeError, match="record: loss is of type str"):
        rg.record(model, optimizer, loss="mse")
