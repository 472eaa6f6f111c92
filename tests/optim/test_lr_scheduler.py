"""Each schedule gives PyTorch's learning rates, stepped eagerly or within the compiled step."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops, optim
from retrograd.errors import TraceError
from retrograd.optim import lr_scheduler

STEPS = 200
SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "constant": lambda s, o: s.ConstantLR(o, factor=0.2, total_iters=30),
    "linear": lambda s, o: s.LinearLR(o),
    "warm-up": lambda s, o: s.LinearLR(o, start_factor=0.01, total_iters=50),
    "step": lambda s, o: s.StepLR(o, 30, gamma=0.5),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.97),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 200, eta_min=1e-4),
    "cosine, beyond its end": lambda s, o: s.CosineAnnealingLR(o, 60, eta_min=1e-4),
    "lambda": lambda s, o: s.LambdaLR(o, lambda t: 0.95**t),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.3, total_steps=STEPS + 1, **STILL[s]),
    "one cycle, lines": lambda s, o: s.OneCycleLR(
        o,
        [0.3, 0.1],
        total_steps=STEPS + 1,
        pct_start=0.2,
        anneal_strategy="linear",
        div_factor=10.0,
        final_div_factor=100.0,
        **STILL[s],
    ),
    "one cycle, from the peak": lambda s, o: s.OneCycleLR(
        o, 0.3, total_steps=STEPS + 1, pct_start=0.0, **STILL[s]
    ),
    "milestones": lambda s, o: s.MultiStepLR(o, [20, 70, 71], gamma=0.5),
    "polynomial": lambda s, o: s.PolynomialLR(o, total_iters=90, power=2.0),
    "warm restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 30, eta_min=1e-4),
    "warm restarts, longer": lambda s, o: s.CosineAnnealingWarmRestarts(o, 20, T_mult=2),
    "cycles": lambda s, o: s.CyclicLR(o, 0.01, 0.3, step_size_up=20, **STILL[s]),
    "cycles, halved": lambda s, o: s.CyclicLR(
        o, [0.01, 0.02], [0.3, 0.1], 20, step_size_down=35, mode="triangular2", **STILL[s]
    ),
    "cycles, fading": lambda s, o: s.CyclicLR(
        o, 0.01, 0.3, 30, mode="exp_range", gamma=0.99, **STILL[s]
    ),
    "cycles, by a function": lambda s, o: s.CyclicLR(
        o, 0.01, 0.3, 30, scale_fn=lambda t: 1 / (1 + 0.1 * t), scale_mode="iterations", **STILL[s]
    ),
    "all at once": lambda s, o: s.ChainedScheduler(
        [s.LinearLR(o, start_factor=0.01, total_iters=20), s.ExponentialLR(o, 0.98)]
    ),
    "in turn": lambda s, o: s.SequentialLR(
        o,
        [
            s.LinearLR(o, start_factor=0.01, total_iters=20),
            s.CosineAnnealingLR(o, 100),
            s.ExponentialLR(o, 0.9),
        ],
        [20, 120],
    ),
}
# PyTorch's one cycle moves the momentum too unless told not to; ours never does.
STILL: dict[Any, dict[str, Any]] = {
    lr_scheduler: {},
    torch.optim.lr_scheduler: {"cycle_momentum": False},
}
each_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


def optimizer() -> optim.SGD:
    return optim.SGD(
        [{"params": [rg.Parameter([1.0])]}, {"params": [rg.Parameter([1.0])], "lr": 0.02}], lr=0.1
    )


def by_torch(make: Any) -> Any:
    weights = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    oracle = torch.optim.SGD([{"params": weights[:1]}, {"params": weights[1:], "lr": 0.02}], lr=0.1)
    with warnings.catch_warnings():
        # PyTorch's SequentialLR calls its schedules in a way that PyTorch deprecates.
        warnings.simplefilter("ignore")
        scheduler = make(torch.optim.lr_scheduler, oracle)
        rates = [[group["lr"] for group in oracle.param_groups]]
        for _ in range(STEPS):
            oracle.step()
            scheduler.step()
            rates.append([group["lr"] for group in oracle.param_groups])
    return np.array(rates)


@each_schedule
def test_eager_rates_are_pytorchs(make: Any) -> None:
    ours = optimizer()
    scheduler = make(lr_scheduler, ours)
    rates = [scheduler.get_last_lr()]
    for _ in range(STEPS):
        scheduler.step()
        rates.append([group["lr"] for group in ours.param_groups])
    assert all(type(rate) is float for rate in rates[-1])
    assert scheduler.last_epoch == STEPS
    np.testing.assert_allclose(rates, by_torch(make), rtol=1e-10, atol=1e-16)


@each_schedule
def test_rates_within_one_compiled_loop_are_pytorchs(make: Any) -> None:
    ours = optimizer()
    scheduler = make(lr_scheduler, ours)

    @rg.compile
    def step(_: Any) -> Any:
        scheduler.step()
        return scheduler.get_last_lr()

    rates = np.stack(step.over(np.zeros(STEPS)), -1)
    np.testing.assert_allclose(rates, by_torch(make)[1:], rtol=1e-10, atol=1e-16)
    assert scheduler.last_epoch == STEPS
    np.testing.assert_allclose(scheduler.get_last_lr(), rates[-1], rtol=1e-15)


def test_one_cycle_whose_rise_takes_one_step_starts_at_its_peak() -> None:
    scheduler = lr_scheduler.OneCycleLR(optimizer(), 0.3, 10, pct_start=0.1)
    assert scheduler.get_last_lr() == [0.3, 0.3]
    scheduler.step()
    assert 0.0 < scheduler.get_last_lr()[0] < 0.3


def test_stepping_outside_compiles_nothing_and_the_rate_takes_effect() -> None:
    parameter = rg.Parameter(np.array([1.0]))
    ours = optim.SGD([parameter], lr=0.1)
    scheduler = lr_scheduler.ExponentialLR(ours, 0.5)

    @rg.compile
    def step() -> None:
        ours.zero_grad()
        ops.sum(parameter).backward()
        ours.step()

    for _ in range(4):
        step()
        scheduler.step()
    np.testing.assert_allclose(parameter.item(), 1 - 0.1 * (1 + 0.5 + 0.25 + 0.125))
    assert [len(kept) for kept in step.programs.values()] == [1]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("cooldown", [0, 4])
def test_plateau_reduces_when_pytorch_does(mode: str, threshold_mode: str, cooldown: int) -> None:
    options: dict[str, Any] = {
        "mode": mode,
        "factor": 0.5,
        "patience": 3,
        "threshold": 1e-2,
        "threshold_mode": threshold_mode,
        "cooldown": cooldown,
        "min_lr": 1e-3,
    }
    ours, theirs = optimizer(), torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    plateau = lr_scheduler.ReduceLROnPlateau(ours, **options)
    oracle = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    rng = np.random.default_rng(0)
    sign = 1 if mode == "min" else -1
    rates = set()
    for t in range(STEPS):
        measure = 10 + sign * math.exp(-t / 30) + 0.02 * rng.normal()
        measure = math.nan if t == 17 else measure
        plateau.step(rg.Tensor(np.array(measure)))
        oracle.step(measure)
        assert plateau.get_last_lr()[0] == theirs.param_groups[0]["lr"]
        rates.add(plateau.get_last_lr()[0])
    assert len(rates) > 3


def test_plateau_goes_on_from_its_state() -> None:
    whole, resumed = optimizer(), optimizer()
    first, second = (lr_scheduler.ReduceLROnPlateau(o, patience=2) for o in (whole, resumed))
    for measure in (1.0, 2.0, 2.0):
        first.step(measure)
    second.load_state_dict(first.state_dict())
    for plateau in (first, second):
        plateau.step(2.0)
        np.testing.assert_allclose(plateau.get_last_lr(), [0.01, 0.002])


def test_plateau_within_a_compiled_step_is_refused() -> None:
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer())

    @rg.compile
    def step(measure: Any) -> None:
        plateau.step(measure)

    with pytest.raises(TraceError, match="outside of the compiled step"):
        step(1.0)


def test_a_schedule_resumes_in_turn_and_sets_its_rate() -> None:
    make = SCHEDULES["in turn"]
    whole, resumed = optimizer(), optimizer()
    first = make(lr_scheduler, whole)
    for _ in range(50):
        first.step()
    resumed.param_groups[0]["lr"] = 7.0  # as a resumed optimizer's may be, before its schedule
    second = make(lr_scheduler, resumed)
    second.load_state_dict(first.state_dict())
    assert second.get_last_lr() == first.get_last_lr()
    first.step()
    second.step()
    assert second.get_last_lr() == first.get_last_lr()


def test_initial_rates_loaded_later_reach_the_compiled_step() -> None:
    ours = optimizer()
    scheduler = lr_scheduler.ExponentialLR(ours, 0.5)
    step = rg.compile(scheduler.step)
    step()
    scheduler.load_state_dict({"last_epoch": 0, "base_lrs": [8.0, 4.0]})
    step()
    assert scheduler.get_last_lr() == [4.0, 2.0]


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("step_size must be at least 1; found 0", lambda o: lr_scheduler.StepLR(o, 0)),
        ("T_max must be at least 1; found 0", lambda o: lr_scheduler.CosineAnnealingLR(o, 0)),
        ("pct_start .* found 1", lambda o: lr_scheduler.OneCycleLR(o, 1.0, 10, pct_start=1)),
        ("3 values of max_lr for 2", lambda o: lr_scheduler.OneCycleLR(o, [1.0] * 3, 10)),
        (
            "'cos' or 'linear'; found 'log'",
            lambda o: lr_scheduler.OneCycleLR(o, 1.0, 10, anneal_strategy="log"),
        ),
        (
            r"2 schedules need 1 milestones in rising order; found \[5, 3\]",
            lambda o: lr_scheduler.SequentialLR(
                o, [lr_scheduler.ConstantLR(o), lr_scheduler.LinearLR(o)], [5, 3]
            ),
        ),
        (
            "this same optimizer",
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.ConstantLR(optimizer())], []),
        ),
        ("factor .* found 1.5", lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1.5)),
        ("found 'least' and 'rel'", lambda o: lr_scheduler.ReduceLROnPlateau(o, mode="least")),
    ],
)
def test_refusals_name_what_was_found(message: str, make: Any) -> None:
    with pytest.raises(ValueError, match=message):
        make(optimizer())
