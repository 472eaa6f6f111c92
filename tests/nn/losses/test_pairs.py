"""Sample weights and dtypes of losses of several inputs."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd import nn

N, C = 5, 4
RNG = np.random.default_rng(0)
X, Y, Z = RNG.standard_normal((3, N, C))
SIGNS = np.array([1.0, -1.0, -1.0, 1.0, 1.0])
CLASSES = np.array([0, 3, 1, 1, 2])

CASES = {
    "SoftMarginLoss": (nn.SoftMarginLoss, (X[:, 0], SIGNS)),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss, (X[:, 0], SIGNS)),
    "MarginRankingLoss": (nn.MarginRankingLoss, (X[:, 0], Y[:, 0], SIGNS)),
    "MultiMarginLoss": (nn.MultiMarginLoss, (X, CLASSES)),
    "MultiLabelMarginLoss": (
        nn.MultiLabelMarginLoss,
        (X, np.array([[0, -1, 2, 1], [3, 1, 0, -1], [-1, 0, 0, 0], [2, -1, -1, -1], [1, 0, 3, 2]])),
    ),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss, (X, (Y > 0) * 1.0)),
    "CosineEmbeddingLoss": (nn.CosineEmbeddingLoss, (X, Y, SIGNS)),
    "TripletMarginLoss": (nn.TripletMarginLoss, (X, Y, Z)),
    "BCELoss": (nn.BCELoss, (1 / (1 + np.exp(-X)), (Y > 0) * 1.0)),
    "GaussianNLLLoss": (nn.GaussianNLLLoss, (X, Y, np.square(Z))),
    "KLDivLoss": (nn.KLDivLoss, (np.log(np.square(X)), np.square(Y))),
}


@pytest.mark.parametrize("name", CASES)
def test_a_weight_of_2_is_having_the_example_twice(name: str) -> None:
    build, given = CASES[name]
    weight = np.array([2, 0, 1, 3, 1])
    repeated = [np.repeat(x, weight, axis=0) for x in given]
    for reduction in ("mean", "sum"):
        loss = build(reduction=reduction)
        weighed = loss(*given, sample_weight=weight).item()
        assert weighed == pytest.approx(loss(*repeated).item(), rel=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name: str) -> None:
    build, given = CASES[name]
    single = [x.astype(np.float32) if x.dtype == np.float64 else x for x in given]
    assert build()(*single).dtype == np.float32
