"""The output layer and the loss: whether right answers are possible, and cost least."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.cases import BAD, CODES, GOOD, YES, losses, only, record, told

import retrograd as rg
from retrograd import nn
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.outputs import (
    first_loss,
    loss_of_classes,
    loss_of_numbers,
    range_of_classes,
    range_of_numbers,
)

RNG = np.random.default_rng(0)
Loss = Callable[[Any, Any], Any]


def numbers(
    y: Any, last: str = "", loss: Loss | None = None, outputs: Any = None, **more: Any
) -> Case:
    """A regression whose model ends in the operation `last`."""
    y = np.asarray(y)
    case = Case(train=Data((np.zeros((len(y), 1)),), y), task="regression", loss=loss, **more)
    case.__dict__["outputs"] = np.zeros((len(y), 1)) if outputs is None else np.asarray(outputs)
    case.__dict__["last_operation"] = last
    return case


def classes(
    count: int,
    columns: int,
    last: str = "",
    loss: Loss | None = None,
    outputs: Any = None,
    **more: Any,
) -> Case:
    """A classification of 60 rows, each class as often, with outputs (60, columns)."""
    y = np.arange(60) % count
    case = Case(train=Data((np.zeros((60, 1)),), y), task="classification", loss=loss, **more)
    if outputs is None:
        outputs = np.random.default_rng(0).normal(size=(60, columns))
        if last == "softmax":
            outputs = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
        elif last == "log_softmax":
            outputs = outputs - np.log(np.exp(outputs).sum(1, keepdims=True))
        elif last == "sigmoid":
            outputs = 1 / (1 + np.exp(-outputs))
    case.__dict__["outputs"] = outputs
    case.__dict__["last_operation"] = last
    return case


@pytest.mark.parametrize(
    ("last", "inside", "outside"),
    [
        ("relu", [0, 1e9], -0.1),
        ("softplus", [0, 1e9], -0.1),
        ("exp", [0, 1e9], -0.1),
        ("sigmoid", [0, 1], 1.1),
        ("sigmoid", [0, 1], -0.1),
        ("tanh", [-1, 1], -1.1),
        ("tanh", [-1, 1], 1.1),
        ("softmax", [0, 1], 1.1),
        ("softmax", [0, 1], -0.1),
        ("log_softmax", [-1e9, 0], 0.1),
    ],
)
def test_targets_beyond_the_range_of_the_last_operation(
    last: str, inside: list[float], outside: float
) -> None:
    y = np.resize(np.array(inside, np.float64), 100)
    assert told(range_of_numbers, numbers(y, last)) == []
    y[0] = outside
    assert told(range_of_numbers, numbers(y, last)) == []  # 1 %
    y[1] = outside
    assert told(range_of_numbers, numbers(y, last)) == [("RG404", "error")]
    assert told(range_of_numbers, numbers(y, "affine")) == []


def test_the_targets_that_are_beyond_are_told() -> None:
    y = np.array([-0.5, 0, 0, 2.0, np.nan])
    found = only(range_of_numbers, numbers(y, "sigmoid")).evidence
    assert found.text == (
        "The model ends in sigmoid, whose values range from 0 to 1; 50% of the targets, which "
        "range from -0.5 to 2, lie outside."
    )
    assert found.numbers == {"outside": 0.5, "lowest": -0.5, "highest": 2}
    assert told(range_of_numbers, numbers(y * np.nan, "sigmoid")) == []
    assert told(range_of_numbers, numbers([1 + 1e-7, -1e-7], "sigmoid")) == []


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (classes(2, 1, "softmax"), "error"),
        (classes(2, 2, "softmax"), ""),
        (classes(2, 1, "sigmoid"), ""),
        (classes(3, 2), "error"),
        (classes(3, 3), ""),
        (classes(3, 4), ""),
        (classes(3, 1), "error"),
        (classes(2, 1), ""),
        (classes(3, 3, "relu"), "warning"),
        (classes(3, 3, "tanh"), "warning"),
        (classes(2, 2, "relu"), "warning"),
        (classes(2, 1, "relu"), ""),
        (classes(2, 1, outputs=np.zeros(60)), ""),
    ],
)
def test_outputs_for_classes(case: Case, expected: str) -> None:
    assert told(range_of_classes, case) == ([("RG404", expected)] if expected else [])


def labelled(several: int, last: str, columns: int = 4) -> Case:
    """100 rows of which each has one label, and `several` have two."""
    y = np.eye(columns, dtype=int)[np.arange(100) % columns]
    y[:several] = 0
    y[:several, :2] = 1
    case = Case(train=Data((np.zeros((100, 1)),), y), task="classification")
    case.__dict__.update(outputs=np.full((100, columns), 0.25), last_operation=last)
    return case


@pytest.mark.parametrize(
    ("several", "last", "is_found"),
    [
        (3, "softmax", True),
        (2, "softmax", False),  # one in fifty
        (3, "log_softmax", True),
        (50, "sigmoid", False),
        (50, "", False),
        (0, "softmax", False),
    ],
)
def test_a_softmax_over_labels_of_which_several_are_right(
    several: int, last: str, is_found: bool
) -> None:
    case = labelled(several, last)
    case.__dict__["answers"] = CODES if several == 0 else YES
    found = range_of_classes(case)
    assert [(each.code, each.severity) for each in found] == [("RG404", "error")] * is_found
    for each in found:
        assert each.evidence.text == (
            f"The model ends in a softmax, whose values sum to 1, but {several}% of the rows have "
            "no label or several, up to 2."
        )
        assert each.evidence.numbers == {"labels": 2}


@pytest.mark.parametrize(("columns", "expected"), [(3, []), (2, [("RG404", "error")])])
def test_every_pixel_is_of_one_of_the_classes(columns: int, expected: list[Any]) -> None:
    y = np.arange(10 * 16).reshape(10, 4, 4) % 3
    case = Case(train=Data((np.zeros((10, 1)),), y), task="classification")
    case.__dict__.update(outputs=np.zeros((10, columns, 4, 4)), last_operation="")
    assert told(range_of_classes, case) == expected


def test_what_the_outputs_for_classes_lack_is_told() -> None:
    assert only(range_of_classes, classes(2, 1, "softmax")).evidence.text == (
        "The model ends in a softmax over a single output, which is always 1."
    )
    few = only(range_of_classes, classes(5, 3)).evidence
    assert few.text == "The model has 3 outputs for 5 classes."
    assert few.numbers == {"outputs": 3, "classes": 5}
    one = only(range_of_classes, classes(5, 1)).evidence
    assert one.text == "The model has a single output for 5 classes, 0 to 4."
    assert one.numbers == {"outputs": 1, "classes": 5}
    assert only(range_of_classes, classes(3, 3, "tanh")).evidence.text == (
        "The model ends in tanh, so its scores range only from -1 to 1."
    )


Y = RNG.normal(size=(100, 1)).astype(np.float32)


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output, target)


def shifted(by: float) -> Loss:
    return lambda output, target: ((output - target - by) ** 2).mean()


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (squared, []),
        (lambda o, t: abs(o - t).mean(), []),
        (lambda o, t: -((o - t) ** 2).mean(), [("RG407", "error")]),
        (shifted(1.0), [("RG401", "error")]),
        (shifted(-1.0), [("RG401", "error")]),
        (shifted(-3.0), [("RG401", "error")]),
        (shifted(0.1), []),  # at 1 it costs more than at 0
        (lambda o, t: (o - t).mean(), [("RG401", "error")]),
        (lambda o, t: (o - t).var() - (o - t).mean() ** 2, [("RG401", "error")]),  # noise costs
        (lambda o, t: (o * 0).sum(), []),
        (lambda o, t: (o * 0).sum() + 5, []),
        (lambda o, t: ((o - t) / 0.0).sum(), []),
        (lambda o, t: (o * 0).sum() if (o.numpy() == t.numpy()).all() else o.no_such(), []),
        (lambda o, t: o.no_such_method(), []),
    ],
)
def test_the_loss_of_numbers_is_least_at_the_target(loss: Loss, expected: list[Any]) -> None:
    assert told(loss_of_numbers, numbers(Y, loss=loss)) == expected


def test_what_wrong_numbers_cost_is_told() -> None:
    case = numbers(Y, loss=shifted(1.0))
    found = only(loss_of_numbers, case).evidence
    at = Y[np.random.default_rng(0).permutation(100)[:64]].std(dtype=np.float64)
    least = (at - 1) ** 2
    assert found.numbers == pytest.approx({"right": 1, "wrong": least}, abs=1e-4)
    assert found.text == (
        f"Outputs equal to the targets have a loss of 1, and outputs that are off by {at:.3g} have "
        f"a lower one, {found.numbers['wrong']:.4g}: this is not a regression loss."
    )
    turned = only(loss_of_numbers, numbers(Y, loss=lambda o, t: -squared(o, t))).evidence
    assert turned.numbers["right"] == 0
    assert turned.numbers["wrong"] < -8 * at**2
    assert turned.text.startswith(
        "Outputs equal to the targets have a loss of 0, and outputs that are off have a lower one, "
        "down to "
    )


@pytest.mark.parametrize(
    ("loss", "off", "gained"),
    [
        (lambda d: (d + 1) ** 2 - 1, -1, lambda s: 1 - (1 - s) ** 2),
        (lambda d: (d - 1) ** 2 - 1, 1, lambda s: 1 - (1 - s) ** 2),
        (lambda d: -rg.relu(d - 2), 3, lambda s: 3 * s - 2),
        (lambda d: -rg.relu(-d - 2), -3, lambda s: 3 * s - 2),
        # Noise gains more than any offset.
        (lambda d: d / 10 - (d - d.mean()) ** 2, -3, lambda s: 0.3 * s),
    ],
)
def test_the_offset_that_costs_least_is_told(
    loss: Callable[[Any], Any], off: float, gained: Callable[[float], float]
) -> None:
    """One or three standard deviations, to either side."""
    case = numbers(Y, loss=lambda o, t: loss(o - t).mean())
    std = float(Y[np.random.default_rng(0).permutation(100)[:64]].std(dtype=np.float64))
    found = only(loss_of_numbers, case)
    assert found.code == "RG401"
    assert f" off by {off * std:.3g} have a lower one, {-gained(std):.4g}: " in found.evidence.text
    assert found.evidence.numbers == pytest.approx({"right": 0, "wrong": -gained(std)}, abs=1e-5)


def test_a_target_that_is_always_the_same_tells_a_turned_sign_too() -> None:
    case = numbers(np.full((100, 1), -0.5, np.float32), loss=lambda o, t: -squared(o, t))
    assert told(loss_of_numbers, case) == [("RG407", "error")]


@pytest.mark.parametrize(("squash", "is_found"), [(rg.log_softmax, False), (rg.softmax, True)])
def test_a_divergence_wants_logarithms_of_shares(squash: Any, is_found: bool) -> None:
    """With probabilities it is least where all of them is one class."""
    shares = np.exp(RNG.normal(size=(80, 4)))
    shares = (shares / shares.sum(1, keepdims=True)).astype(np.float32)

    def divergence(output: Any, target: Any) -> Any:
        return nn.kl_div(squash(output, dim=1), target, reduction="batchmean")

    case = numbers(shares, loss=divergence, outputs=RNG.normal(size=(80, 4)))
    assert told(loss_of_numbers, case) == ([("RG401", "error")] if is_found else [])


def test_a_loss_is_not_judged_by_outputs_without_rows_or_targets_that_are_not_finite() -> None:
    assert told(loss_of_numbers, numbers(Y, loss=shifted(1.0), outputs=0.0)) == []
    y = Y.copy()
    y[np.random.default_rng(0).permutation(100)[64]] = np.nan  # not among the rows tried
    assert told(loss_of_numbers, numbers(y, loss=shifted(1.0))) == []


@pytest.mark.parametrize(
    ("y", "is_found"),
    [
        (Y, True),
        (np.abs(Y), True),
        (np.clip(Y, -1, 1), True),
        (np.round(np.abs(Y) * 3), False),  # counts
        (np.clip(np.abs(Y), 0, 1), False),  # shares
        (np.round(Y * 3), True),
        (np.where(np.arange(100)[:, None] == 3, np.nan, Y), False),
        (np.repeat(Y, 2, 1), False),  # two numbers for one output
    ],
)
def test_counts_and_shares_may_have_a_scale_of_their_own(y: Any, is_found: bool) -> None:
    found = loss_of_numbers(numbers(y, loss=shifted(float(np.nanstd(y)))))
    assert bool(found) == is_found


def logistic(output: Any, target: Any) -> Any:
    return nn.binary_cross_entropy_with_logits(output[:, 0], target.astype("float32"))


def of_probability(output: Any, target: Any) -> Any:
    t = target.astype("float32")
    p = rg.clip(output[:, 0], 1e-6, 1 - 1e-6)
    return -(t * rg.log(p) + (1 - t) * rg.log(1 - p)).mean()


def log_of_probabilities(output: Any, target: Any) -> Any:
    return nn.nll_loss(rg.log(output), target)


def of_clipped(output: Any, target: Any) -> Any:
    """A cross-entropy that takes its input for probabilities, as Keras' does by default."""
    return nn.nll_loss(rg.log(rg.clip(output, 1e-7, 1 - 1e-7)), target)


def coded(formula: Callable[[Any, Any], Any]) -> Loss:
    """A formula of outputs and one-hot targets."""

    def loss(output: Any, target: Any) -> Any:
        answer = np.eye(output.shape[1], dtype=np.float32)[target.numpy()]
        return formula(output, rg.Tensor(answer)).mean()

    return loss


def each_class(output: Any, answer: Any) -> Any:
    return rg.relu(output) - output * answer + rg.log1p(rg.exp(-abs(output)))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (classes(3, 3, loss=nn.cross_entropy), []),
        (classes(2, 1, loss=logistic), []),
        (classes(2, 1, "sigmoid", loss=of_probability), []),
        (classes(3, 3, "log_softmax", loss=nn.nll_loss), []),
        (classes(3, 3, "log_softmax", loss=nn.cross_entropy), []),
        (classes(3, 3, "softmax", loss=log_of_probabilities), []),
        (classes(3, 3, "softmax", loss=of_clipped), []),
        (classes(3, 3, loss=of_clipped), [("RG402", "error")]),
        (classes(3, 3, "softmax", loss=nn.nll_loss), [("RG402", "warning")]),
        (classes(3, 3, loss=coded(lambda o, t: (o - t) ** 2)), [("RG401", "warning")]),
        (classes(3, 3, loss=coded(lambda o, t: abs(o - t))), [("RG401", "warning")]),
        (classes(3, 3, loss=coded(each_class)), [("RG401", "warning")]),
        (classes(2, 2, loss=coded(each_class)), []),
        (classes(2, 1, loss=lambda o, t: ((o[:, 0] - t) ** 2).mean()), [("RG401", "warning")]),
        (classes(3, 3, loss=lambda o, t: ((o[:, 2] - t) ** 2).mean()), [("RG401", "warning")]),
        (classes(3, 3, loss=lambda o, t: abs(o[:, 1] - t).mean()), [("RG401", "warning")]),
        (classes(2, 2, loss=lambda o, t: ((o[:, 1] - t) ** 2).mean()), [("RG401", "warning")]),
        (classes(3, 3, loss=log_of_probabilities), [("RG402", "error")]),
        (classes(3, 3, loss=nn.nll_loss), [("RG402", "error")]),
        (classes(3, 3, loss=lambda o, t: -nn.cross_entropy(o, t)), [("RG407", "error")]),
        (classes(2, 1, loss=lambda o, t: -logistic(o, t)), [("RG407", "error")]),
        (classes(3, 3, loss=lambda o, t: 30 - nn.cross_entropy(o, t)), [("RG407", "error")]),
        (classes(3, 3, loss=lambda o, t: (o * 0).sum() + 5), []),
        (classes(2, 1, loss=lambda o, t: -(o[:, 0] * t).mean()), []),
        (classes(2, 1, loss=lambda o, t: logistic(o[:, None], t), outputs=np.ones(60)), []),
        # Right answers cost infinitely much, as wrong ones do, and even ones 2.5.
        (classes(3, 3, "softmax", loss=lambda o, t: 1 / rg.relu(0.7333 - o.max())), []),
        (classes(3, 3, "softmax", loss=nn.cross_entropy), [("RG403", "warning")]),
        (classes(2, 1, "sigmoid", loss=logistic), [("RG403", "warning")]),
        (classes(3, 2, loss=nn.cross_entropy), []),  # too few outputs are RG404
        (classes(3, 3, loss=nn.cross_entropy, outputs=np.zeros((60, 3, 4))), []),
        (classes(2, 1, loss=lambda o, t: -of_probability(o, t)), [("RG407", "error")]),
    ],
)
def test_the_loss_of_classes(case: Case, expected: list[Any]) -> None:
    assert told(loss_of_classes, case) == expected


def overlap(output: Any, target: Any) -> Any:
    """Dice's loss of probabilities."""
    t = target.astype("float32")
    return 1 - 2 * (output[:, 0] * t).sum() / (output.sum() + t.sum())


def test_a_loss_that_is_right_about_probabilities_and_wrong_about_scores() -> None:
    """Of a quarter of yes, scores of 10 and -10 cost 1 + 5 / 4.75, and their opposites less."""
    case = classes(2, 1, loss=overlap)
    y = (np.arange(64) % 4 == 0).astype(int)
    quarter = replace(case, train=Data((np.zeros((64, 1)),), y))
    quarter.__dict__.update(outputs=RNG.normal(size=(64, 1)), last_operation="affine")
    found = only(loss_of_classes, quarter)
    assert (found.code, found.severity) == ("RG402", "error")
    assert found.evidence.numbers == pytest.approx({"right": 1 + 5 / 4.75, "wrong": 1 + 5 / 5.25})
    assert found.evidence.text == (
        "As logits, confident, right answers have a loss of 2.053 and wrong ones 1.952; as "
        "probabilities the right ones cost less. The loss expects probabilities."
    )
    quarter.__dict__.update(outputs=RNG.uniform(size=(64, 1)), last_operation="sigmoid")
    assert told(loss_of_classes, quarter) == []


def per_pixel(loss: Loss, last: str = "", **more: Any) -> Case:
    """Images of 4 x 4 pixels, each of one of three classes."""
    y = np.arange(20 * 16).reshape(20, 4, 4) % 3
    case = Case(train=Data((np.zeros((20, 1)),), y), task="classification", loss=loss, **more)
    z = np.random.default_rng(0).normal(size=(20, 3, 4, 4))
    if last == "softmax":
        z = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    case.__dict__.update(outputs=z, last_operation=last)
    return case


def several(loss: Loss, last: str = "") -> Case:
    """Four labels, of which a row may have several."""
    y = np.random.default_rng(0).integers(0, 2, (60, 4))
    case = Case(train=Data((np.zeros((60, 1)),), y), task="classification", loss=loss)
    z = np.random.default_rng(1).normal(size=(60, 4))
    case.__dict__.update(
        outputs=1 / (1 + np.exp(-z)) if last == "sigmoid" else z, last_operation=last
    )
    return case


def labels(output: Any, target: Any) -> Any:
    return nn.binary_cross_entropy_with_logits(output, target.astype("float32"))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (per_pixel(nn.cross_entropy), []),
        (per_pixel(nn.cross_entropy, "softmax"), [("RG403", "warning")]),
        (per_pixel(nn.nll_loss), [("RG402", "error")]),
        (per_pixel(lambda o, t: -nn.cross_entropy(o, t)), [("RG407", "error")]),
        (several(labels), []),
        (several(labels, "sigmoid"), [("RG403", "warning")]),
        (several(lambda o, t: -labels(o, t)), [("RG407", "error")]),
        (several(lambda o, t: nn.mse_loss(o, t.astype("float32"))), [("RG401", "warning")]),
        (several(lambda o, t: nn.binary_cross_entropy(o, t.astype("float32")), "sigmoid"), []),
    ],
)
def test_the_loss_of_pixels_and_of_several_labels(case: Case, expected: list[Any]) -> None:
    assert told(loss_of_classes, case) == expected


def test_the_floor_of_pixels_is_that_of_their_classes() -> None:
    found = only(loss_of_classes, per_pixel(nn.cross_entropy, "softmax")).evidence.numbers
    assert found["floor"] == pytest.approx(math.log(1 + 2 / math.e), rel=1e-3)
    assert found["even"] == pytest.approx(math.log(3))
    run = record({"loss": losses(40, BAD) * 100})
    first = only(first_loss, per_pixel(nn.cross_entropy, record=run)).evidence.numbers
    assert first["expected"] == pytest.approx(math.log(3))


def test_what_is_wrong_with_a_loss_of_classes_is_told() -> None:
    def text(case: Case) -> str:
        return only(loss_of_classes, case).evidence.text

    error = classes(3, 3, loss=coded(lambda o, t: (o - t) ** 2))
    assert text(error) == "The loss is the squared error between scores and classes."
    absolute = classes(3, 3, "softmax", loss=coded(lambda o, t: abs(o - t)))
    assert text(absolute) == "The loss is the absolute error between probabilities and classes."
    single = classes(3, 3, "log_softmax", loss=coded(each_class))
    assert text(single) == (
        "The loss is the logistic loss, class by class, between log-probabilities and classes."
    )
    assert text(classes(3, 3, loss=log_of_probabilities)) == (
        "The loss of negative outputs is NaN: it expects probabilities, not logits."
    )
    assert text(classes(3, 3, loss=nn.nll_loss)).startswith(
        "The loss decreases without bound as the outputs grow: raising all of them by 3 takes it "
        "from "
    )
    column = classes(3, 3, loss=lambda o, t: ((o[:, 2] - t) ** 2).mean())
    assert text(column) == "The loss is the squared error between scores and classes."
    column = classes(3, 3, loss=lambda o, t: abs(o[:, 2] - t).mean())
    assert text(column) == "The loss is the absolute error between scores and classes."
    turned = only(loss_of_classes, classes(2, 1, loss=lambda o, t: -logistic(o, t)))
    assert turned.evidence.numbers["wrong"] == pytest.approx(-10, rel=1e-4)
    turned = only(loss_of_classes, classes(3, 3, loss=lambda o, t: -nn.cross_entropy(o, t)))
    assert turned.evidence.text.endswith(", confident, wrong ones -20.")
    assert turned.evidence.numbers["wrong"] == pytest.approx(-20)


@pytest.mark.parametrize(
    ("scale", "more", "is_found"),
    [
        (1, 8.9, True),  # right answers cost -1.1
        (1, 9.1, False),
        (0.34, 0, True),  # raising all by 3 gains 1.02
        (0.32, 0, False),
    ],
)
def test_a_loss_of_log_probabilities_is_below_minus_1_and_falls_by_1(
    scale: float, more: float, is_found: bool
) -> None:
    case = classes(3, 3, loss=lambda o, t: scale * nn.nll_loss(o, t) + more)
    assert told(loss_of_classes, case) == ([("RG402", "error")] if is_found else [])


def test_what_raising_all_outputs_gains_is_told() -> None:
    words = only(loss_of_classes, classes(3, 3, loss=nn.nll_loss)).evidence.text.split()
    before, after = (float(words[words.index(each) + 1].rstrip(".")) for each in ("from", "to"))
    assert before - after == pytest.approx(3, abs=2e-3)


def test_the_floor_of_a_softmax_applied_twice_is_told() -> None:
    found = only(loss_of_classes, classes(4, 4, "softmax", loss=nn.cross_entropy)).evidence
    assert found.numbers["floor"] == pytest.approx(math.log(1 + 3 / math.e), rel=1e-3)
    assert found.numbers["even"] == pytest.approx(math.log(4))
    assert found.text == (
        f"Even confident, right answers have a loss of {found.numbers['floor']:.4g}; a uniform "
        "answer has 1.386. The model outputs probabilities, but the loss expects logits."
    )


@pytest.mark.parametrize(("floor", "is_found"), [(0.09, False), (0.12, True)])
def test_a_floor_of_a_tenth_is_allowed(floor: float, is_found: bool) -> None:
    def loss(output: Any, target: Any) -> Any:
        return log_of_probabilities(output, target) + floor * math.log(3)

    assert bool(loss_of_classes(classes(3, 3, "softmax", loss=loss))) == is_found


def test_outputs_are_known_by_their_sums_where_the_last_operation_is_not() -> None:
    p = RNG.dirichlet([1, 1, 1], 60)
    loss = coded(lambda o, t: (o - t) ** 2)
    for outputs, domain in (
        (p, "probabilities"),
        (np.log(p), "log-probabilities"),
        (p * 1.01, "scores"),
        (np.log(p * 1.01), "scores"),
        (p * 1.0005, "probabilities"),
        (p - 0.4, "scores"),
        (-p, "scores"),
        (p * [1, 1, np.nan], "scores"),
        (np.eye(3)[np.arange(60) % 3], "probabilities"),
        (p + np.array([0.5, -0.5, 0]), "scores"),
        (np.where(np.eye(3)[np.arange(60) % 3], 0.0, -30.0), "log-probabilities"),
    ):
        found = only(loss_of_classes, classes(3, 3, loss=loss, outputs=outputs)).evidence
        assert found.text == f"The loss is the squared error between {domain} and classes."


def test_of_two_outputs_the_sum_tells_the_domain_but_not_of_one() -> None:
    pairs = RNG.dirichlet([1, 1], 60)
    error = coded(lambda o, t: (o - t) ** 2)
    found = only(loss_of_classes, classes(2, 2, loss=error, outputs=pairs)).evidence
    assert found.text == "The loss is the squared error between probabilities and classes."
    single = classes(2, 1, loss=lambda o, t: ((o[:, 0] - t) ** 2).mean(), outputs=np.ones((60, 1)))
    assert only(loss_of_classes, single).evidence.text == (
        "The loss is the squared error between scores and classes."
    )


@pytest.mark.parametrize(
    ("first", "left", "expected"),
    [
        (3.1, BAD, "warning"),
        (2.9, BAD, ""),
        (3.1, GOOD, "warning"),
        (10.1, None, "warning"),
        (9.9, None, "note"),
        (3.1, None, "note"),
        (2.9, None, ""),
    ],
)
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_first_loss_beside_that_of_knowing_nothing(
    first: float, left: float | None, expected: str, task: str
) -> None:
    """After a run by its first step, before it by the outputs; nothing costs 1."""
    run = None if left is None else record({"loss": losses(40, left) * first})
    if task == "regression":
        y = np.resize([1.0, -1.0], (64, 1))
        # All outputs are c: the loss is 1 + c².
        case = numbers(y, loss=squared, outputs=np.full((64, 1), math.sqrt(first - 1)), record=run)
    else:

        def loss(output: Any, target: Any) -> Any:
            return nn.cross_entropy(output, target) / math.log(2)

        # Half of the rows are of class 0, which has the lesser score by z: the loss is that of
        # 0.5 · (ln(1 + exp(z)) + ln(1 + exp(-z))) nats.
        z = 2 * first * math.log(2)
        for _ in range(50):
            z -= math.log1p(math.exp(-z)) + z / 2 - first * math.log(2)
        case = classes(2, 2, loss=loss, outputs=np.tile([0.0, z], (60, 1)), record=run)
    found = first_loss(case)
    assert [each.severity for each in found] == ([expected] if expected else [])
    for each in found:
        assert each.evidence.numbers == pytest.approx({"first": first, "expected": 1}, rel=1e-5)
        assert each.evidence.text == (f"The initial loss is {first:g}; an uninformed answer has 1.")


def test_knowing_nothing_of_probabilities_is_to_give_even_ones() -> None:
    for last, loss, columns, even in (
        ("softmax", log_of_probabilities, 3, math.log(3)),
        ("log_softmax", nn.nll_loss, 3, math.log(3)),
        ("sigmoid", of_probability, 1, math.log(2)),
    ):
        run = record({"loss": losses(40, BAD) * 100})
        found = only(first_loss, classes(2, columns, last, loss=loss, record=run)).evidence
        assert found.numbers["expected"] == pytest.approx(even, rel=1e-5)


@pytest.mark.parametrize(
    ("first", "severity"), [(2.9, ""), (3.1, "note"), (9.9, "note"), (10.1, "warning")]
)
def test_the_first_loss_is_judged_by_its_ratio(first: float, severity: str) -> None:
    """All outputs are c: the loss is 0.1 · (1 + c²), and 0.1 at the mean."""
    y, outputs = np.resize([1.0, -1.0], (64, 1)), np.full((64, 1), math.sqrt(first - 1))
    case = numbers(y, loss=lambda o, t: 0.1 * squared(o, t), outputs=outputs)
    assert told(first_loss, case) == ([("RG406", severity)] if severity else [])


def test_after_a_run_the_first_loss_is_that_of_its_first_step() -> None:
    y = np.resize([1.0, -1.0], (64, 1))
    run = record({"loss": [5.0, *[1.0] * 39]})
    found = only(first_loss, numbers(y, loss=squared, record=run)).evidence
    assert found.numbers == pytest.approx({"first": 5, "expected": 1})


def test_a_first_loss_that_cannot_be_judged() -> None:
    run = record({"loss": losses(40, BAD) * 100})
    two = np.zeros((100, 2))
    assert told(first_loss, numbers(Y, loss=squared, outputs=two, record=run)) == []
    nothing = numbers(Y, loss=lambda o, t: (o * 0).sum(), record=run)
    assert told(first_loss, nothing) == []
    assert told(first_loss, numbers(Y, record=run)) == []


def test_outputs_without_columns_are_one_column() -> None:
    def flat(output: Any, target: Any) -> Any:
        return of_probability(output[:, None], target)

    given = np.linspace(0.1, 0.9, 60)
    run = record({"loss": losses(40, BAD) * 100})
    case = classes(2, 1, "sigmoid", loss=flat, outputs=given, record=run)
    assert only(first_loss, case).evidence.numbers["expected"] == pytest.approx(math.log(2))
    turned = classes(2, 1, "sigmoid", loss=lambda o, t: -flat(o, t), outputs=given)
    assert told(loss_of_classes, turned) == [("RG407", "error")]


def test_a_loss_of_log_probabilities_is_told_of_two_classes_too() -> None:
    assert told(loss_of_classes, classes(2, 2, loss=nn.nll_loss)) == [("RG402", "error")]
    assert told(loss_of_classes, classes(3, 3, loss=lambda o, t: (o * 0).sum())) == []
