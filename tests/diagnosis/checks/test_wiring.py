"""What the optimizer holds, what gets a gradient, which rows meet which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.cases import layer, only, record, told, weights

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.wiring import (
    broadcast,
    mixed_rows,
    no_gradient,
    not_cleared,
    not_in_optimizer,
)

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = X[:, 0].copy()


def test_gradients_that_are_kept() -> None:
    found = only(not_cleared, Case(record=record({"loss": 1.0}, kept_gradients=True)))
    assert (found.code, found.severity) == ("RG212", "error")
    assert told(not_cleared, Case(record=record({"loss": 1.0}))) == []


def recorded(*parameters: Any, never: tuple[str, ...] = ()) -> Case:
    return Case(record=record({"loss": 1.0}, parameters=parameters, never=never))


def test_parameters_that_the_optimizer_does_not_have() -> None:
    parameters = [weights(f"{n}.weight", optimized=n == 0) for n in range(7)]
    found = only(not_in_optimizer, recorded(*parameters))
    assert found.code == "RG213"
    assert found.evidence.text == (
        "6 of 7 parameters are not in the optimizer: 1.weight, 2.weight, 3.weight, 4.weight and 2 "
        "more."
    )
    assert found.evidence.layers == tuple(f"{n}.weight" for n in range(1, 7))
    assert found.evidence.numbers == {"parameters": 6}
    four = only(not_in_optimizer, recorded(*parameters[1:5])).evidence.text
    assert four.endswith("1.weight, 2.weight, 3.weight, 4.weight.")
    five = only(not_in_optimizer, recorded(*parameters[1:6])).evidence.text
    assert five.endswith("3.weight, 4.weight and 1 more.")
    assert told(not_in_optimizer, recorded(parameters[0])) == []
    frozen = weights("f.weight", optimized=False, trained=False)
    assert told(not_in_optimizer, recorded(frozen)) == []


def test_before_a_run_the_optimizer_is_asked() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    some = optim.SGD(model[0].parameters(), lr=0.1)
    found = only(not_in_optimizer, Case(model=model, optimizer=some))
    assert found.evidence.layers == ("1.weight", "1.bias")
    assert told(not_in_optimizer, Case(model=model)) == []
    every = optim.SGD(model.parameters(), lr=0.1)
    assert told(not_in_optimizer, Case(model=model, optimizer=every)) == []


def test_parameters_that_never_had_a_gradient() -> None:
    found = only(no_gradient, recorded(weights("0.weight"), weights("1.weight"), never=("b", "a")))
    assert (found.code, found.severity) == ("RG214", "error")
    assert found.evidence.text == "2 of 2 parameters never get a gradient: b, a."
    assert found.evidence.layers == ("b", "a")
    assert found.evidence.numbers == {"parameters": 2}
    assert told(no_gradient, recorded(weights("0.weight"))) == []


@pytest.mark.parametrize(
    ("trained", "frozen"),
    [
        ([True, False, True], ("1",)),
        ([True, False, False, True], ("1", "2")),
        ([False, False, True], ()),
        ([True, False, False], ()),
        ([False, True, False, True], ("2",)),
        ([False, False], ()),
    ],
)
def test_frozen_layers_between_those_that_learn(
    trained: list[bool], frozen: tuple[str, ...]
) -> None:
    parameters = [weights(str(n), trained=each) for n, each in enumerate(trained)]
    bias = weights("bias", (16,), trained=False)  # is no layer of its own
    found = no_gradient(recorded(parameters[0], bias, *parameters[1:]))
    assert [each.evidence.layers for each in found] == ([frozen] if frozen else [])
    for each in found:
        assert each.severity == "warning"
        assert each.evidence.numbers == {"parameters": len(frozen)}
        assert each.evidence.text == (
            f"These parameters are frozen but lie between trainable layers: {', '.join(frozen)}."
        )


def test_a_frozen_embedding_is_normal() -> None:
    """Its vectors are often those of another task."""
    parameters = [weights(f"{n}.weight", trained=n != 1) for n in range(3)]
    for kind, is_found in (("Linear", True), ("Embedding", False)):
        run = record({"loss": 1.0}, layers=[layer("1", kind)], parameters=parameters)
        assert bool(no_gradient(Case(record=run))) == is_found


class Cut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 3), nn.Linear(3, 1)

    def forward(self, x: Any) -> Any:
        return self.last(rg.Tensor(self.first(x).numpy()))


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output[:, 0], target)


def test_before_a_run_one_backward_pass_tells_and_leaves_no_trace() -> None:
    model = Cut().train()
    kept = rg.Tensor(np.full((1, 3), 7.0, np.float32))
    model.last.weight.grad = kept
    model.first.bias.grad = rg.Tensor(np.ones(3, np.float32))  # of an earlier pass
    case = Case(model=model, loss=squared, train=Data((X,), Y))
    assert only(no_gradient, case).evidence.layers == ("first.weight", "first.bias")
    assert np.array_equal(np.asarray(model.last.weight.grad), np.asarray(kept))
    assert model.first.weight.grad is None
    assert model.training
    whole = Case(model=nn.Linear(3, 1), loss=squared, train=Data((X,), Y))
    assert told(no_gradient, whole) == []
    assert told(no_gradient, Case(model=model, train=Data((X,), Y))) == []
    for each in model.parameters():
        each.requires_grad = False
    assert told(no_gradient, case) == []


def met(loss: Callable[[Any, Any], Any], y: Any = Y, outputs: Any = None, last: str = "") -> Case:
    case = Case(loss=loss, train=Data((X[: len(y)],), y), task="regression")
    case.__dict__["outputs"] = np.zeros((len(y), 1)) if outputs is None else outputs
    case.__dict__["last_operation"] = last
    return case


def broadcasts(output: Any, target: Any) -> Any:
    return ((output - target) ** 2).mean()


def refusing(output: Any, target: Any) -> Any:
    """Of two equal targets in front."""
    if float(target[0]) == float(target[1]):
        raise ValueError("equal targets")
    return squared(output, target)


def weighted(output: Any, target: Any) -> Any:
    w = target * target + 1
    return (w * (output[:, 0] - target) ** 2).sum() / w.sum()


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (met(broadcasts), True),
        (met(squared), False),
        (met(weighted), False),
        (met(broadcasts, Y[:4]), True),
        (met(broadcasts, Y[:3]), False),
        (met(broadcasts, np.ones(64, np.float32)), False),
        (met(broadcasts, np.where(np.arange(64) == 15, np.nan, Y)), False),
        (met(broadcasts, Y[:, None]), False),  # of one shape, as in a loss that couples rows
        (met(lambda o, t: (o.mean() - t.mean()) ** 2, Y[:, None]), False),
        (met(lambda o, t: (o.mean() - t.mean()) ** 2 + o.std(), outputs=np.zeros((64, 2))), False),
        (met(lambda o, t: o.sum() * 0.0), False),
        (met(lambda o, t: o.sum() * float("nan")), False),
    ],
)
def test_a_row_that_meets_the_targets_of_others(case: Case, is_found: bool) -> None:
    assert told(broadcast, case) == ([("RG405", "error")] if is_found else [])


@pytest.mark.parametrize(("share", "is_found"), [(0.9e-3, False), (1.1e-3, True)])
def test_rounding_is_no_meeting(share: float, is_found: bool) -> None:
    """The slope at row 1 is 1, and turns by `share` with the first target."""

    def loss(output: Any, target: Any) -> Any:
        turned = share * output[1, 0] if abs(float(target[0]) - 1) < 0.5 else 0 * output[1, 0]
        return output[2, 0] + turned

    y = np.arange(16, dtype=np.float32)
    found = broadcast(met(loss, y))
    assert bool(found) == is_found
    for each in found:
        assert each.evidence.numbers["share"] == pytest.approx(share)
        assert each.evidence.text == (
            "Outputs of shape (16, 1) and targets of shape (16,): changing the target of one row "
            "changes the gradient at all others."
        )


@pytest.mark.parametrize("last", ["", "softmax", "sigmoid", "log_softmax"])
def test_outputs_are_tried_of_the_kind_that_the_model_gives(last: str) -> None:
    seen: list[np.ndarray] = []

    def loss(output: Any, target: Any) -> Any:
        seen.append(np.asarray(output.numpy()))
        return output.sum()

    y = np.tile(Y[:, None, None], (1, 1, 3))
    assert told(broadcast, met(loss, y, outputs=np.zeros((64, 3)), last=last)) == []
    tried = seen[0]
    assert tried.shape == (16, 3)
    assert len(np.unique(tried)) == 48
    if last == "softmax":
        assert tried.sum(1) == pytest.approx(np.ones(16))
        assert tried.min() > 0
    elif last == "log_softmax":
        assert np.exp(tried).sum(1) == pytest.approx(np.ones(16))
    elif last == "sigmoid":
        assert 0 < tried.min() < 0.5 < tried.max() < 1
    else:
        assert tried.min() < -1
        assert tried.max() > 1


class Mixing(nn.Module):
    """Adds `share` of the batch's mean to each row."""

    def __init__(self, share: float, scale: float = 1.0) -> None:
        super().__init__()
        self.share, self.scale = share, scale
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Any) -> Any:
        return self.drop(self.scale * (x + self.share * x.mean(0)))


def mixing(share: float, rows: int = 64, scale: float = 1.0, x: Any = X) -> Case:
    model = Mixing(share, scale).train()
    return Case(model=model, train=Data((x[:rows],), Y[:rows]))


def means_moved() -> float:
    """How far the mean of 16 rows moves if the later 8 are others, or the earlier 8."""
    others = np.r_[:8, 16:24], np.r_[16:24, 8:16]
    return float(max(np.abs(X[:16].mean(0) - X[each].mean(0)).max() for each in others))


def test_rows_that_depend_on_those_beside_them() -> None:
    change = means_moved() / np.abs(X[:16]).max()
    for off, is_found in ((1.1e-3, True), (0.9e-3, False)):
        case = mixing(off / change)
        assert told(mixed_rows, case) == ([("RG408", "error")] if is_found else [])
        assert case.model is not None
        assert case.model.training
    assert told(mixed_rows, mixing(1.0, rows=32)) == [("RG408", "error")]
    assert told(mixed_rows, mixing(1.0, rows=31)) == []
    assert told(mixed_rows, mixing(1.0, scale=1e-3)) == [("RG408", "error")]
    assert told(mixed_rows, mixing(1.0, scale=1e-9)) == []  # rounding
    holed = X.copy()
    holed[31] = np.nan
    assert told(mixed_rows, mixing(1.0, x=holed)) == []
    holed = X.copy()
    holed[32:] = np.nan
    assert told(mixed_rows, mixing(1.0, x=holed)) == [("RG408", "error")]


@pytest.mark.parametrize("back", [True, False])
def test_rows_that_depend_on_earlier_or_later_ones_alone(back: bool) -> None:
    """As in a recurrent layer that takes the rows for steps of time."""

    class Summing(nn.Module):
        def forward(self, x: Any) -> Any:
            before = np.tril(np.ones((len(x), len(x)), np.float32))
            return rg.Tensor(before if back else before.T) @ x

    assert told(mixed_rows, Case(model=Summing(), train=Data((X,), Y))) == [("RG408", "error")]


def test_of_large_rows_fewer_are_run() -> None:
    seen: list[int] = []

    class Seeing(Mixing):
        def forward(self, x: Any) -> Any:
            seen.append(len(x))
            return super().forward(x)

    x = np.random.default_rng(0).normal(size=(32, 3, 16, 16)).astype(np.float32)
    case = Case(model=Seeing(1.0), train=Data((x,), Y[:32]))
    assert told(mixed_rows, case) == [("RG408", "error")]
    assert seen == [8, 8, 8, 8]


def test_by_how_much_rows_change_is_told() -> None:
    found = only(mixed_rows, mixing(1.0)).evidence
    rows = X[:16] + X[:16].mean(0)
    change = means_moved()
    largest = np.abs(rows).max()
    assert found.numbers == pytest.approx({"change": change, "largest": largest}, rel=1e-5)
    assert found.text == (
        f"The outputs of the same rows change by up to {change:.3g} when the other rows of the "
        f"batch change; the largest output is {largest:.3g}."
    )


def test_outputs_that_are_not_of_the_rows_tell_nothing() -> None:
    class Whole(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.mean(0)

    assert told(mixed_rows, Case(model=Whole(), train=Data((X,), Y))) == []


def test_a_model_that_draws_numbers_does_not_mix_rows() -> None:
    """As a variational autoencoder does, also in evaluation mode."""

    class Drawing(nn.Module):
        def forward(self, x: Any) -> Any:
            return x + rg.random.normal(x.shape)

    case = Case(model=Drawing(), train=Data((np.ones((200, 3), np.float32),), np.zeros(200)))
    assert told(mixed_rows, case) == []
