"""Networks for texts: formulas by hand, scikit-learn's naive Bayes, what padding must not do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.naive_bayes import MultinomialNB

from retrograd import nn
from retrograd.data.texts.ragged import Ragged
from retrograd.kinds.text.architectures import ARCHITECTURES
from retrograd.models.tables.table import TableNet
from retrograd.models.texts.bag import (
    NgramVectors,
    NgramVotes,
    TextBag,
    log_count_ratios,
    mean_targets,
)
from retrograd.models.texts.branches import BagBesideTable, BranchesBesideTable, TextBranches
from retrograd.models.texts.cnn import TextCNN
from retrograd.models.texts.recurrent import TextGRU
from retrograd.tensor import Tensor

IDS = np.array([[1, 2, 3, 0], [4, 2, 0, 0], [5, 0, 0, 0], [1, 5, 2, 4], [0, 0, 0, 0]], np.int32)
ROWS = Ragged.of(row[row > 0] for row in IDS)


def test_ratios_of_two_classes_are_those_of_naive_bayes() -> None:
    codes = np.array([0, 1, 1, 0, 1])
    ratios = log_count_ratios(ROWS, 6, codes, 2)
    counts = np.stack([(each == IDS).sum(1) for each in range(1, 6)], 1)
    bayes = MultinomialNB(alpha=1.0).fit(counts, codes)
    expected = bayes.feature_log_prob_[0] - bayes.feature_log_prob_[1]
    np.testing.assert_allclose(ratios[1:, 0], expected, atol=1e-6)
    np.testing.assert_allclose(ratios[:, 1], -ratios[:, 0], atol=1e-6)
    assert not ratios[0].any()


def test_ratios_of_many_classes_compare_each_with_the_rest() -> None:
    codes = np.array([0, 1, 2, 0, 1])
    ratios = log_count_ratios(ROWS, 6, codes, 3)
    for code in range(3):
        one = log_count_ratios(ROWS, 6, (codes == code).astype(int), 2)[:, 1]
        np.testing.assert_allclose(ratios[:, code], one, rtol=1e-6)


def test_mean_targets_shrink_what_is_seldom() -> None:
    targets = np.array([1.0, -2.0, 0.5, 3.0, 9.0], np.float32)
    means = mean_targets(ROWS, 6, targets)
    assert means.shape == (6, 1)
    np.testing.assert_allclose(means[:, 0], [0, 4 / 3, 2 / 4, 1 / 2, 1 / 3, 3.5 / 3], rtol=1e-6)


def test_votes_are_summed_over_the_root_of_their_count(rng: np.random.Generator) -> None:
    votes = NgramVotes(6, 2)
    ratio = rng.normal(size=(6, 2)).astype(np.float32)
    weight = rng.normal(size=(6, 2)).astype(np.float32)
    votes.ratio.data, votes.weight.data = ratio, weight
    votes.eval()
    table = ratio * (1 + 8 * weight)
    votes.bias.data = np.array([0.5, -1], np.float32)
    expected = [table[row[row > 0]].sum(0) / np.sqrt(max((row > 0).sum(), 1)) for row in IDS]
    expected += votes.bias.numpy()
    np.testing.assert_allclose(votes(IDS).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_ngrams_left_out_in_training_keep_the_mean_vote() -> None:
    votes = NgramVotes(6, 1, dropout=0.5)
    votes.ratio.data = np.ones((6, 1), np.float32)
    ids = np.full((2000, 4), 3, np.int32)
    seen = votes(ids).numpy()
    assert set(np.unique(seen).round(3)) == {0.0, 1.0, 2.0, 3.0, 4.0}
    assert seen.mean() == pytest.approx(2.0, abs=0.1)


def test_vectors_are_added_over_the_root_of_their_count(rng: np.random.Generator) -> None:
    vectors = NgramVectors(4, 2, width=3).eval()
    table, head = vectors.embedding.weight.numpy(), vectors.head
    assert table.shape == (4, 3)
    known = IDS * (IDS < 4)  # the others are too seldom to have a vector
    summed = [table[row[row > 0]].sum(0) / np.sqrt(max((row > 0).sum(), 1)) for row in known]
    expected = np.maximum(summed, 0) @ head.weight.numpy().T + head.bias.numpy()
    np.testing.assert_allclose(vectors(IDS).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_each_view_of_a_bag_is_a_member_and_the_vectors_are_one() -> None:
    bag = TextBag([6, 9], 3, 2).eval()
    for place, votes in enumerate(bag.votes):
        votes.ratio.data = np.full(votes.ratio.shape, 10.0**place, np.float32)
    answers = bag(IDS[:1], IDS[:1]).numpy()
    assert answers.shape == (1, 3, 2)
    np.testing.assert_allclose(answers[0, :2], np.sqrt(3) * np.array([[1, 1], [10, 10]]), rtol=1e-6)
    np.testing.assert_allclose(answers[0, 2], bag.vectors(IDS[:1]).numpy()[0])
    assert bag.vectors.embedding.num_embeddings == 4


@pytest.mark.parametrize("name", [each for each in ARCHITECTURES.names if each != "bag"])
def test_padding_changes_no_answer(name: str, rng: np.random.Generator) -> None:
    network = ARCHITECTURES.find(name).build(50, 3).eval()
    for parameter in network.parameters():
        if parameter.ndim == 1:  # biases, which start at 0 here and there
            parameter.data = rng.normal(size=parameter.shape).astype(np.float32)
    ids = np.zeros((3, 12), np.int32)
    for row, length in enumerate((7, 1, 4)):
        ids[row, :length] = rng.integers(1, 50, length)
    answers = network(ids).numpy()
    assert answers.shape == (3, 3)
    np.testing.assert_allclose(network(ids[:, :7]).numpy(), answers, rtol=1e-4, atol=1e-5)
    for row, length in enumerate((7, 1, 4)):
        alone = network(ids[[row], :length]).numpy()
        np.testing.assert_allclose(alone[0], answers[row], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [each for each in ARCHITECTURES.names if each != "bag"])
def test_the_order_of_the_words_matters_and_everything_learns(name: str) -> None:
    network = ARCHITECTURES.find(name).build(20, 2).eval()
    ids = np.array([[3, 7, 9, 4, 11], [11, 4, 9, 7, 3]], np.int32)
    answers = network(ids)
    assert np.abs(answers.numpy()[0] - answers.numpy()[1]).max() > 1e-5
    (answers**2).sum().backward()
    for path, parameter in network.named_parameters():
        assert parameter.grad is not None, path
        assert np.abs(parameter.grad.numpy()).max() > 0, path
    embedded = network.embedding.weight
    assert not embedded.numpy()[0].any()
    assert not embedded.grad.numpy()[0].any()


def test_an_empty_text_has_an_answer() -> None:
    for name in ARCHITECTURES.names:
        if name != "bag":
            network = ARCHITECTURES.find(name).build(9, 2).eval()
            assert np.isfinite(network(np.zeros((2, 3), np.int32)).numpy()).all(), name


def table_net(vectors: int) -> TableNet:
    edges = [np.linspace(0, 1, 4, dtype=np.float32)] + [np.array([0, 1], np.float32)] * vectors
    return TableNet(edges, [3], 2, hidden=(8,), members=2)


JOINED: dict[str, Callable[[], tuple[nn.Module, bool]]] = {
    "two texts": lambda: (TextBranches([TextCNN(6, 5), TextGRU(6, 5)], 5, 2), False),
    "branches beside a table": lambda: (
        BranchesBesideTable([TextCNN(6, 5), TextGRU(6, 5)], table_net(10)),
        True,
    ),
    "a bag beside a table": lambda: (
        BagBesideTable(TextBag([6, 6], 3, 2), table_net(0)),
        True,
    ),
}


@pytest.mark.parametrize("case", JOINED)
def test_every_branch_has_a_say(case: str, rng: np.random.Generator) -> None:
    network, is_beside_table = JOINED[case]()
    network.eval()
    for module in network.modules():
        if isinstance(module, NgramVotes):
            module.ratio.data = rng.normal(size=(6, 2)).astype(np.float32)
    other = (IDS + 1) * (IDS > 0) % 6
    numbers = rng.uniform(size=(5, 1)).astype(np.float32)
    categories = rng.integers(0, 3, (5, 1)).astype(np.int32)
    table = [numbers, categories] if is_beside_table else []
    inputs = [*table, IDS, other]
    before = network(*map(Tensor, inputs)).numpy()
    assert before.shape == ((5, 2, 2) if is_beside_table else (5, 2))
    changes = [numbers[::-1], (categories + 1) % 3] if is_beside_table else []
    for place, changed in enumerate([*changes, other, IDS]):
        mixed = [changed if i == place else each for i, each in enumerate(inputs)]
        assert np.abs(network(*map(Tensor, mixed)).numpy() - before).max() > 1e-5, place
