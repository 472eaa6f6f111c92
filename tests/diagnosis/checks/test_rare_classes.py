"""A table with a rare class is judged by ranking, beside models that are judged so too."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from support.cases import CODES, YES, performance

from retrograd.cli import main
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.outcome.baselines import misranked
from retrograd.runs import load


def bought(path: Path, rows: int, shuffled: bool) -> None:
    """One customer in twelve buys; how likely each is to is a logistic function of two columns."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4))
    y = rng.random(rows) < 1 / (1 + np.exp(-(x[:, 0] + x[:, 1] - 3)))
    if shuffled:
        y = rng.permutation(y)
    lines = [
        ",".join(f"{value:.3f}" for value in row) + (",yes" if is_yes else ",no")
        for row, is_yes in zip(x, y, strict=True)
    ]
    path.write_text("a,b,c,d,bought\n" + "\n".join(lines) + "\n")


def trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int, shuffled: bool
) -> tuple[dict[str, Finding], dict[str, float], str]:
    """The findings by code, the scores, and the report of a run of `retrograd train`."""
    monkeypatch.chdir(folder)
    bought(folder / "rare.csv", 4000, shuffled)
    options = ["--target", "bought", "--seed", str(seed), "--out", "run", "--quiet"]
    monkeypatch.setattr("sys.argv", ["retrograd", "train", "rare.csv", *options])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    found = {each.code: each for each in load("run").findings()}
    (scores,) = json.loads((folder / "run" / "scores.json").read_text()).values()
    return found, scores["metrics"], (folder / "run" / "report.html").read_text()


@pytest.mark.parametrize("seed", [0])
def test_a_good_network_of_a_rare_class_is_not_said_to_be_bad(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, scores, report = trained(tmp_path, monkeypatch, seed, shuffled=False)
    assert scores["roc_auc"] > 0.75
    assert not found.keys() & {"RG501", "RG503", "RG504"}
    assert "beats the baseline in every metric" in report


def test_a_network_that_learned_nothing_of_a_rare_class_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, scores, report = trained(tmp_path, monkeypatch, 0, shuffled=True)
    # The figure in the sentence is the one in the table of scores, and goes by its name.
    said = re.search(r"area under the ROC curve on the validation rows is ([\d.]+)", str(found))
    assert said is not None
    assert float(said[1]) == pytest.approx(scores["roc_auc"], abs=6e-4)
    assert "RG504" in found
    assert "beats the baseline in" not in report


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_misranked_pairs_are_what_scikit_learns_roc_auc_leaves(classes: int) -> None:
    rng = np.random.default_rng(classes)
    truth = np.append(np.arange(classes), rng.choice(classes, 200, p=_falling(classes)))
    scores = np.round(rng.dirichlet(np.ones(classes), len(truth)) + np.eye(classes)[truth] / 3, 1)
    scores /= scores.sum(1, keepdims=True)
    answers = scores[:, 1] if classes == 2 else scores
    expected = 1 - roc_auc_score(truth, answers, multi_class="ovr")
    # Of two classes scikit-learn takes the one column, and the mean of both is the same.
    assert misranked(scores, truth) == pytest.approx(expected, abs=1e-12)
    assert misranked(np.ones_like(scores), truth) == 0.5
    assert math.isnan(misranked(scores, np.zeros(len(truth), int)))


def test_the_margin_of_a_ranking_is_what_chance_does() -> None:
    truth = (np.arange(600) < 55).astype(np.int64)
    zeros = np.zeros((600, 1))
    rng = np.random.default_rng(0)
    drawn = [misranked(np.c_[-s, s], truth) for s in rng.normal(size=(2000, 600))]
    made = performance(truth, zeros, truth, zeros, answers=YES)
    assert made.margin(0.5) == pytest.approx(2 * float(np.std(drawn)), rel=0.05)


@pytest.mark.parametrize(("outputs", "classes"), [(1, 2), (2, 2), (3, 3)])
def test_logits_rank_as_their_probabilities_do(outputs: int, classes: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(classes, 300, p=_falling(classes))
    logits = rng.normal(size=(300, outputs)) + truth[:, None] * np.linspace(0, 1, outputs + 1)[1:]
    shifted = logits + (rng.normal(size=(300, 1)) if outputs > 1 else 3.0)
    made = performance(truth, logits, answers=YES if outputs == 1 else CODES)
    assert made.is_unbalanced
    assert made.train_error == pytest.approx(made.error(shifted, truth), abs=1e-12)


def _falling(classes: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Shares of classes of which the first is the most frequent, by far."""
    shares = 8.0 ** -np.arange(classes)
    return shares / shares.sum()
