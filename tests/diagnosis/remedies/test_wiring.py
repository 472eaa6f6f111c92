"""Remedies of the wiring, the outputs, the loss and the rows mend what they are named for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.mended import (
    ROWS,
    classification,
    layer_kinds,
    only,
    regression,
    sample_data,
    variants,
)

from retrograd import nn, optim
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.remedies.program import Samples
from retrograd.tensor import Tensor


def test_a_loss_of_the_wrong_sign_is_turned() -> None:
    program = classification(loss=lambda output, target: -nn.cross_entropy(output, target))
    turned = only("flip_sign", replace(program, options={"lr": 0.05}), "RG407")
    assert turned.run(0).score > 0.6
    yes_or_no = sample_data()
    target = {n: Samples(e.inputs, (e.target > 0).astype(np.float32)) for n, e in yes_or_no.items()}
    words = [w for w, _ in variants("flip_sign", regression(**target), finding("RG407", "x"))]
    assert words == ["-loss", "loss(output, 1 - target)"]
    assert variants("flip_sign", program, None) == []  # never at random


def test_outputs_get_the_shape_of_the_targets() -> None:
    broadcast = regression(loss=lambda o, t: ((o - t) ** 2).mean(), options={"lr": 0.02})
    matched = only("match_shapes", replace(broadcast, epochs=20), "RG405")
    assert matched.run(0).score > 0.9
    assert replace(broadcast, epochs=20).run(0).score < 0.1
    assert variants("match_shapes", classification(), finding("RG405", "x")) == []


def test_the_built_in_loop_takes_the_place_of_ones_own() -> None:
    idle = regression(fit=lambda *arguments: None)
    assert only("usual_loop", idle, "RG212").fit is None
    assert variants("usual_loop", regression(), finding("RG212", "x")) == []


def test_all_parameters_are_trained() -> None:
    def frozen() -> nn.Module:
        model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1))
        model[0].weight.requires_grad = False
        return model

    def some(parameters: Any, **options: Any) -> optim.Optimizer:
        return optim.SGD(list(parameters)[:2], **options)

    program = regression(frozen, optimizer=some, options={"lr": 0.03, "momentum": 0.9})
    changed = only("train_all", program, "RG213").run(0)
    groups = changed.optimizer.param_groups
    assert [(each["lr"], each["momentum"], len(each.params)) for each in groups] == [
        (pytest.approx(0.03), 0.9, 2), (pytest.approx(0.03), 0.9, 2),
    ]  # fmt: skip
    assert all(each.requires_grad for each in changed.model.parameters())
    assert variants("train_all", regression(), finding("RG213", "x")) == []


def test_rows_lie_on_the_first_axis() -> None:
    crossed = classification(lambda: nn.Sequential(nn.Linear(6, 3), nn.Softmax(0)))
    assert only("rows_first", crossed, "RG408").model()[1].dim == -1
    recurrent = classification(lambda: nn.Sequential(nn.GRU(6, 3)))
    assert only("rows_first", recurrent, "RG408").model()[0].batch_first
    assert variants("rows_first", classification(), finding("RG408", "x")) == []


def test_a_softmax_over_one_output_becomes_a_sigmoid() -> None:
    data = {n: Samples(e.inputs, e.target % 2) for n, e in sample_data(classes=3).items()}
    program = classification(lambda: nn.Sequential(nn.Linear(6, 1), nn.Softmax(1)), **data)
    assert layer_kinds(only("sigmoid_output", program, "RG404")) == ["Linear", "Sigmoid"]
    assert variants("sigmoid_output", classification(), finding("RG404", "x")) == []


def test_a_target_is_scaled_to_the_range_of_the_outputs() -> None:
    data = {n: Samples(e.inputs, 10 * e.target) for n, e in sample_data().items()}
    for last, low in ((nn.Sigmoid, 0), (nn.Tanh, -1)):
        bounded = regression(lambda last=last: nn.Sequential(nn.Linear(6, 1), last()), **data)
        target = only("scale_target", bounded, "RG404").train.target
        assert (target.min(), target.max()) == pytest.approx((low, 1))
        assert only("scale_target", bounded, "RG302").train.target.std() == pytest.approx(1)


def test_every_class_gets_an_output() -> None:
    narrow = classification(lambda: nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 1), nn.Sigmoid()))
    widened = only("widen_output", replace(narrow, options={"lr": 0.02}), "RG404")
    assert widened.model()(Tensor(narrow.train.inputs)).shape == (80, 3)
    assert widened.run(0).score > 0.6
    assert variants("widen_output", classification(), finding("RG404", "x")) == []


def test_rows_that_their_neighbors_contradict_are_left_out() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    x = (rng.normal(0, 0.3, (200, 4)) + 4 * y[:, None]).astype(np.float32)
    wrong = y.copy()
    wrong[:20] = 1 - y[:20]
    program = classification(train=Samples(x, wrong), valid=Samples(x, y))
    kept = only("drop_mislabeled", program, "RG307").train
    assert np.array_equal(kept.inputs, x[20:])
    assert variants("drop_mislabeled", replace(program, train=Samples(x, y)), None) == []


def test_targets_of_several_classes_a_row_are_no_rows_of_a_class() -> None:
    """A row of a language model has a class for each of its letters."""
    letters = np.random.default_rng(0).integers(0, 9, (ROWS, 5))
    data = {n: Samples(e.inputs, letters[: len(e.target)]) for n, e in sample_data().items()}
    program = classification(**data)
    for change in ("resample", "weigh_classes", "drop_mislabeled", "widen_output"):
        assert variants(change, program, finding("RG306", "x")) == []


def test_pixels_are_divided_and_a_column_of_ones_stays() -> None:
    data = sample_data()
    pixels = {n: Samples(np.round(60 * np.abs(e.inputs)), e.target) for n, e in data.items()}
    assert only("scale_inputs", regression(**pixels)).train.inputs.max() < 1
    bias = {n: Samples(np.where(np.arange(6) == 2, 1, 90 * e.inputs), e.target)
            for n, e in data.items()}  # fmt: skip
    assert (only("scale_inputs", regression(**bias)).train.inputs[:, 2] == 1).all()


def test_the_usual_loss_is_one_of_probabilities_where_forward_makes_them() -> None:
    class Softmaxed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(6, 3)

        def forward(self, x: Any) -> Any:
            return nn.functional.softmax(self.last(x), -1)

    found = variants("change_loss", classification(Softmaxed), finding("RG403", "x"))
    assert [words for words, _ in found] == ["nn.nll_loss(rg.log(p), target)"]
    assert variants("change_loss", classification(), finding("RG602", "x")) == []  # the usual one
