"""What every loss keeps: reductions, sample weights and dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn

N, C = 7, 4
RNG = np.random.default_rng(0)
NUMBERS = RNG.standard_normal((N, 2))
CLASSES = np.array([0, 3, 1, 1, 2, 0, 3])


class Case(NamedTuple):
    """A loss of our library or PyTorch's, with arrays made by `a`, and what it is called on."""

    build: Callable[..., Any]
    input: Any
    target: Any


CASES = {
    "MSELoss": Case(lambda n, a, **o: n.MSELoss(**o), NUMBERS, 1 - NUMBERS),
    "L1Loss": Case(lambda n, a, **o: n.L1Loss(**o), NUMBERS, 1 - NUMBERS),
    "HuberLoss": Case(lambda n, a, **o: n.HuberLoss(delta=0.7, **o), NUMBERS, 1 - NUMBERS),
    "SmoothL1Loss": Case(lambda n, a, **o: n.SmoothL1Loss(beta=0.7, **o), NUMBERS, 1 - NUMBERS),
    "PoissonNLLLoss": Case(
        lambda n, a, **o: n.PoissonNLLLoss(full=True, **o), NUMBERS, RNG.poisson(2.0, (N, 2)) * 1.0
    ),
    "PoissonNLLLoss of rates": Case(
        lambda n, a, **o: n.PoissonNLLLoss(log_input=False, eps=1e-6, **o),
        np.exp(NUMBERS),
        RNG.poisson(2.0, (N, 2)) * 1.0,
    ),
    "BCEWithLogitsLoss": Case(
        lambda n, a, **o: n.BCEWithLogitsLoss(pos_weight=a([2.0, 0.5]), weight=a([1.0, 3.0]), **o),
        NUMBERS,
        RNG.uniform(0, 1, (N, 2)),
    ),
    "CrossEntropyLoss": Case(
        lambda n, a, **o: n.CrossEntropyLoss(**o), RNG.standard_normal((N, C)), CLASSES
    ),
    "CrossEntropyLoss in all": Case(
        lambda n, a, **o: n.CrossEntropyLoss(
            a([1.0, 2.0, 0.5, 0.0]), ignore_index=1, label_smoothing=0.3, **o
        ),
        RNG.standard_normal((N, C)),
        CLASSES,
    ),
    "CrossEntropyLoss of one": Case(
        lambda n, a, **o: n.CrossEntropyLoss(a([1.0, 2.0, 0.5, 3.0]), label_smoothing=0.3, **o),
        RNG.standard_normal(C),
        np.array(2),
    ),
    "CrossEntropyLoss of probabilities": Case(
        lambda n, a, **o: n.CrossEntropyLoss(a([1.0, 2.0, 0.5, 3.0]), label_smoothing=0.3, **o),
        RNG.standard_normal((N, C, 2)),
        RNG.dirichlet(np.ones(C), (N, 2)).transpose(0, 2, 1),
    ),
    "NLLLoss": Case(
        lambda n, a, **o: n.NLLLoss(a([1.0, 2.0, 0.5, 3.0]), ignore_index=0, **o),
        np.log(RNG.dirichlet(np.ones(C), N)),
        CLASSES,
    ),
}


def ours(case: Case, **options: Any) -> Any:
    return case.build(nn, np.array, **options)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_torchs_for_each_reduction(name: str, reduction: str) -> None:
    case = CASES[name]
    mine = rg.Tensor(case.input, requires_grad=True)
    other = torch.tensor(case.input, requires_grad=True)
    loss = ours(case, reduction=reduction)(mine, case.target)
    expected = case.build(
        torch.nn, lambda v: torch.tensor(v, dtype=torch.float64), reduction=reduction
    )(other, torch.tensor(case.target))
    np.testing.assert_allclose(loss.numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-15)
    loss.square().sum().backward()
    expected.square().sum().backward()
    np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", [name for name in CASES if np.ndim(CASES[name].input) > 1])
def test_a_weight_of_2_is_having_the_example_twice(name: str) -> None:
    case = CASES[name]
    weight = np.array([2, 0, 1, 3, 1, 1, 2])
    repeated = np.repeat(case.input, weight, axis=0), np.repeat(case.target, weight, axis=0)
    for reduction in ("mean", "sum"):
        loss = ours(case, reduction=reduction)
        weighed = loss(case.input, case.target, sample_weight=weight.astype(np.float32)).item()
        assert weighed == pytest.approx(loss(*repeated).item(), rel=1e-12)
    loss = ours(case, reduction="none")
    plain = loss(case.input, case.target).numpy()
    found = loss(case.input, case.target, sample_weight=weight).numpy()
    np.testing.assert_allclose(found, plain * weight.reshape(-1, *[1] * (plain.ndim - 1)))


def test_a_weight_may_stand_for_each_loss() -> None:
    weight = np.abs(NUMBERS)
    loss = nn.mse_loss(NUMBERS, 0 * NUMBERS, sample_weight=weight)
    assert loss.item() == pytest.approx(np.sum(weight * NUMBERS**2) / np.sum(weight))


@pytest.mark.parametrize("shape", [(N, 1), (2,), (N + 1,), (N, 2, 1)])
def test_weights_that_would_broadcast_otherwise_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"sample_weight has shape.*\(7,\), or.*\(7, 2\)"):
        nn.mse_loss(NUMBERS, NUMBERS, sample_weight=np.ones(shape))


def test_losses_of_float32_predictions_stay_float32() -> None:
    prediction = rg.Tensor(NUMBERS.astype(np.float32))
    for loss in (nn.mse_loss, nn.l1_loss, nn.huber_loss, nn.quantile_loss, nn.poisson_nll_loss):
        assert loss(prediction, np.abs(NUMBERS), sample_weight=np.ones(N)).dtype == np.float32
    scores = rg.Tensor(np.zeros((N, C), np.float32))
    for target in (CLASSES, np.full((N, C), 0.25)):
        found = nn.cross_entropy(scores, target, np.ones(C), sample_weight=np.ones(N))
        assert found.dtype == np.float32


PAIRED = [
    nn.mse_loss,
    nn.l1_loss,
    nn.huber_loss,
    nn.smooth_l1_loss,
    nn.quantile_loss,
    nn.poisson_nll_loss,
    nn.binary_cross_entropy_with_logits,
]


@pytest.mark.parametrize("loss", PAIRED, ids=lambda loss: loss.__name__)
def test_shapes_that_would_broadcast_are_refused_with_the_way_out(loss: Any) -> None:
    with pytest.raises(ValueError, match=rf"{loss.__name__}:.*\(7, 1\), the targets \(7,\)") as no:
        loss(NUMBERS[:, :1], NUMBERS[:, 0])
    assert "y.reshape((7, 1))" in str(no.value)
    with pytest.raises(ValueError, match=r"\(7, 2\), the targets \(1,\).*Check how many"):
        loss(NUMBERS, np.ones(1))
    with pytest.raises(TypeError, match=r"predictions must be floating-point.*int64"):
        loss(np.ones(2, np.int64), np.ones(2))
