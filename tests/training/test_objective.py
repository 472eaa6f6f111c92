"""Losses, answers and scores are PyTorch's, also of an ensemble."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.training.objective import Classification, LossFunction, Regression

RNG = np.random.default_rng(0)
ROWS, MEMBERS, CLASSES = 7, 3, 4
NUMBERS = RNG.normal(size=ROWS).astype(np.float32)
CODES = RNG.integers(0, CLASSES, ROWS)


def outputs(*shape: int) -> np.ndarray:
    return RNG.normal(size=(ROWS, *shape)).astype(np.float32)


@pytest.mark.parametrize("shape", [(1,), (MEMBERS, 1)])
def test_regression_averages_the_members_losses_and_answers(shape) -> None:
    output = outputs(*shape)
    members = torch.tensor(output).reshape(ROWS, -1)
    target = torch.tensor(NUMBERS)
    each = [torch.nn.functional.mse_loss(column, target) for column in members.T]
    loss = Regression().loss(rg.Tensor(output), rg.Tensor(NUMBERS)).item()
    assert loss == pytest.approx(float(sum(each)) / len(each), rel=1e-5)
    np.testing.assert_allclose(Regression().answer(output), members.mean(1), rtol=1e-5)
    expected = torch.nn.functional.mse_loss(members.mean(1), target)
    assert Regression().score(output, NUMBERS) == pytest.approx(float(expected), rel=1e-5)
    assert Regression.outputs == 1


@pytest.mark.parametrize("shape", [(CLASSES,), (MEMBERS, CLASSES)])
def test_classification_averages_the_members_losses_and_probabilities(shape) -> None:
    output, objective = outputs(*shape), Classification(CLASSES)
    members = torch.tensor(output).reshape(ROWS, -1, CLASSES)
    target = torch.tensor(CODES)
    each = [torch.nn.functional.cross_entropy(one, target) for one in members.unbind(1)]
    loss = objective.loss(rg.Tensor(output), rg.Tensor(CODES)).item()
    assert loss == pytest.approx(float(sum(each)) / len(each), rel=1e-5)
    probabilities = torch.softmax(members, -1).mean(1)
    np.testing.assert_allclose(objective.answer(output), probabilities, rtol=1e-5)
    expected = torch.nn.functional.nll_loss(probabilities.log(), target)
    assert objective.score(output, CODES) == pytest.approx(float(expected), rel=1e-5)
    assert objective.outputs == CLASSES


def test_the_score_of_a_class_held_impossible_is_finite() -> None:
    score = Classification(2).score(np.array([[500.0, -500.0]], np.float32), np.array([1]))
    assert score == pytest.approx(-np.log(np.finfo(np.float32).tiny))


def test_a_loss_function_scores_by_itself_and_records_nothing() -> None:
    asked = []

    def loss(output, target):
        asked.append((weight * output).requires_grad)
        return nn.mse_loss(output, target)

    weight = rg.Parameter(1.0)
    output, target = outputs(2), outputs(2)
    score = LossFunction(loss).score(output, target)
    assert score == pytest.approx(float(np.mean((output - target) ** 2)), rel=1e-5)
    assert asked == [False]
    assert type(score) is float
