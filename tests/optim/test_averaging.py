"""The average of the weights follows its formula, and lends itself to a block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops, optim

DECAY = 0.8


def moved(compiled: bool, **options: Any) -> tuple[list[Any], rg.Parameter, Any]:
    """The path of a weight in training, the weight, and its average."""
    weight = rg.Parameter(np.array([1.0, -2.0]))
    optimizer = optim.SGD([weight], lr=0.05, momentum=0.9)
    average = optim.ExponentialMovingAverage([weight], DECAY, **options)

    def step() -> Any:
        optimizer.zero_grad()
        ops.sum(ops.square(weight)).backward()
        optimizer.step()
        average.update()
        return weight + 0.0

    run = rg.compile(step) if compiled else step
    path = [weight.numpy()] + [run().numpy() for _ in range(10)]
    return path, weight, average


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_the_average_is_pytorchs(compiled: bool) -> None:
    path, _, average = moved(compiled)
    ema = torch.optim.swa_utils.get_ema_multi_avg_fn(DECAY)
    expected = [torch.tensor(path[0])]
    for weight in path[1:]:
        ema(expected, [torch.tensor(weight)], None)
    np.testing.assert_allclose(average.averages[0].numpy(), expected[0].numpy(), rtol=1e-13)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_bias_correction_makes_it_the_weighted_mean_of_the_steps_weights(compiled: bool) -> None:
    path, _, average = moved(compiled, bias_correction=True)
    shares = DECAY ** np.arange(9, -1, -1)
    expected = np.average(path[1:], axis=0, weights=shares)
    np.testing.assert_allclose(average.averages[0].numpy(), expected, rtol=1e-13)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_the_model_holds_the_average_within_the_block_and_its_own_after(compiled: bool) -> None:
    path, weight, average = moved(compiled)
    mean = average.averages[0].numpy()
    within = []

    def evaluate() -> None:
        with average.applied():
            within.append(weight.numpy())
            raise KeyError

    with pytest.raises(KeyError):
        evaluate()
    np.testing.assert_array_equal(within[0], mean)
    np.testing.assert_array_equal(weight.numpy(), path[-1])
    np.testing.assert_array_equal(average.averages[0].numpy(), mean)


@pytest.mark.parametrize("size", [2, 100_000])
def test_the_average_keeps_its_numbers_while_compiled_steps_go_on(size: int) -> None:
    weight = rg.Parameter(np.full(size, 1.0))
    step = rg.compile(lambda: setattr(weight, "data", weight.data + 1))
    step()
    average = optim.ExponentialMovingAverage([weight], DECAY)
    step()
    step()
    np.testing.assert_array_equal(average.averages[0].numpy(), 2.0)
    with average.applied():
        np.testing.assert_array_equal(weight.numpy(), 2.0)
    step()
    np.testing.assert_array_equal(weight.numpy(), 5.0)


def test_float32_stays_float32() -> None:
    weight = rg.Parameter([1.0])
    for options in ({}, {"bias_correction": True}):
        average = optim.ExponentialMovingAverage([weight], 0.9, **options)
        average.update()
        assert average.averages[0].dtype == np.float32
        rg.compile(average.update)()
        assert average.averages[0].dtype == np.float32


def test_refusals_name_what_was_found() -> None:
    weight = rg.Parameter([1.0])
    with pytest.raises(ValueError, match="empty list"):
        optim.ExponentialMovingAverage([], 0.9)
    with pytest.raises(ValueError, match="decay must be at least 0 and below 1; found 1"):
        optim.ExponentialMovingAverage([weight], 1)
    with pytest.raises(TypeError, match="floating-point values; found int64"):
        optim.ExponentialMovingAverage([rg.Buffer(3)], 0.9)
    average = optim.ExponentialMovingAverage([weight], 0.9)
    with pytest.raises(ValueError, match=r"shapes \[\(2,\)\], this one's have \[\(1,\)\]"):
        average.load_state_dict({"step": 1, "averages": [np.zeros(2)]})
