"""Programs of Dive into Deep Learning on text: the seen half."""

from __future__ import annotations

import functools
from typing import Any

import data
import numpy as np
from collection import healthy
from training import Rows, Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

BOOK = "https://d2l.ai"

Array = np.ndarray[Any, Any]


@functools.cache
def _skip_grams(words: int, window: int = 3, negatives: int = 5) -> tuple[Rows, Rows]:
    """Center words with the words around them, five negatives for each, filled up to one length.

    The target holds, along the last axis, 1 for a true context word, and 1 where it counts.
    """
    rng = np.random.default_rng(0)
    (sentences, _), _ = data.review_ids(20, words)
    counts = np.bincount(sentences.ravel(), minlength=words).astype(np.float64)
    counts[:2] = 0
    share = counts / counts.sum()
    keep = np.sqrt(1e-3 / np.maximum(share, 1e-9))  # frequent words are left out at random
    noise = counts**0.75 / (counts**0.75).sum()
    width = 2 * window * (1 + negatives)
    centers, others, targets = [], [], []
    for sentence in sentences[:2500]:
        kept = [word for word in sentence if word > 1 and rng.random() < keep[word]]
        for i, center in enumerate(kept):
            reach = int(rng.integers(1, window + 1))
            near = kept[max(0, i - reach) : i] + kept[i + 1 : i + 1 + reach]
            if not near:
                continue
            row, target = np.zeros(width, np.int64), np.zeros((width, 2), np.float32)
            size = len(near) * (1 + negatives)
            row[: len(near)] = near
            row[len(near) : size] = rng.choice(words, len(near) * negatives, p=noise)
            target[: len(near), 0] = 1
            target[:size, 1] = 1
            centers.append([center])
            others.append(row)
            targets.append(target)
    x, y, z = np.array(centers, np.int64), np.stack(others), np.stack(targets)
    cut = len(x) * 9 // 10
    return ((x[:cut], y[:cut]), z[:cut]), ((x[cut:], y[cut:]), z[cut:])


class _SkipGram(nn.Module):
    """The products of a center word's vector with the context vectors of other words."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.center = nn.Embedding(words, width)
        self.context = nn.Embedding(words, width)
        for part in self.children():
            init.xavier_uniform_(part.weight)

    def forward(self, center: Any, others: Any) -> Any:
        # b rows, l words, w width
        return rg.einsum("bw,blw->bl", self.center(center[:, 0]), self.context(others))


@healthy(
    "d2l-word2vec-skip-gram",
    source=f"{BOOK}/chapter_natural-language-processing-pretraining/word2vec-pretraining.html",
    shape="language model",
)
def word2vec() -> Training:
    """Word vectors by skip-gram with negative sampling: a masked binary cross-entropy."""
    words = 1500
    train, valid = _skip_grams(words)

    def loss(output: Any, target: Any) -> Any:
        label, mask = target[..., 0], target[..., 1]
        each = nn.functional.binary_cross_entropy_with_logits(output, label, reduction="none")
        return ((each * mask).sum(1) / mask.sum(1)).mean()

    def score(predict: Any) -> float:
        """How often a true context word is above a negative of the same center."""
        found, (label, mask) = predict(*valid[0]), np.moveaxis(valid[1], -1, 0)
        true, false = (mask * (label == each) for each in (1, 0))
        above = (found[:, :, None] > found[:, None, :]) * true[:, :, None] * false[:, None, :]
        return float(above.sum() / (true.sum(1) * false.sum(1)).sum())

    return Training(
        lambda: _SkipGram(words, 50),
        train,
        loss,
        lambda parameters: optim.Adam(parameters, lr=0.002),
        score,
        well=0.58,
        epochs=5,
        batch_size=128,
    )


SUBJECTS = ["man", "woman", "boy", "girl", "dog", "child", "couple", "player", "singer", "farmer"]
VERBS = ["runs", "sleeps", "sings", "jumps", "eats", "reads", "swims", "dances", "waits", "climbs"]
PLACES = ["park", "street", "kitchen", "beach", "field", "station", "garden", "school"]
HUES = ["red", "blue", "green", "old", "young", "happy", "tired", "tall"]


def _inferences(rows: int) -> tuple[tuple[Array, Array], Array, int]:
    """Premises, hypotheses, and 0 if one follows, 1 if it contradicts, 2 if it is neither."""
    rng = np.random.default_rng(0)
    vocabulary = ["<pad>", "a", "in", "the", *SUBJECTS, *VERBS, *PLACES, *HUES]
    ids = {word: i for i, word in enumerate(vocabulary)}

    def other(words: list[str], than: str) -> str:
        return str(rng.choice([word for word in words if word != than]))

    premises, hypotheses = np.zeros((2, rows, 8), np.int64)
    labels = rng.integers(0, 3, rows)
    for premise, hypothesis, label in zip(premises, hypotheses, labels, strict=True):
        hue, who, does, where = (str(rng.choice(x)) for x in (HUES, SUBJECTS, VERBS, PLACES))
        said = ["a", hue, who, does, "in", "the", where]
        if label == 0:
            claim = ["a", who, does] if rng.random() < 0.5 else [*said[:1], who, *said[3:]]
        elif label == 1:
            claim = ["a", who, other(VERBS, does), *said[4:]]
        else:
            claim = ["a", other(HUES, hue), who, does]
        premise[: len(said)] = [ids[word] for word in said]
        hypothesis[: len(claim)] = [ids[word] for word in claim]
    return (premises, hypotheses), labels.astype(np.int64), len(vocabulary)


def _mlp(inputs: int, hidden: int) -> nn.Module:
    return nn.Sequential(
        nn.Dropout(0.2),
        nn.Linear(inputs, hidden),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
    )


class _DecomposableAttention(nn.Module):
    """Each word aligned with the other sentence's, compared, summed up and judged."""

    def __init__(self, words: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.attend = _mlp(width, hidden)
        self.compare = _mlp(2 * width, hidden)
        self.aggregate = nn.Sequential(_mlp(2 * hidden, hidden), nn.Linear(hidden, 3))

    def forward(self, premise: Any, hypothesis: Any) -> Any:
        a, b = self.embedding(premise), self.embedding(hypothesis)
        scores = rg.matmul(self.attend(a), rg.transpose(self.attend(b), 1, 2))
        beta = rg.matmul(rg.softmax(scores, dim=-1), b)
        alpha = rg.matmul(rg.softmax(rg.transpose(scores, 1, 2), dim=-1), a)
        v_a = self.compare(rg.concatenate([a, beta], 2)).sum(1)
        v_b = self.compare(rg.concatenate([b, alpha], 2)).sum(1)
        return self.aggregate(rg.concatenate([v_a, v_b], 1))


@healthy(
    "d2l-nli-decomposable-attention",
    source=(
        f"{BOOK}/chapter_natural-language-processing-applications/"
        "natural-language-inference-attention.html"
    ),
    shape="classes",
)
def natural_language_inference() -> Training:
    """Does a sentence follow from another, contradict it, or neither? Made sentences."""
    (premises, hypotheses), labels, words = _inferences(4000)
    train = (premises[:3200], hypotheses[:3200]), labels[:3200]
    valid = (premises[3200:], hypotheses[3200:]), labels[3200:]
    return Training(
        lambda: _DecomposableAttention(words, 50, 64),
        train,
        nn.CrossEntropyLoss(),
        lambda parameters: optim.Adam(parameters, lr=0.001),
        lambda predict: float(np.mean(predict(*valid[0]).argmax(1) == valid[1])),
        well=0.85,
        epochs=12,
        batch_size=64,
        valid=valid,
    )


class _TextCNN(nn.Module):
    """Filters over 3, 4 and 5 words of a trained and a constant embedding, each averaged."""

    def __init__(self, words: int, width: int, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.constant_embedding = nn.Embedding(words, width).requires_grad_(False)
        self.convs = nn.ModuleList([nn.Conv1d(2 * width, channels, size) for size in (3, 4, 5)])
        self.dropout = nn.Dropout(0.5)
        self.decoder = nn.Linear(3 * channels, 2)
        for layer in (*self.convs, self.decoder):
            init.xavier_uniform_(layer.weight)

    def forward(self, x: Any) -> Any:
        both = rg.concatenate([self.embedding(x), self.constant_embedding(x)], 2)
        words = rg.transpose(both, 1, 2)
        pooled = [rg.relu(conv(words).mean(-1)) for conv in self.convs]
        return self.decoder(self.dropout(rg.concatenate(pooled, 1)))


@healthy(
    "d2l-sentiment-textcnn",
    source=f"{BOOK}/chapter_natural-language-processing-applications/sentiment-analysis-cnn.html",
    shape="classes",
)
def sentiment() -> Training:
    """The sentiment of reviews by textCNN, Adam at 0.001; here without GloVe's vectors."""
    train, valid = data.review_ids(24, 2500, 6000)
    return Training(
        lambda: _TextCNN(2500, 32, 32),
        train,
        nn.CrossEntropyLoss(),
        lambda parameters: optim.Adam([p for p in parameters if p.requires_grad], lr=0.001),
        lambda predict: float(np.mean(predict(valid[0]).argmax(1) == valid[1])),
        well=0.68,
        epochs=8,
        batch_size=60,
        valid=valid,
    )
