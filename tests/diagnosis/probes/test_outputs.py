"""What a classifier's outputs say is one decision, whoever asks."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.probes.outputs import said_classes
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.training.predictor import Predictor


class SigmoidAsOperation(nn.Module):
    """Ends with a sigmoid that is no module."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return rg.sigmoid(self.linear(x))


class SigmoidOutOfOrder(nn.Module):
    """Its last module is a sigmoid, its last operation is not."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return self.linear(x) * (self.gate(x[:, :1]) + 0.5)


@pytest.mark.parametrize("make", [SigmoidAsOperation, SigmoidOutOfOrder, lambda: nn.Linear(2, 1)])
def test_a_program_and_a_case_read_one_output_alike(make: type[nn.Module]) -> None:
    model = make()
    x = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    output = model(rg.Tensor(x)).numpy()
    ends_with_sigmoid = isinstance(model, SigmoidAsOperation)
    wanted = (output[:, 0] > (0.5 if ends_with_sigmoid else 0.0)).astype(int)
    assert 0 < wanted.mean() < 1
    case = Case(model=model, train=Data((x,), wanted), task="classification")
    np.testing.assert_array_equal(case.said(output), wanted)
    examples = Samples(x, wanted)
    program = Program(
        make, nn.binary_cross_entropy_with_logits, examples, examples, "classification"
    )
    assert program.score(Predictor(model), examples) == 1.0


def test_of_several_outputs_the_largest_is_said() -> None:
    outputs = np.array([[0.1, 0.9, 0.3], [2.0, -1.0, 0.0]])
    np.testing.assert_array_equal(said_classes(outputs, "softmax"), [1, 0])
    np.testing.assert_array_equal(said_classes(outputs[:, :, None], ""), [1, 0])


@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
def test_a_probability_says_class_1_above_a_half(last: str) -> None:
    np.testing.assert_array_equal(said_classes(np.array([0.5, 0.51, 0.49]), last), [0, 1, 0])


@pytest.mark.parametrize("last", ["linear", ""])
def test_a_score_says_class_1_above_zero(last: str) -> None:
    np.testing.assert_array_equal(said_classes(np.array([0.0, 0.01, -0.01]), last), [0, 1, 0])
