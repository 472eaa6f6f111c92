"""Connectionist temporal classification against the sum over all paths."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.nn import functional as F

RNG = np.random.default_rng(0)


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.ctc_loss(np.zeros((3, 2, 4)), [[1]], [3], [1]), "for 2 sequences"),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
