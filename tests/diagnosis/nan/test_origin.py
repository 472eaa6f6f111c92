"""The origin of each planted NaN is found: eagerly, after compiled steps, in two processes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.planted import BAD, CAUSES, Cause, Formula, Net, batch, planted

import retrograd as rg
from retrograd import nn, optim
from retrograd.autodiff.hooks import hooks
from retrograd.diagnosis.nan import failing_run
from retrograd.diagnosis.nan.failing_run import FailingRun
from retrograd.diagnosis.nan.origin import find_nan
from retrograd.errors import RunError
from retrograd.training.objective import Regression
from retrograd.training.sources import Rows
from retrograd.training.trainer import Trainer

SUPPORT = Path(__file__).parents[2] / "support"


def check(cause: Cause, found: dict, rows: tuple[int, ...] | None = None) -> None:
    rows = cause.rows if rows is None else rows
    assert found["kind"] == cause.kind
    assert found["operation"] == cause.operation
    assert found["layer"] == cause.layer
    assert tuple(found["rows"]) == rows
    assert cause.code in found["code"]
    assert found["file"] == str(SUPPORT / "planted.py")


@pytest.mark.parametrize("cause", CAUSES, ids=[cause.name for cause in CAUSES])
def test_each_cause_is_found_eagerly(cause: Cause) -> None:
    _, step, args = cause.build()
    origin = find_nan(step, *args)
    check(cause, origin.to_json())
    if cause.kind in ("forward", "backward"):
        assert all(each.nans == 0 for each in origin.inputs)
    assert hooks.active == ()


@pytest.fixture(scope="module")
def halves() -> list[dict[str, tuple[bool, dict]]]:
    """What two processes found at the same time, each in its half of the batch."""
    program = [sys.executable, "-m", "support.half_of_the_batch"]
    running = [
        subprocess.Popen([*program, part], cwd=SUPPORT.parent, stdout=subprocess.PIPE, text=True)
        for part in "01"
    ]
    found = []
    for process in running:
        out, _ = process.communicate(timeout=240)
        assert process.returncode == 0
        lines = map(json.loads, out.splitlines())
        found.append({name: (failed, origin) for name, failed, origin in lines})
    return found


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("cause", CAUSES, ids=[cause.name for cause in CAUSES])
def test_each_cause_is_found_after_a_compiled_step_in_two_processes(halves, cause, part) -> None:
    failed, origin = halves[part][cause.name]
    assert failed
    mine = tuple(row - 4 * part for row in cause.rows if row // 4 == part)
    check(cause, origin, mine)


def test_a_finite_step_has_no_origin() -> None:
    _, step, args = planted(lambda x: rg.log(x), batch(0.25))()
    assert find_nan(step, *args) is None


def test_a_mask_that_does_no_harm_is_no_origin() -> None:
    def formula(x):
        # Masked and overflowing, and neither reaches the loss; the division is what does.
        kept = rg.softmax(rg.where(x > 0.3, x, float("-inf")), dim=1)
        return kept / (x - 0.5)

    _, step, args = planted(formula, batch(0.6, good=0.5))()
    origin = find_nan(step, *args)
    assert (origin.kind, origin.operation) == ("forward", "divide")


def test_the_ranges_of_the_inputs_are_told() -> None:
    x = batch(100.0, good=-2.0)
    _, step, args = planted(lambda x: rg.exp(x), x)()
    origin = find_nan(step, *args)
    (seen,) = origin.inputs
    assert (seen.shape, seen.low, seen.high) == ((8, 3), -2.0, 100.0)
    assert (seen.nans, seen.infinities) == (0, 0)
    said = str(origin)
    assert "exp in layer 'head' made infinities in rows 2, 5 of the batch." in said
    assert "-2 to 100" in said


def test_one_step_before_the_loss_shows_it_the_optimizer_is_named() -> None:
    model = Net(Formula(lambda x: x * 50))
    optimizer = optim.Adam(model.parameters(), lr=1e38)

    def step(x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    x = batch(0.5)
    assert find_nan(step, x) is None
    assert find_nan(step, x).kind == "forward"  # weights of 1e38, which overflow in a product


# In a Trainer's run -------------------------------------------------------------------------------


def trainer_of(model: nn.Module, lr: float) -> Trainer:
    return Trainer(model, Regression(), optim.SGD(model.parameters(), lr=lr))


def examples(rows: int = 96) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).uniform(0.2, 1, (rows, 3)).astype(np.float32)
    return x, x.sum(1)


class Logs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = Formula(lambda x: rg.log(x))
        self.out = nn.Linear(3, 1)

    def forward(self, x):
        return self.out(self.head(x))[:, None]


def test_a_run_that_dies_names_the_origin_and_keeps_weights_and_batch(tmp_path: Path) -> None:
    rg.manual_seed(0)
    x, y = examples()
    x[41, 1] = 0  # example 41
    model = Logs()
    trainer = trainer_of(model, 1e-3)
    watch = FailingRun(tmp_path)
    with pytest.raises(RunError) as error:
        trainer.fit(
            Rows((x,), y),
            Rows((x[:8],), y[:8]),
            epochs=3,
            batch_size=8,
            seed=0,
            callbacks=[watch],
        )
    assert watch.origin is not None
    assert (watch.origin.kind, watch.origin.operation) == ("forward", "log")
    assert watch.origin.layer == "head"
    assert "log in layer 'head' made infinities" in str(error.value)
    assert "examples 41" in str(error.value)
    saved = json.loads((tmp_path / "origin.json").read_text())
    assert saved["examples"] == [41]
    weights = load_file(tmp_path / "weights.safetensors")
    assert weights.keys() == model.state_dict().keys()
    assert all(np.isfinite(each).all() for each in weights.values())
    kept = load_file(tmp_path / "batch.safetensors")
    row = watch.origin.rows[0]
    np.testing.assert_array_equal(kept["input0"][row], x[41])
    np.testing.assert_array_equal(kept["target"][row], y[41])


@pytest.mark.parametrize(("lr", "first"), [(50.0, 2), (1.5, 13)])
def test_the_replay_is_of_the_step_that_failed_and_not_of_an_earlier_one(
    monkeypatch, lr: float, first: int
) -> None:
    # The rate is so large that the weights overflow some steps later, with the smaller one in a
    # later call; the state is copied before the first call only.
    monkeypatch.setattr(failing_run, "_SHARE", 1e-12)
    rg.manual_seed(0)
    x, y = examples()
    model = nn.Sequential(nn.Linear(3, 1), Formula(lambda x: x[:, None]))
    trainer = trainer_of(model, lr)
    watch = FailingRun()
    with pytest.raises(RunError) as error:
        trainer.fit(
            Rows((x,), y),
            Rows((x[:8],), y[:8]),
            epochs=9,
            batch_size=8,
            seed=0,
            callbacks=[watch],
        )
    step = int(str(error.value).split("Step ")[1].split(":")[0])
    assert first <= step <= trainer.steps
    assert watch.origin is not None
    assert all(not each.nans and not each.infinities for each in watch.origin.inputs)
    assert max(abs(each.high) for each in watch.origin.inputs) > 1e15


def test_rows_that_are_bad_are_found_by_what_the_batch_took_of_them() -> None:
    x = batch(math.nan)
    rows = Rows((x,), x[:, :1])

    def step(numbers):
        (inputs,), _ = rows.batch(None, numbers)
        return inputs.sum()

    origin = find_nan(step, rg.Tensor(np.array([7, 5, 0, 2])))
    assert (origin.kind, origin.rows) == ("data", (1, 3))
    assert BAD == (2, 5)
