"""A call that cannot be carried out names the argument, what it is, and what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import UsageError

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = X[:, 0] + 0.5 * X[:, 1]


def _model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def _loss(output: rg.Tensor, target: rg.Tensor) -> rg.Tensor:
    return nn.mse_loss(output[:, 0], target)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (X, r"diagnose: data is of type ndarray; expected a pair, \(inputs, target\)"),
        (X[:2], "diagnose: data is of type ndarray; expected a pair"),
        ((X, Y, Y), "data is of type tuple of length 3; expected a pair"),
        ((X, np.array(list("ab") * 20)), "the target of data has dtype <U1; .* classes as codes"),
        ((X.astype(str), Y), "the input of data has dtype <U32; expected numbers"),
        ((X, 1.0), r"the target of data is the single value 1.0; .*\(rows, ...\)"),
    ],
)
def test_data_must_be_a_pair_of_numbers(data: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        rg.diagnose(_model(), data, loss=_loss)
    with pytest.raises(TypeError, match=message.replace("data", "valid", 1)):
        rg.diagnose(_model(), (X, Y), loss=_loss, valid=data)


def test_data_must_have_rows_and_a_target_for_each() -> None:
    with pytest.raises(UsageError, match="data has no rows; expected at least one"):
        rg.diagnose(_model(), (X[:0], Y[:0]), loss=_loss)
    with pytest.raises(UsageError, match="data has 40 inputs and 39 targets"):
        rg.diagnose(_model(), (X, Y[1:]), loss=_loss)


def test_a_model_is_a_module_with_parameters() -> None:
    with pytest.raises(TypeError, match=r"model is of type function; expected an nn\.Module"):
        rg.diagnose(_model, (X, Y))
    with pytest.raises(TypeError, match=r"diagnose: model is the class Linear; expected"):
        rg.diagnose(nn.Linear, (X, Y))
    with pytest.raises(UsageError, match="model, of type ReLU, has no parameters"):
        rg.diagnose(nn.ReLU(), (X, Y), loss=_loss)


def test_a_model_whose_parameters_are_all_held_back_is_looked_at() -> None:
    model = _model()
    for parameter in model.parameters():
        parameter.requires_grad = False
    rg.diagnose(model, (X, Y), loss=_loss)


def test_a_loss_is_a_function_and_an_optimizer_one() -> None:
    with pytest.raises(TypeError, match="diagnose: loss is of type str; expected a function"):
        rg.diagnose(_model(), (X, Y), loss="mse")
    with pytest.raises(TypeError, match="diagnose: optimizer is the class Adam; expected an optim"):
        rg.diagnose(_model(), (X, Y), optimizer=optim.Adam)


def test_record_takes_a_model_and_then_its_optimizer() -> None:
    model = _model()
    optimizer = optim.Adam(model.parameters())
    with pytest.raises(TypeError, match=r"model is of type Adam; .* The model comes first"):
        rg.record(optimizer, model)
    with pytest.raises(TypeError, match=r"optimizer is None; expected an optim\.Opt"):
        rg.record(model, None)
    with pytest.raises(TypeError, match=r"model is None; expected an nn\.Module"):
        rg.record(None, optimizer)


def test_fix_takes_a_program() -> None:
    with pytest.raises(
        TypeError, match=r"fix: program is of type Sequential; expected a .*Program"
    ):
        rg.fix(_model())


def test_one_code_to_ignore_may_be_a_text() -> None:
    big = (1000 * X, Y)
    assert "RG301" in {each.code for each in rg.diagnose(_model(), big)}
    assert "RG301" not in {each.code for each in rg.diagnose(_model(), big, ignore="RG301")}
    with pytest.raises(UsageError, match="there is no finding 'RG999'"):
        rg.diagnose(_model(), big, ignore="RG999")
