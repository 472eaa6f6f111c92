"""Questions of users about texts and sequences: losses of probabilities, targets, attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from building import accuracy, adam
from collection import faulty
from data import keras_start, made_names, sentences, shakespeare, split
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]


class LastState(nn.Module):
    """Letters' vectors, an LSTM over them, and a head on its last state: (rows, 4)."""

    def __init__(self, *output: nn.Module) -> None:
        super().__init__()
        self.embedding = nn.Embedding(27, 16)
        self.lstm = nn.LSTM(16, 32, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Linear(64, 4), *output)

    def forward(self, tokens: Any) -> Any:
        last = self.lstm(self.embedding(tokens))[1][0]
        return self.head(rg.concatenate([last[0], last[1]], 1))


@faulty(
    "text-classification-9-nll-of-softmax",
    source="https://github.com/AnubhavGupta3377/Text-Classification-Models-Pytorch/issues/9",
    shape="sequence",
    faults=("softmax where the loss wants log-softmax, so that it is negative",),
    right=("RG402", "RG401"),
)
def nll_of_softmax() -> Pair:
    """Short texts of four kinds by a recurrent network whose loss is always negative."""
    train, valid = split(*made_names()[0])
    wrong = Training(
        model=lambda: LastState(nn.Softmax(1)),
        train=train,
        valid=valid,
        loss=nn.nll_loss,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.5),
        score=accuracy(valid),
        well=0.85,
        epochs=15,
    )
    return wrong, replace(wrong, model=lambda: LastState(nn.LogSoftmax(1)))


@faulty(
    "tf-docs-2102-logits-as-probabilities",
    source="https://github.com/tensorflow/docs/pull/2102",
    shape="classes",
    faults=("logits where the loss wants probabilities",),
    right=("RG402",),
)
def logits_as_probabilities() -> Pair:
    """The exercise of the text tutorial: four classes instead of two, an accuracy near chance."""
    train, valid = sentences("ag_news_7600", 2500, 2000, 20)

    def sparse(output: Any, target: Any) -> Any:
        return nn.cross_entropy(rg.log(rg.clip(output, 1e-7, 1 - 1e-7)), target)

    wrong = Training(
        model=lambda: keras_start(
            nn.Sequential(
                nn.EmbeddingBag(2000, 16), nn.Dropout(0.2), nn.Dropout(0.2), nn.Linear(16, 4)
            )
        ),
        train=train,
        valid=valid,
        loss=sparse,
        optimizer=adam(0.003),
        score=accuracy(valid),
        well=0.74,
        epochs=15,
    )
    return wrong, replace(wrong, loss=nn.cross_entropy)


class NextCharacter(nn.Module):
    """Scores (rows, kinds, length) of each step's next character."""

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(kinds, 24)
        self.gru = nn.GRU(24, 64, batch_first=True)
        self.head = nn.Linear(64, kinds)

    def forward(self, text: Any) -> Any:
        return rg.transpose(self.head(self.gru(self.embedding(text))[0]), 1, 2)


@faulty(
    "tape-32-targets-not-shifted",
    source="https://github.com/songlab-cal/tape/issues/32",
    shape="language model",
    faults=("the target of each step is its input, not the next one",),
    right=("RG305",),
)
def targets_not_shifted() -> Pair:
    """A language model of characters whose loss is soon zero, and which knows nothing of text."""
    text, kinds = shakespeare(26_000)
    rows = text[: len(text) // 33 * 33].reshape(-1, 33)
    now, following = rows[:, :32], rows[:, 1:]
    valid = now[650:], following[650:]
    wrong = Training(
        model=lambda: NextCharacter(kinds),
        train=(now[:650], now[:650]),
        valid=(now[650:], now[650:]),
        loss=nn.cross_entropy,
        optimizer=adam(0.005),
        score=accuracy(valid),
        well=0.3,
        epochs=12,
    )
    return wrong, replace(wrong, train=(now[:650], following[:650]), valid=valid)


class Lookup(nn.Module):
    """Attention of a query (rows, 8) over nine keys with values (rows, 9, 16): (rows, 4)."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.query, self.key, self.value = nn.Linear(8, 16), nn.Linear(8, 16), nn.Linear(8, 16)
        self.head = nn.Linear(16, 4)
        self.axis = axis

    def forward(self, query: Any, memory: Any) -> Any:
        keys, values = self.key(memory[:, :, :8]), self.value(memory[:, :, 8:])
        scores = (rg.unsqueeze(self.query(query), 1) * keys).sum(2)
        shares = rg.softmax(scores, dim=self.axis)
        return self.head((rg.unsqueeze(shares, 2) * values).sum(1))


@faulty(
    "pytorch-nlp-2-attention-over-rows",
    source="https://github.com/PetrochukM/PyTorch-NLP/issues/2",
    shape="sequence",
    faults=("attention is normalized over the rows of the batch instead of the keys",),
    right=("RG408",),
)
def attention_over_rows() -> Pair:
    """The class of the one memory whose key is the query's, found by attention."""
    rng = np.random.default_rng(0)
    memory = rng.normal(size=(2000, 9, 16)).astype(np.float32)
    place = rng.integers(0, 9, 2000)
    found = memory[np.arange(2000), place]
    query = (found[:, :8] + 0.2 * rng.normal(size=(2000, 8))).astype(np.float32)
    y = (found[:, 8:] @ rng.normal(size=(8, 4))).argmax(1)
    valid = query[1600:], memory[1600:]
    wrong = Training(
        model=lambda: Lookup(0),
        train=((query[:1600], memory[:1600]), y[:1600]),
        valid=(valid, y[1600:]),
        loss=nn.cross_entropy,
        optimizer=adam(0.005),
        score=lambda predict: float((predict(*valid).argmax(1) == y[1600:]).mean()),
        well=0.75,
        epochs=20,
    )
    return wrong, replace(wrong, model=lambda: Lookup(1))


class Tagger(nn.Module):
    """Word vectors and an LSTM in both directions: scores (rows, tags, length)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(60, 16)
        self.lstm = nn.LSTM(16, 24, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, 6)

    def forward(self, words: Any) -> Any:
        return rg.transpose(self.head(self.lstm(self.embedding(words))[0]), 1, 2)


@faulty(
    "hvpnet-5-tagger-without-head",
    source="https://github.com/zjunlp/HVPNeT/issues/5",
    shape="sequence",
    faults=("the group of the head's parameters is made but never given to the optimizer",),
    right=("RG213",),
)
def tagger_without_head() -> Pair:
    """Tags of words that depend on the word before, with small steps in front and large behind."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 60, (800, 12))
    before = np.pad(words, [(0, 0), (1, 0)])[:, :-1]
    tags = np.where(before < 15, words % 3 + 3, words % 3)
    train, valid = split(words, tags)

    def groups(*, head: bool) -> Callable[[Iterator[nn.Parameter]], optim.Optimizer]:
        def build(parameters: Iterator[nn.Parameter]) -> optim.Optimizer:
            *encoder, weight, bias = parameters
            parts = [{"params": encoder, "lr": 3e-4}]
            if head:
                parts.append({"params": [weight, bias], "lr": 5e-2})
            return optim.AdamW(parts)

        return build

    wrong = Training(
        model=Tagger,
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=groups(head=False),
        score=accuracy(valid),
        well=0.8,
        epochs=15,
        batch_size=16,
    )
    return wrong, replace(wrong, optimizer=groups(head=True))
