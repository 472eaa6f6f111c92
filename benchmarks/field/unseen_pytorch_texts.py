"""Programs of the official PyTorch tutorials on texts: topics, languages, names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import accuracy, scheduled, sgd
from collection import healthy
from data import (
    made_names,
    news_titles,
    split,
)
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]

TUTORIALS = "https://pytorch.org/tutorials"


@healthy(
    "pytorch-tutorials-text-classification-embedding-bag",
    source=f"{TUTORIALS}/beginner/text_sentiment_ngrams_tutorial.html",
    shape="classes",
)
def text_classification() -> Training:
    """News to four topics by the mean of word vectors: rate 5, gradients held to a norm of 0.1."""
    (x, y), words = news_titles(4000)
    train, valid = split(x, y)

    class Bag(nn.Module):
        """Word ids, 0 behind the end -> logits."""

        def __init__(self, width: int = 64) -> None:
            super().__init__()
            self.embedding = nn.EmbeddingBag(words, width, padding_idx=0)
            self.fc = nn.Linear(width, 4)
            nn.init.uniform_(self.embedding.weight, -0.5, 0.5)
            nn.init.uniform_(self.fc.weight, -0.5, 0.5)
            nn.init.zeros_(self.fc.bias)

        def forward(self, ids: Any) -> rg.Tensor:
            return self.fc(self.embedding(ids))

    return Training(
        model=Bag,
        train=train,
        loss=nn.cross_entropy,
        optimizer=sgd(5),
        score=accuracy(valid),
        well=0.75,
        epochs=60,
        batch_size=64,
        valid=valid,
        fit=scheduled(
            train,
            nn.cross_entropy,
            60,
            64,
            lambda optimizer: optim.lr_scheduler.StepLR(optimizer, 45, gamma=0.1),
            clip=0.1,
        ),
    )


@healthy(
    "pytorch-tutorials-bow-classifier",
    source=f"{TUTORIALS}/beginner/nlp/deep_learning_tutorial.html",
    shape="classes",
)
def bow_classifier() -> Training:
    """Four short sentences in Spanish or English by their word counts, one sentence a step."""
    sentences = [
        ("me gusta comer en la cafeteria", 0),
        ("Give it to me", 1),
        ("No creo que sea una buena idea", 0),
        ("No it is not a good idea to get lost at sea", 1),
    ]
    tests = [("Yo creo que si", 0), ("it is lost on me", 1)]
    words = sorted({word for text, _ in sentences + tests for word in text.split()})

    def counted(texts: list[tuple[str, int]]) -> tuple[Array, Array]:
        counts = [[text.split().count(word) for word in words] for text, _ in texts]
        return np.array(counts, np.float32), np.array([language for _, language in texts])

    return Training(
        model=lambda: nn.Sequential(nn.Linear(len(words), 2), nn.LogSoftmax(dim=1)),
        train=counted(sentences),
        loss=nn.nll_loss,
        optimizer=sgd(0.1),
        score=accuracy(counted(tests)),
        well=1.0,
        epochs=100,
        batch_size=1,
        shuffle=False,
    )


class NameWriter(nn.Module):
    """A language and the letters so far -> log-probabilities (rows, letters, time) of the next.

    By hand, as in the tutorial: linear layers over what comes in, the state, and both outputs.
    """

    def __init__(self, letters: int, hidden: int = 64) -> None:
        super().__init__()
        self.i2h = nn.Linear(4 + letters + hidden, hidden)
        self.i2o = nn.Linear(4 + letters + hidden, letters)
        self.o2o = nn.Linear(hidden + letters, letters)
        self.dropout = nn.Dropout(0.1)
        self.letters, self.hidden = letters, hidden

    def forward(self, language: Any, before: Any) -> rg.Tensor:
        kind = nn.functional.one_hot(rg.Tensor(language), 4).astype("float32")
        told = nn.functional.one_hot(rg.Tensor(before), self.letters).astype("float32")
        state, written = rg.Tensor(np.zeros((len(kind), self.hidden), np.float32)), []
        for t in range(told.shape[1]):
            seen = rg.concatenate([kind, told[:, t], state], 1)
            state = self.i2h(seen)
            output = self.dropout(self.o2o(rg.concatenate([state, self.i2o(seen)], 1)))
            written.append(rg.log_softmax(output, dim=1))
        return rg.stack(written, 2)


@healthy(
    "pytorch-tutorials-char-rnn-generation",
    source=f"{TUTORIALS}/intermediate/char_rnn_generation_tutorial.html",
    shape="language model",
)
def char_rnn_generation() -> Training:
    """Names letter by letter for a language: dropout on the outputs, one name a step, plain SGD.

    0 stands for the end; the losses of a name's letters are added.
    """
    (names, language), letters = made_names()
    target = np.where(np.cumsum(names == 0, 1) > 1, -100, names)
    before = np.hstack([np.zeros((len(names), 1), np.int64), names[:, :-1]])
    right = target >= 0
    return Training(
        model=lambda: NameWriter(letters),
        train=((language, before), target),
        loss=lambda output, target: nn.nll_loss(output, target, reduction="sum") / len(output),
        optimizer=sgd(0.0005),
        score=lambda predict: float((predict(language, before).argmax(1) == target)[right].mean()),
        well=0.4,
        epochs=10,
        batch_size=1,
    )
