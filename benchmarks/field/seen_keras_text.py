"""Healthy programs after Keras's code examples: text and other sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import Turned
from collection import healthy
from data import keras_start, sentences, split, windows
from sklearn.metrics import average_precision_score
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn.functional import one_hot

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


def categorical_crossentropy(probabilities: rg.Tensor, target: Any) -> rg.Tensor:
    """Keras's, of probabilities along the last axis and one-hot labels."""
    return -(target * rg.log(rg.clip(probabilities, 1e-7, 1.0))).sum(-1).mean()


@healthy(
    "keras-text-classification-from-scratch",
    source="https://keras.io/examples/nlp/text_classification_from_scratch/",
    shape="one output",
)
def text_from_scratch() -> Training:
    """Word vectors, two strided convolutions, their maximum, much dropout, a sigmoid."""
    (x, y), (x_valid, y_valid) = sentences("subjectivity", 4000, length=40)
    train, valid = (
        (x, y.astype(np.float32)[:, None]),
        (x_valid, y_valid.astype(np.float32)[:, None]),
    )
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Embedding(2000, 64), nn.Dropout(0.5), Turned()),
                *(nn.Conv1d(64, 64, 7, 3), nn.ReLU(), nn.Conv1d(64, 64, 7, 3), nn.ReLU()),
                *(nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(64, 64), nn.ReLU()),
                *(nn.Dropout(0.5), nn.Linear(64, 1), nn.Sigmoid()),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy,
        optimizer=adam(),
        score=lambda predict: np.mean((predict(valid[0]) > 0.5) == valid[1]),
        well=0.8,
        epochs=4,
    )


class TwoWays(nn.Module):
    """Word vectors, two LSTMs in both directions, and a sigmoid of the last states."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(1000, 64)
        self.first = nn.LSTM(64, 32, batch_first=True, bidirectional=True)
        self.second = nn.LSTM(64, 32, batch_first=True, bidirectional=True)
        self.out = nn.Sequential(nn.Linear(64, 1), nn.Sigmoid())
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        states, _ = self.first(self.words(x))
        _, (last, _) = self.second(states)
        return self.out(rg.concatenate([last[0], last[1]], 1))


@healthy(
    "keras-imdb-bidirectional-lstm",
    source="https://keras.io/examples/nlp/bidirectional_lstm_imdb/",
    shape="one output",
)
def bidirectional_lstm() -> Training:
    """Texts padded in front, two bidirectional LSTMs, a sigmoid; three epochs as for IMDB."""

    def padded_in_front(x: np.ndarray) -> np.ndarray:
        return np.array([np.r_[row[row == 0], row[row != 0]] for row in x])

    train, valid = (
        (padded_in_front(x), (y == 1).astype(np.float32)[:, None])
        for x, y in sentences("sms_spam", 3000, 1000, 20)
    )
    return Training(
        model=TwoWays,
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy,
        optimizer=adam(),
        score=lambda predict: np.mean((predict(valid[0]) > 0.5) == valid[1]),
        well=0.95,
        epochs=3,
    )


@healthy(
    "keras-multi-label-arxiv",
    source="https://keras.io/examples/nlp/multi_label_classification/",
    shape="several labels",
)
def multi_label() -> Training:
    """Several subjects of a paper from its weighted words: sigmoids, binary cross-entropy."""
    rng = np.random.default_rng(0)
    labels = rng.random((2500, 12)) < np.linspace(0.4, 0.04, 12)
    labels[np.arange(2500), rng.integers(0, 12, 2500)] = True
    about = rng.random((12, 600)) < 0.05
    often = rng.zipf(1.3, 600).clip(max=12) / 120
    counts = rng.poisson(often + 0.25 * (labels @ about) * rng.uniform(0.3, 1, (2500, 1)))
    weight = np.log(1 + 2500 / (1 + (counts > 0).sum(0)))
    train, valid = split((counts * weight).astype(np.float32), labels.astype(np.float32), 0.9)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(600, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()),
                *(nn.Linear(64, 12), nn.Sigmoid()),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy,
        optimizer=adam(),
        score=lambda predict: average_precision_score(valid[1], predict(valid[0]), average="micro"),
        well=0.8,
        epochs=20,
        batch_size=128,
    )


class Adder(nn.Module):
    """An LSTM reads a sum letter by letter, a second one writes the answer from its last state."""

    def __init__(self, answer: int) -> None:
        super().__init__()
        self.answer = answer
        self.read = nn.LSTM(12, 96, batch_first=True)
        self.write = nn.LSTM(96, 96, batch_first=True)
        self.out = nn.Linear(96, 12)
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        last = self.read(x)[0][:, -1:]
        repeated = rg.tile(last, (1, self.answer, 1))
        return rg.softmax(self.out(self.write(repeated)[0]), 2)


@healthy(
    "keras-addition-rnn",
    source="https://keras.io/examples/nlp/addition_rnn/",
    shape="sequence",
)
def addition() -> Training:
    """Sums of two numbers as characters, read backwards; one-hot letters, a softmax for each."""
    rng = np.random.default_rng(0)
    letters = "0123456789+ "
    pairs = np.array([(a, b) for a in range(100) for b in range(10)])[rng.permutation(1000)]
    pairs = np.concatenate([pairs, pairs[:, ::-1]])

    def coded(texts: list[str]) -> np.ndarray:
        codes = [[letters.index(letter) for letter in text] for text in texts]
        return np.eye(12, dtype=np.float32)[np.array(codes)]

    x = coded([f"{a}+{b}".ljust(4)[::-1] for a, b in pairs])
    y = coded([str(a + b).ljust(3) for a, b in pairs])
    train, valid = split(x, y, 0.9)
    return Training(
        model=lambda: Adder(3),
        train=train,
        valid=valid,
        loss=categorical_crossentropy,
        optimizer=adam(),
        score=lambda predict: np.mean(predict(valid[0]).argmax(2) == valid[1].argmax(2)),
        well=0.8,
        epochs=40,
        task="classification",
    )


class Translator(nn.Module):
    """An LSTM's last states start a second LSTM, which is told the letters before each."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.letters = letters
        self.encoder = nn.LSTM(letters, 64, batch_first=True)
        self.decoder = nn.LSTM(letters, 64, batch_first=True)
        self.out = nn.Linear(64, letters)
        keras_start(self)

    def forward(self, source: Any, before: Any) -> rg.Tensor:
        source, before = (one_hot(each, self.letters) for each in (source, before))
        _, states = self.encoder(source.astype(np.float32))
        outputs, _ = self.decoder(before.astype(np.float32), states)
        return rg.softmax(self.out(outputs), 2)


@healthy(
    "keras-seq2seq-characters",
    source="https://keras.io/examples/nlp/lstm_seq2seq/",
    shape="sequence",
)
def translation() -> Training:
    """Short phrases translated letter by letter with teacher forcing; RMSprop."""
    rng = np.random.default_rng(0)
    # letters 1 to 12, 13 starts, 14 ends, 0 fills
    words = [rng.integers(1, 13, rng.integers(2, 4)) for _ in range(24)]
    others = [rng.integers(1, 13, rng.integers(2, 5)) for _ in range(24)]
    phrases = [(i, j) for i in range(24) for j in range(24)]

    def padded(rows: list[np.ndarray], length: int) -> np.ndarray:
        return np.array([np.pad(row, (0, length - len(row))) for row in rows])

    source = padded([np.concatenate([words[i], words[j]]) for i, j in phrases], 6)
    after = padded([np.concatenate([others[i], others[j], [14]]) for i, j in phrases], 9)
    before = np.concatenate([np.full((len(after), 1), 13), after[:, :-1]], 1)
    order = rng.permutation(len(after))
    train, valid = order[:500], order[500:]
    target = np.eye(15, dtype=np.float32)[after]
    real = after[valid] > 0

    def right(predict: Predict) -> float:
        return np.mean((predict(source[valid], before[valid]).argmax(2) == after[valid])[real])

    return Training(
        model=lambda: Translator(15),
        train=((source[train], before[train]), target[train]),
        valid=((source[valid], before[valid]), target[valid]),
        loss=categorical_crossentropy,
        optimizer=lambda parameters: optim.RMSprop(parameters, 1e-3, 0.9, eps=1e-7),
        score=right,
        well=0.8,
        epochs=60,
        task="classification",
    )


@healthy(
    "keras-timeseries-anomaly-autoencoder",
    source="https://keras.io/examples/timeseries/timeseries_anomaly_detection/",
    shape="autoencoder",
)
def anomaly_autoencoder() -> Training:
    """Windows of a daily pattern through strided convolutions and back, with dropout; MSE."""
    rng = np.random.default_rng(0)
    time = np.arange(14 * 72)
    series = 20 + 60 * ((time % 72 > 27) & (time % 72 < 56)) + 3 * np.sin(time / 9)
    series = series + rng.normal(0, 2, len(time))
    scaled = ((series - series.mean()) / series.std()).astype(np.float32)
    x = windows(scaled, 72)[0][:, None]
    middle = int(0.9 * len(x))
    train, valid = x[:middle], x[middle:]
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Conv1d(1, 32, 7, 2, 3), nn.ReLU(), nn.Dropout(0.2)),
                *(nn.Conv1d(32, 16, 7, 2, 3), nn.ReLU()),
                *(nn.ConvTranspose1d(16, 16, 7, 2, 3, 1), nn.ReLU(), nn.Dropout(0.2)),
                *(nn.ConvTranspose1d(16, 32, 7, 2, 3, 1), nn.ReLU()),
                nn.ConvTranspose1d(32, 1, 7, 1, 3),
            )
        ),
        train=(train, train),
        valid=(valid, valid),
        loss=nn.mse_loss,
        optimizer=adam(),
        score=lambda predict: 1 - np.square(predict(valid) - valid).mean() / valid.var(),
        well=0.9,
        epochs=20,
        task="regression",
    )
