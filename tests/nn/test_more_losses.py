"""Losses of margins, distances, likelihoods and alignments beyond PyTorch's own cases.

tests/torchdb and tests/opinfo hold values and gradients against PyTorch.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.nn import functional as F

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


def test_soft_margins_of_10_000_do_not_overflow() -> None:
    x = rg.Tensor([1e4, -1e4], requires_grad=True)
    loss = F.soft_margin_loss(x, np.ones(2), "sum")
    loss.backward()
    assert (loss.item(), x.grad.tolist()) == (1e4, [0, -1])


def test_probabilities_of_0_and_1_cost_at_most_100() -> None:
    p = rg.Tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(p, np.array([0.0, 1.0, 1.0, 0.0]), reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [0, 0, 100, 100]
    assert np.isfinite(p.grad.numpy()).all()


def test_the_divergence_of_a_distribution_from_itself_is_zero() -> None:
    q = np.array([[0.25, 0.75, 0.0], [0.5, 0.25, 0.25]])
    with np.errstate(divide="ignore"):
        log_q = np.where(q > 0, np.log(q), -50.0)
    assert F.kl_div(log_q, q, "batchmean").item() == pytest.approx(0, abs=1e-15)


# Connectionist temporal classification ------------------------------------------------------------


def by_enumeration(p: np.ndarray, labels: list[int], blank: int = 0) -> float:
    """-log of the probability of all paths that become the labels, one by one."""
    steps, count = p.shape
    total = 0.0
    for path in itertools.product(range(count), repeat=steps):
        merged = [k for k, _ in itertools.groupby(path)]
        if [k for k in merged if k != blank] == labels:
            total += math.prod(p[t, k] for t, k in enumerate(path))
    return -math.log(total) if total else math.inf


SEQUENCES = [[1], [1, 1], [2, 1], [], [1, 2, 1], [2]]
STEPS = [4, 4, 3, 2, 3, 1]


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("compiled", [False, True])
def test_ctc_is_the_sum_over_all_alignments(blank: int, compiled: bool) -> None:
    p = RNG.dirichlet(np.ones(3), (4, len(STEPS)))  # (t, n, c)
    names = [1, 2] if blank == 0 else [0, 1]
    sequences = [[names[k - 1] for k in labels] for labels in SEQUENCES]
    padded = np.array([labels + [names[0]] * (3 - len(labels)) for labels in sequences])
    lengths = np.array([len(labels) for labels in sequences])

    def run(log_p: Any) -> Any:
        return F.ctc_loss(log_p, padded, np.array(STEPS), lengths, blank, "none")

    found = (rg.compile(run) if compiled else run)(rg.Tensor(np.log(p)))
    right = [
        by_enumeration(p[:steps, i], labels, blank)
        for i, (steps, labels) in enumerate(zip(STEPS, sequences, strict=True))
    ]
    np.testing.assert_allclose(found.numpy(), right, rtol=1e-12)


def test_labels_that_do_not_fit_cost_nothing_and_have_no_slope_if_asked() -> None:
    scores = rg.Tensor(RNG.standard_normal((2, 1, 3)), requires_grad=True)
    log_p = rg.log_softmax(scores, dim=-1)
    impossible = (log_p, np.array([[1, 1]]), [2], [2])  # needs a blank between, three steps
    assert F.ctc_loss(*impossible).item() == math.inf
    F.ctc_loss(*impossible, zero_infinity=True).backward()
    assert scores.grad.tolist() == np.zeros((2, 1, 3)).tolist()


# Bags and distances -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_bag_is_the_fold_of_its_embeddings(mode: str, compiled: bool) -> None:
    bag = nn.EmbeddingBag(6, 3, mode, padding_idx=2)
    flat, offsets = np.array([0, 2, 5, 5, 1, 2]), np.array([0, 3, 3, 5])

    def run(flat: Any, offsets: Any) -> Any:
        bag.weight.grad = None
        out = bag(flat, offsets)
        (out * out).sum().backward()
        return out, bag.weight.grad

    out, slope = (rg.compile(run) if compiled else run)(flat, offsets)
    rows = bag.weight.numpy()
    fold = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
    right = np.stack([fold(rows[[0, 5]], 0), np.zeros(3), fold(rows[[5, 1]], 0), np.zeros(3)])
    np.testing.assert_allclose(out.numpy(), right, rtol=1e-6)
    assert not slope.numpy()[[2, 3, 4]].any()  # padding, and what is in no bag


def test_equal_vectors_have_distance_near_0_and_a_finite_slope() -> None:
    x = rg.Tensor(np.ones((1, 3)), requires_grad=True)
    F.pairwise_distance(x, np.ones((1, 3))).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    y = rg.Tensor(np.zeros((1, 3)), requires_grad=True)
    (F.cosine_similarity(y, x) + F.normalize(y).sum(1)).sum().backward()
    assert np.isfinite(y.grad.numpy()).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.multi_margin_loss(X, CLASSES, p=3), "p is 1 or 2, found 3"),
        (lambda: F.multi_margin_loss(X, CLASSES, weight=np.ones(3)), "each of the 4 classes"),
        (lambda: F.multi_margin_loss(X, CLASSES[:3]), r"classes \(n,\)"),
        (lambda: F.multilabel_margin_loss(X, CLASSES), r"lists of classes of one shape"),
        (lambda: F.cosine_embedding_loss(X, Y, SIGNS[:, None]), r"targets \(n,\)"),
        (lambda: F.triplet_margin_loss(X, Y, Z[0]), "as many axes"),
        (lambda: F.triplet_margin_loss(X, Y, Z, margin=0.0), "above 0, found 0.0"),
        (lambda: F.binary_cross_entropy(X, np.ones((N, C))), "binary_cross_entropy_with_logits"),
        (lambda: F.gaussian_nll_loss(X, Y, np.ones(3)), r"\(3,\) does not fit"),
        (lambda: F.gaussian_nll_loss(X, Y, -1.0), "negative"),
        (lambda: F.gaussian_nll_loss(X, Y[:, :1], 1.0), "each prediction would meet other"),
        (lambda: nn.KLDivLoss("average"), "found 'average'"),
        (lambda: F.ctc_loss(np.zeros((3, 2, 4)), [[1]], [3], [1]), "for 2 sequences"),
        (lambda: F.embedding_bag(CLASSES, nn.Embedding(4, 2).weight), r"\(total,\) with offsets"),
        (lambda: F.embedding_bag(CLASSES[None], nn.Embedding(4, 2).weight, mode="min"), "'max'"),
        (
            lambda: F.embedding_bag(
                CLASSES[None], nn.Embedding(4, 2).weight, per_sample_weights=np.ones((1, 5))
            ),
            "for mode 'sum'",
        ),
        (lambda: F.local_response_norm(X, 2), "spatial"),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
