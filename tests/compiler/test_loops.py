"""Steps that a loop would slow down run one by one in `over`, and come to the same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.compiler.loops import loops_well
from retrograd.errors import TraceError
from retrograd.random import manual_seed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4, 2, 6)).astype(np.float32)
Y = RNG.integers(0, 3, (5, 4))


def convolved(x):
    return jax.lax.conv_general_dilated(x, jnp.ones((2, 2, 3)), (1,), "SAME")


@pytest.mark.parametrize(
    ("function", "well"),
    [
        (lambda x: x @ jnp.ones((6, 2)), True),
        (lambda x: jax.lax.scan(lambda c, row: (c + row, c), x[0], x), True),
        (convolved, False),
        (jax.jit(convolved), False),
        (jax.checkpoint(convolved), False),
        (lambda x: jax.lax.scan(lambda c, _: (convolved(c), None), x, None, 2), False),
        (lambda x: jax.lax.cond(x[0, 0, 0] > 0, convolved, lambda x: x, x), False),
        (jax.grad(lambda x: jax.nn.relu(convolved(x)).sum()), False),
    ],
)
def test_a_convolution_is_found_wherever_it_stands(monkeypatch, function, well) -> None:
    jaxpr = jax.jit(function).trace(jnp.ones((4, 2, 6))).jaxpr
    assert loops_well(jaxpr) is well
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert loops_well(jaxpr)


class Training:
    """A convolutional classifier with dropout; `traces` counts how often Python runs a step."""

    def __init__(self) -> None:
        manual_seed(0)
        self.traces = 0
        self.model = nn.Sequential(
            nn.Conv1d(2, 3, 3, padding=1),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(18, 3),
        )
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.05)

    def step(self, x, y):
        self.traces += 1
        loss = nn.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        self.model.zero_grad()
        return {"loss": loss, "rows": (x[:, 0, 0], "a name")}

    def weights(self) -> dict[str, np.ndarray]:
        return {name: np.array(each) for name, each in self.model.state_dict().items()}


def test_steps_that_convolve_are_those_one_call_after_another() -> None:
    looped, single = Training(), Training()
    step, one = rg.compile(looped.step), rg.compile(single.step)
    manual_seed(1)
    found = step.over(rg.Tensor(X), y=Y)
    manual_seed(1)
    expected = [one(rg.Tensor(x), y=y)["loss"].item() for x, y in zip(X, Y, strict=True)]
    np.testing.assert_array_equal(found["loss"].numpy(), expected)
    rows, name = found["rows"]
    np.testing.assert_array_equal(rows.numpy(), X[:, :, 0, 0])
    assert name == "a name"
    for each, weight in single.weights().items():
        np.testing.assert_array_equal(looped.weights()[each], weight)
    # The trace that shows the convolution finds the Variables, as the first of a step does.
    assert looped.traces == single.traces == 2
    step.over(rg.Tensor(X), y=Y)
    assert looped.traces == 2


def test_other_steps_stay_one_program() -> None:
    model = nn.Linear(6, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    calls = []

    @rg.compile
    def step(x):
        calls.append(x.shape)
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    assert step.over(X[:, :, 0]).shape == (5,)
    assert set(calls) == {(4, 6)}
    assert [over for _, over in step.programs] == [True]


def test_gradients_that_a_step_leaves_are_dropped_and_those_it_finds_refused() -> None:
    conv = nn.Conv1d(2, 3, 3)

    @rg.compile
    def step(x):
        conv.zero_grad()
        conv(x).sum().backward()
        return conv.weight.grad.sum()

    single = [step(x).item() for x in X]
    assert conv.weight.grad is not None
    np.testing.assert_allclose(step.over(X).numpy(), single, rtol=1e-5)
    assert conv.weight.grad is None

    accumulate = rg.compile(lambda x: conv(x).sum().backward())
    accumulate(X[0])
    with pytest.raises(TraceError, match=r"zero_grad\(\) before backward"):
        accumulate.over(X)


def test_no_steps_give_results_of_no_steps() -> None:
    conv = nn.Conv1d(2, 3, 3)
    assert rg.compile(lambda x: conv(x)).over(X[:0]).shape == (0, 4, 3, 4)


def test_arguments_of_other_lengths_are_refused() -> None:
    conv = nn.Conv1d(2, 3, 3)
    with pytest.raises(ValueError, match="different leading axis sizes"):
        rg.compile(lambda x, y: conv(x).sum() + y.sum()).over(X, Y[:3])
