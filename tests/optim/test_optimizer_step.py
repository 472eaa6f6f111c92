"""What a step changes, what compiles it anew, and what an optimizer refuses."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import retrograd as rg
from retrograd import ops, optim
from retrograd.nn.utils import clip_grad_norm_
from retrograd.optim import lr_scheduler


def quadratic_step(optimizer: optim.Optimizer) -> Any:
    @rg.compile
    def step() -> Any:
        optimizer.zero_grad()
        loss = sum(
            ops.sum(ops.square(parameter))
            for group in optimizer.param_groups
            for parameter in group["params"]
        )
        loss.backward()
        optimizer.step()
        return loss

    return step


def programs(step: Any) -> int:
    return sum(len(kept) for kept in step.programs.values())


def test_a_new_learning_rate_takes_effect_and_compiles_nothing() -> None:
    parameter = rg.Parameter(np.array([1.0, 2.0]))
    optimizer = optim.SGD([parameter], lr=0.1)
    step = quadratic_step(optimizer)
    expected = np.array([1.0, 2.0])
    for lr in (0.1, 0.25, 1 / 3, 0.0):
        optimizer.param_groups[0]["lr"] = lr
        step()
        expected = expected - lr * 2 * expected
        np.testing.assert_allclose(parameter.numpy(), expected, rtol=1e-15)
        assert optimizer.param_groups[0]["lr"] == lr
    assert programs(step) == 1


def test_the_learning_rate_may_be_an_argument_of_the_compiled_step() -> None:
    parameter = rg.Parameter(np.array([1.0]))
    optimizer = optim.SGD([parameter], lr=0.1)

    @rg.compile
    def step(lr: float) -> None:
        optimizer.zero_grad()
        ops.sum(parameter).backward()
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()

    step(0.5)
    step(0.25)
    assert parameter.item() == 0.25
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert programs(step) == 1


def test_other_options_take_effect_by_a_program_of_their_own() -> None:
    eager, traced = rg.Parameter(np.array([1.0])), rg.Parameter(np.array([1.0]))
    optimizers = [optim.Adam([eager]), optim.Adam([traced])]
    steps = [quadratic_step(optimizer) for optimizer in optimizers]
    for betas, weight_decay, expected in [
        ((0.9, 0.999), 0.0, 1),
        ((0.5, 0.999), 0.0, 2),
        ((0.5, 0.999), 0.3, 3),
        ((0.9, 0.999), 0.0, 3),  # the first program again
    ]:
        for optimizer in optimizers:
            optimizer.param_groups[0]["betas"] = betas
            optimizer.param_groups[0]["weight_decay"] = weight_decay
        steps[0].function()
        steps[1]()
        np.testing.assert_allclose(traced.numpy(), eager.numpy(), rtol=1e-14)
        assert programs(steps[1]) == expected


def test_an_option_switched_on_later_finds_its_memory() -> None:
    parameter = rg.Parameter(np.array([1.0]))
    optimizer = optim.SGD([parameter], lr=0.1)
    step = quadratic_step(optimizer)
    step()
    optimizer.param_groups[0]["momentum"] = 0.5
    step()  # b = 2 · 0.8
    step()  # b = 0.5 · 1.6 + 2 · 0.64
    np.testing.assert_allclose(parameter.item(), 0.8 - 0.16 - 0.208)


def test_a_group_added_after_the_first_compiled_step_is_trained() -> None:
    first, second = rg.Parameter(np.array([1.0])), rg.Parameter(np.array([1.0]))
    optimizer = optim.SGD([first], lr=0.1)
    step = quadratic_step(optimizer)
    step()
    optimizer.add_param_group({"params": [second], "lr": 0.25})
    step()
    np.testing.assert_allclose([first.item(), second.item()], [0.64, 0.5])


def test_groups_have_options_of_their_own_and_the_defaults_beside() -> None:
    slow, fast = rg.Parameter(np.array([1.0])), rg.Parameter(np.array([1.0]))
    optimizer = optim.SGD([{"params": [slow], "lr": 0.1}, {"params": fast}], lr=0.5)
    quadratic_step(optimizer)()
    np.testing.assert_allclose([slow.item(), fast.item()], [0.8, 0.0])
    assert dict(optimizer.param_groups[1]) == {"params": (fast,), **optimizer.defaults}


def test_a_parameter_without_a_gradient_stays_as_it_is() -> None:
    used, unused = rg.Parameter([1.0]), rg.Parameter([1.0])
    optimizer = optim.Adam([used, unused], weight_decay=0.5)

    @rg.compile
    def step() -> None:
        optimizer.zero_grad()
        ops.sum(used).backward()
        optimizer.step()

    for _ in range(3):
        step()
        step.function()
    assert unused.item() == 1.0
    assert used.item() < 1.0
    assert programs(step) == 1


def test_freezing_and_thawing_is_the_same_in_both_engines() -> None:
    def train(compiled: bool) -> list[Any]:
        parameters = [rg.Parameter(np.array([1.0])), rg.Parameter(np.array([2.0]))]
        optimizer = optim.Adam(parameters, lr=0.1)
        step = quadratic_step(optimizer)
        for index in range(6):
            parameters[1].requires_grad = index not in (2, 3)
            step() if compiled else step.function()
        return [parameter.item() for parameter in parameters] + optimizer.param_groups[
            0
        ].steps.tolist()

    eager, compiled = train(False), train(True)
    np.testing.assert_allclose(compiled, eager, rtol=1e-14)
    assert eager[2:] == [6, 4]


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adagrad, optim.RMSprop, optim.Adam, optim.AdamW])
def test_a_single_number_is_trained_and_stays_an_array(kind: Any) -> None:
    parameter = rg.Parameter(2.0)
    optimizer = kind([parameter], lr=0.1, l1=0.01)
    quadratic_step(optimizer).function()
    assert isinstance(parameter.data, np.ndarray)
    assert parameter.dtype == np.float32
    assert parameter.shape == ()
    quadratic_step(optimizer)()
    assert parameter.dtype == np.float32
    assert parameter.item() < 2.0


def test_arrays_that_a_graph_holds_are_not_changed() -> None:
    parameter = rg.Parameter(np.array([1.0, 2.0]))
    optimizer = optim.SGD([parameter], lr=0.1, momentum=0.9)
    loss = ops.sum(ops.square(parameter))
    parameter.grad = rg.Tensor(np.ones(2))
    optimizer.step()
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    assert parameter.grad is not None
    np.testing.assert_array_equal(parameter.grad.numpy(), [2.0, 4.0])


def test_infinite_and_nan_gradients_pass_without_a_warning() -> None:
    parameter = rg.Parameter(np.array([1.0, 2.0], np.float32))
    optimizer = optim.Adam([parameter])
    parameter.grad = rg.Tensor(np.array([np.inf, 1e30], np.float32))
    optimizer.step()
    assert np.isnan(parameter.numpy()[0])


def test_rmsprop_centered_survives_a_constant_gradient() -> None:
    # Rounding makes v − m² slightly negative; its root would be NaN.
    parameter = rg.Parameter(np.array([1.0], np.float32))
    optimizer = optim.RMSprop([parameter], centered=True)
    for _ in range(3000):
        parameter.grad = rg.Tensor(np.array([0.1], np.float32))
        optimizer.step()
    assert np.isfinite(parameter.numpy()).all()


W = rg.Parameter([1.0])


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (ValueError, "Adam got an empty list of parameters", lambda: optim.Adam([])),
        (ValueError, r"shape \(1,\) \(item 1\) twice", lambda: optim.SGD([W, W])),
        (
            ValueError,
            r"shape \(1,\) \(item 0\) twice",
            lambda: optim.SGD([{"params": [W]}, {"params": [W]}]),
        ),
        (TypeError, r"item 0 is Tensor of shape \(1,\)", lambda: optim.SGD([rg.Tensor([1.0])])),
        (TypeError, "item 1 is str 'weight'", lambda: optim.SGD([W, "weight"])),
        (TypeError, r"found Parameter of shape \(1,\)", lambda: optim.SGD(W)),
        (TypeError, "found int 3", lambda: optim.SGD(3)),
        (
            ValueError,
            "SGD: lr must be at least 0 and finite; found -1",
            lambda: optim.SGD([W], lr=-1),
        ),
        (ValueError, "lr must be .* found nan", lambda: optim.SGD([W], lr=float("nan"))),
        (TypeError, "lr must be a number; found str 'fast'", lambda: optim.SGD([W], lr="fast")),
        (
            ValueError,
            "betas must be at least 0 and below 1; found 1",
            lambda: optim.Adam([W], betas=(0.9, 1.0)),
        ),
        (TypeError, "betas must be two numbers; found float", lambda: optim.Adam([W], betas=0.9)),
        (ValueError, "nesterov=True needs momentum", lambda: optim.SGD([W], nesterov=True)),
        (
            ValueError,
            "no option 'learning_rate'; it has lr, momentum",
            lambda: optim.SGD([{"params": [W], "learning_rate": 1.0}]),
        ),
    ],
)
def test_refusals_name_what_was_found(error: Any, message: str, make: Any) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_group_refuses_what_its_optimizer_would() -> None:
    group = optim.SGD([W]).param_groups[0]
    with pytest.raises(ValueError, match="no option 'rate'"):
        group["rate"] = 1.0
    with pytest.raises(ValueError, match="momentum must be at least 0 and below 1; found 2"):
        group["momentum"] = 2.0
    with pytest.raises(TypeError, match="add_param_group"):
        group["params"] = []
    with pytest.raises(TypeError, match="lr must be a number"):
        group["lr"] = rg.Tensor(0.1)


def test_numpys_float64_options_keep_float32_weights_float32() -> None:
    parameter = rg.Parameter([1.0])
    tenth: Any = np.float64(0.1)
    optimizer = optim.SGD([parameter], lr=tenth, weight_decay=tenth)
    lr_scheduler.ExponentialLR(optimizer, tenth).step()
    quadratic_step(optimizer).function()
    assert parameter.dtype == np.float32
    assert type(optimizer.param_groups[0]["lr"]) is float


HALF = [np.float16, ml_dtypes.bfloat16]
EVERY = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad]


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("run", [lambda f: f, rg.compile], ids=["eager", "compiled"])
def test_a_parameter_of_half_precision_stays_one(kind: Any, dtype: Any, run: Any) -> None:
    """Its step is float32's, rounded: a gradient whose square is 0 in half precision counts."""
    start = np.array([1.0, -0.5, 2.0])
    slopes = np.array([1e-4, 0.0, 1.0])
    half, single = rg.Parameter(start.astype(dtype)), rg.Parameter(start.astype(np.float32))
    for parameter in (half, single):
        optimizer = kind([parameter], lr=0.1)

        def step(parameter: Any = parameter, optimizer: Any = optimizer) -> None:
            optimizer.zero_grad()
            ops.sum(parameter * slopes.astype(parameter.dtype)).backward()
            optimizer.step()

        repeated = run(step)
        for _ in range(2):
            repeated()
    assert half.dtype == dtype
    np.testing.assert_allclose(half.numpy().astype(float), single.numpy(), rtol=0.02)


def test_the_norm_of_half_precision_gradients_does_not_overflow() -> None:
    weight = rg.Parameter(np.zeros(2, np.float16))
    weight.grad = rg.Tensor(np.array([300, 400], np.float16))
    assert clip_grad_norm_([weight], 5.0).item() == pytest.approx(500.0)
    np.testing.assert_allclose(weight.grad.numpy(), [3.0, 4.0], rtol=1e-3)
    assert weight.grad.dtype == np.float16
