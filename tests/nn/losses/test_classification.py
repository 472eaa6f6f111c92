"""Losses of scores against classes: extreme scores, masked classes, and what does not fit."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import retrograd as rg
from retrograd import nn

N, C = 7, 4
RNG = np.random.default_rng(0)
NUMBERS = RNG.standard_normal((N, 2))
CLASSES = np.array([0, 3, 1, 1, 2, 0, 3])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("compiled", [False, True])
def test_scores_of_10_000_leave_losses_and_gradients_exact(dtype: str, compiled: bool) -> None:
    def both(x: Any) -> Any:
        x = rg.Tensor(x, requires_grad=True)
        x.grad = None
        loss = nn.cross_entropy(x, np.array([0, 1]), reduction="none")
        loss.sum().backward()
        first = x.grad
        x.grad = None
        binary = nn.binary_cross_entropy_with_logits(
            x, np.array([[1, 0], [0, 1]]), reduction="none"
        )
        binary.sum().backward()
        return loss, first, binary, x.grad

    x = np.array([[1e4, -1e4], [1e4, -1e4]], dtype)
    loss, slope, binary, binary_slope = (rg.compile(both) if compiled else both)(x)
    assert loss.numpy().tolist() == [0, 2e4]
    assert slope.numpy().tolist() == [[0, 0], [1, -1]]
    assert binary.numpy().tolist() == [[0, 0], [1e4, 1e4]]
    assert binary_slope.numpy().tolist() == [[0, 0], [1, -1]]
    assert {str(t.dtype) for t in (loss, slope, binary, binary_slope)} == {dtype}


def test_a_masked_class_costs_nothing() -> None:
    logits = rg.Tensor([[0.0, -math.inf, 0.0], [-math.inf, 0.0, 0.0]], requires_grad=True)
    loss = nn.cross_entropy(logits, np.array([0, -100]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert logits.grad.numpy().tolist() == [[-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]


SCORES = np.zeros((N, C))


@pytest.mark.parametrize("wrong", [-1, C])
@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.nll_loss])
def test_a_class_out_of_range_is_an_error_and_nan_when_compiled(loss: Any, wrong: int) -> None:
    classes = CLASSES.copy()
    classes[5] = wrong
    with pytest.raises(IndexError, match=rf"class must be from 0 to 3, found {wrong} at position"):
        loss(SCORES, classes)
    run = rg.compile(lambda scores, classes: loss(scores, classes, reduction="none"))
    assert np.flatnonzero(np.isnan(run(SCORES, classes).numpy())).tolist() == [5]
    assert loss(SCORES, classes, ignore_index=wrong).item() == loss(SCORES, CLASSES).item()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.cross_entropy(SCORES, CLASSES[:, None]),
            r"\(7, 4\) go with classes of shape \(7,\), found \(7, 1\); use y.reshape\(\(7,\)\)",
        ),
        (lambda: nn.cross_entropy(SCORES, CLASSES[:3]), r"shape \(7,\), found \(3,\)$"),
        (lambda: nn.cross_entropy(SCORES, CLASSES * 1.0), r"probabilities.*y.astype\('int64'\)"),
        (lambda: nn.cross_entropy(np.array(1.0), np.array(0)), "a single number"),
        (lambda: nn.cross_entropy(SCORES, CLASSES, np.ones(3)), "each of the 4 classes"),
        (lambda: nn.cross_entropy(SCORES, CLASSES, label_smoothing=2.0), "found 2.0"),
        (
            lambda: nn.binary_cross_entropy_with_logits(NUMBERS, NUMBERS, np.ones((3, 7, 2))),
            r"weight of shape \(3, 7, 2\) does not fit",
        ),
        (
            lambda: nn.binary_cross_entropy_with_logits(NUMBERS, NUMBERS, pos_weight=np.ones(3)),
            r"pos_weight of shape \(3,\) does not fit",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_log_probabilities_go_with_integers_only() -> None:
    with pytest.raises(TypeError, match="nll_loss: expected integers, found float64"):
        nn.nll_loss(SCORES, CLASSES * 1.0)


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.nll_loss])
@pytest.mark.parametrize("kind", ["argument", "numpy", "module"])
def test_class_weights_beside_constant_targets_compile(loss: Any, kind: str) -> None:
    scores, classes = rg.Tensor(RNG.standard_normal((N, C))), np.array(CLASSES)
    weights = np.array([1.0, 2.0, 0.5, 3.0])
    right = loss(scores, rg.Tensor(classes), rg.Tensor(weights)).item()
    if kind == "argument":
        found = rg.compile(lambda x, w: loss(x, rg.Tensor(classes), w))(scores, rg.Tensor(weights))
    elif kind == "numpy":
        found = rg.compile(lambda x, y: loss(x, y, weight=weights))(scores, rg.Tensor(classes))
    else:
        module = nn.CrossEntropyLoss if loss is nn.cross_entropy else nn.NLLLoss
        weighed = module(weight=rg.Tensor(weights))
        found = rg.compile(lambda: weighed(scores, rg.Tensor(classes)))()
    assert found.item() == pytest.approx(right, rel=1e-6)


def test_a_choice_that_is_masked_out_costs_nothing() -> None:
    logits = np.array([-np.inf, 0.0, np.inf], np.float32)
    loss = nn.binary_cross_entropy_with_logits(logits, np.array([0.0, 1.0, 1.0]), reduction="none")
    np.testing.assert_allclose(loss.numpy(), [0.0, np.log(2), 0.0], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_many_examples_of_half_precision_have_a_mean(dtype: Any) -> None:
    rows = 70_000  # more than float16's largest number
    classes = np.zeros(rows, np.int64)
    for run in (lambda f: f, rg.compile):
        both = run(rg.value_and_grad(lambda x: nn.cross_entropy(x, classes)))
        value, slope = both(rg.Tensor(np.zeros((rows, 2), dtype)))
        assert value.dtype == slope.dtype == dtype
        assert value.item() == pytest.approx(np.log(2), rel=4e-3)
        assert slope[0, 1].item() == pytest.approx(0.5 / rows, rel=1e-2)
