"""Recurrent layers: one loop, lengths, dropout, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import floats
from support.programs import equations

import retrograd as rg
from retrograd import nn

LENGTHS = np.array([4, 7, 1])


def lengths(layer: Any, x: Any, *state: Any) -> Any:
    return layer(x, *([state if len(state) > 1 else state[0]] if state else []), lengths=LENGTHS)


def test_a_compiled_recurrent_layer_is_one_loop_each_way_whatever_the_length() -> None:
    layer = nn.GRU(3, 4)

    def gradient(x: Any) -> Any:
        layer.zero_grad()
        layer(x)[0].sum().backward()
        return [parameter.grad for parameter in layer.parameters()]

    short, long = (equations(gradient, floats(time, 2, 3)) for time in (5, 50))
    assert short == long
    assert short["scan"] == 2


def test_gradients_of_gradients_pass_through_a_compiled_recurrent_layer() -> None:
    layer, x = nn.LSTM(3, 4).to("float64"), floats(5, 2, 3).astype("float64")

    def penalty(x: Any) -> Any:
        layer.zero_grad()
        x = rg.Tensor(x, requires_grad=True)
        (layer(x)[0] ** 2).sum().backward(create_graph=True)
        slope = x.grad
        layer.zero_grad()
        (slope**2).sum().backward()
        return [parameter.grad for parameter in layer.parameters()]

    for eager, compiled in zip(penalty(x), rg.compile(penalty)(x), strict=True):
        assert np.abs(eager.numpy()).max() > 1e-3
        np.testing.assert_allclose(compiled.numpy(), eager.numpy(), rtol=1e-9, atol=1e-12)


def test_dropout_acts_between_layers_and_only_in_training() -> None:
    x = floats(4, 64, 3)
    one = nn.GRU(3, 8, 1, dropout=0.5)
    np.testing.assert_array_equal(one(x)[0].numpy(), one.eval()(x)[0].numpy())
    two = nn.GRU(3, 8, 2, dropout=0.5)
    assert (two(x)[0].numpy() != two.eval()(x)[0].numpy()).any()
    two.train()
    rg.manual_seed(1)
    eager = two(x)[0].numpy()
    rg.manual_seed(1)
    compiled = rg.compile(lambda x: two(x)[0])(x).numpy()
    np.testing.assert_allclose(compiled, eager, rtol=1e-5, atol=1e-6)


def test_what_stands_beyond_a_length_has_no_influence() -> None:
    layer, x = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), floats(3, 6, 3)
    short = np.array([2, 6, 0])
    changed = np.where(np.arange(6)[None, :, None] < short[:, None, None], x, 1e3)
    for run in (layer, rg.compile(lambda x, lengths: layer(x, lengths=lengths))):
        (out, (h, c)), (other, (h2, c2)) = (
            run(x, lengths=short),
            run(changed.astype("float32"), lengths=short),
        )
        np.testing.assert_array_equal(out.numpy(), other.numpy())
        np.testing.assert_array_equal(h.numpy(), h2.numpy())
        np.testing.assert_array_equal(c.numpy(), c2.numpy())
        assert not out.numpy()[0, 2:].any()
        assert not h.numpy()[:, 2].any()


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (lambda: nn.GRU(3, 4)(floats(5, 2, 4)), r"\(time, n, in\).*in = 3, found.*\(5, 2, 4\)"),
        (lambda: nn.GRU(3, 4)(floats(5, 2, 3), floats(1, 3, 4)), r"shape \(1, 2, 4\), found"),
        (lambda: nn.LSTM(3, 4)(floats(5, 2, 3), [floats(1, 2, 4)]), "expected 2 first states"),
        (lambda: nn.GRU(3, 4)(floats(5, 2, 3), lengths=np.array([1])), r"the shape \(2,\)"),
        (lambda: nn.RNN(3, 4, nonlinearity="sin"), "tanh or relu, found 'sin'"),
        (lambda: nn.GRU(3, 0), "at least 1, found 0"),
        (lambda: nn.GRU(3, 4, dropout=1.5), "between 0 and 1, found 1.5"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(run: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        run()


def test_a_length_beyond_the_sequence_is_refused() -> None:
    with pytest.raises(IndexError, match="a length must be from 0 to 5, found 6"):
        nn.GRU(3, 4)(floats(5, 2, 3), lengths=np.array([1, 6]))
