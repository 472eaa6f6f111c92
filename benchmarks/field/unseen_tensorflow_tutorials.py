"""Healthy programs after TensorFlow's tutorials and guides."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from building import MeanOverTime
from collection import healthy
from data import (
    FOLDER,
    Rows,
    beijing_weather,
    keras_start,
    made_cars,
    mnist_images,
    sentences,
    shakespeare,
    shape_images,
    split,
    windows,
)
from sklearn.metrics import r2_score, roc_auc_score
from training import Training

import retrograd as rg
from retrograd import nn, optim

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


def accuracy(rows: Rows) -> Callable[[Predict], float]:
    """The share of rows whose highest output is the class."""
    return lambda predict: np.mean(predict(rows[0]).argmax(1) == rows[1])


@healthy(
    "tf-quickstart-beginner",
    source="https://www.tensorflow.org/tutorials/quickstart/beginner",
    shape="classes",
)
def quickstart() -> Training:
    """Digits through one hidden layer with dropout, to logits; no validation rows."""
    train, test = mnist_images(4000)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2)),
                nn.Linear(128, 10),
            )
        ),
        train=train,
        loss=nn.cross_entropy,
        optimizer=adam(),
        score=accuracy(test),
        well=0.9,
        epochs=8,
    )


@healthy(
    "tf-auto-mpg-horsepower-linear",
    source="https://www.tensorflow.org/tutorials/keras/regression",
    shape="numbers",
)
def horsepower() -> Training:
    """Miles per gallon by the horsepower alone: a line, the mean absolute error, Adam at 0.1."""
    x, y = made_cars()
    power = x[:, 2:3]
    (x, y), test = split((power - power.mean()) / power.std(), y)
    train, valid = split(x, y)
    return Training(
        model=lambda: keras_start(nn.Linear(1, 1)),
        train=train,
        valid=valid,
        loss=nn.functional.l1_loss,
        optimizer=adam(0.1),
        score=lambda predict: r2_score(test[1], predict(test[0])),
        well=0.35,
        epochs=100,
    )


@healthy(
    "tf-basic-training-loop-line",
    source="https://www.tensorflow.org/guide/basic_training_loops",
    shape="numbers",
)
def line() -> Training:
    """A line through 201 points in ten steps over all of them: w starts at 5, b at 0."""
    x = np.linspace(-2, 2, 201, dtype=np.float32)
    y = (3 * x + 2 + np.random.default_rng(0).normal(size=201)).astype(np.float32)

    class Line(nn.Module):
        """x w + b for numbers (rows,)."""

        def __init__(self) -> None:
            super().__init__()
            self.w, self.b = (rg.Parameter(np.array(v, np.float32)) for v in (5, 0))

        def forward(self, x: Any) -> rg.Tensor:
            return rg.Tensor(x) * self.w + self.b

    return Training(
        model=Line,
        train=(x, y),
        loss=lambda output, target: rg.square(target - output).mean(),
        optimizer=lambda parameters: optim.SGD(parameters, 0.1),
        score=lambda predict: r2_score(y, predict(x)),
        well=0.85,
        epochs=10,
        batch_size=1000,
    )


@healthy(
    "tf-load-csv-abalone",
    source="https://www.tensorflow.org/tutorials/load_data/csv",
    shape="numbers",
)
def abalone() -> Training:
    """The age of shells by seven measures as they come: 64 units, MSE, ten epochs."""
    path = FOLDER / "uci_abalone" / "abalone.csv"
    table = np.loadtxt(path, np.float32, delimiter=",", usecols=range(1, 9))[:3320]
    x, y = table[:, :7], table[:, 7:] + 1.5
    return Training(
        model=lambda: keras_start(nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 1))),
        train=(x, y),
        loss=nn.mse_loss,
        optimizer=adam(),
        score=lambda predict: r2_score(y, predict(x)),
        well=0.3,
        epochs=10,
    )


@healthy("tf-cnn-cifar", source="https://www.tensorflow.org/tutorials/images/cnn", shape="classes")
def small_cnn() -> Training:
    """Coloured images of five kinds through three convolutions and a hidden layer."""
    images, kind, _ = shape_images(1500)
    train, valid = split(images, kind)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Flatten()),
                *(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 5)),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.85,
        epochs=10,
    )


@healthy(
    "tf-autoencoder-basic",
    source="https://www.tensorflow.org/tutorials/generative/autoencoder",
    shape="autoencoder",
)
def basic_autoencoder() -> Training:
    """Digits through 64 rectified numbers and back by a sigmoid; MSE."""
    (train, _), (valid, _) = mnist_images(3000)
    train, valid = (x.reshape(len(x), -1) for x in (train, valid))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 784), nn.Sigmoid())
        ),
        train=(train, train),
        valid=(valid, valid),
        loss=nn.mse_loss,
        optimizer=adam(),
        score=lambda predict: 1 - np.square(predict(valid) - valid).mean() / valid.var(0).mean(),
        well=0.7,
        epochs=15,
        task="regression",
    )


def heartbeats(rows: int = 2600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Beats (rows, 140) from 0 to 1 in the ECG set's form, and which are anomalous, two in five."""
    rng = np.random.default_rng(seed)
    odd = rng.random(rows) < 0.4
    time = np.arange(140)
    beats = np.zeros((rows, 140))
    # place, width and height of each wave, and of its change in anomalous beats
    for place, wide, high, moved, risen in (
        *((12, 6, -3.5, 0, 1.0), (30, 8, 0.8, 5, -1.2), (95, 16, 0.9, -12, 0.6)),
        (125, 7, -1.5, -6, -1.5),
    ):
        at = place + moved * odd + rng.normal(0, 2, rows)
        height = (high + risen * odd) * rng.uniform(0.8, 1.2, rows)
        beats += height[:, None] * np.exp(-0.5 * np.square((time - at[:, None]) / wide))
    beats += rng.normal(0, 0.08, beats.shape)
    return ((beats - beats.min()) / (beats.max() - beats.min())).astype(np.float32), odd


@healthy(
    "tf-autoencoder-ecg-anomaly",
    source="https://www.tensorflow.org/tutorials/generative/autoencoder",
    shape="autoencoder",
)
def ecg_anomaly() -> Training:
    """Normal heartbeats through eight numbers and back; batches of 512, the mean absolute error."""
    beats, odd = heartbeats()
    normal, (test, odd_test) = beats[:2000][~odd[:2000]], (beats[2000:], odd[2000:])

    def detects(predict: Predict) -> float:
        return roc_auc_score(odd_test, abs(predict(test) - test).mean(1))

    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(140, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU()),
                *(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 16), nn.ReLU()),
                *(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 140), nn.Sigmoid()),
            )
        ),
        train=(normal, normal),
        valid=(test, test),
        loss=nn.functional.l1_loss,
        optimizer=adam(),
        score=detects,
        well=0.9,
        epochs=40,
        batch_size=512,
        task="regression",
    )


@healthy(
    "tf-text-classification-average",
    source="https://www.tensorflow.org/tutorials/keras/text_classification",
    shape="one output",
)
def text_average() -> Training:
    """The mean of sixteen-number word vectors between dropouts, and a sigmoid."""
    train, valid = ((x, y.astype(np.float32)[:, None]) for x, y in sentences("subjectivity", 5000))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Embedding(2000, 16), nn.Dropout(0.2), MeanOverTime(), nn.Dropout(0.2)),
                *(nn.Linear(16, 1), nn.Sigmoid()),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy,
        optimizer=adam(),
        score=lambda predict: np.mean((predict(valid[0]) > 0.5) == valid[1]),
        well=0.8,
        epochs=10,
    )


class Writer(nn.Module):
    """Letters (rows, time) to logits of the letter after each."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, 32)
        self.gru, self.out = nn.GRU(32, 96, batch_first=True), nn.Linear(96, letters)
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        return self.out(self.gru(self.letters(x))[0])


@healthy(
    "tf-text-generation-gru",
    source="https://www.tensorflow.org/text/tutorials/text_generation",
    shape="language model",
)
def text_generation() -> Training:
    """Shakespeare letter by letter: a GRU's logits at each place, cross-entropy over all places."""
    ids, letters = shakespeare()
    rows = ids[: len(ids) // 33 * 33].reshape(-1, 33)
    x, y = rows[:, :-1], rows[:, 1:]

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        return nn.cross_entropy(output.reshape(-1, letters), rg.Tensor(target).reshape(-1))

    def saved(predict: Predict) -> float:
        """The share of the nats that guessing by frequency costs and the model saves."""
        share = np.bincount(y.ravel(), minlength=letters) / y.size
        guess = -np.log(share[y]).mean()
        return 1 - loss(rg.Tensor(predict(x)), y).item() / guess

    return Training(
        model=lambda: Writer(letters),
        train=(x, y),
        loss=loss,
        optimizer=adam(),
        score=saved,
        well=0.2,
        epochs=12,
        batch_size=64,
    )


class ResidualLSTM(nn.Module):
    """The inputs plus a change that an LSTM foretells, which starts at zero."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.lstm, self.change = nn.LSTM(size, 32, batch_first=True), nn.Linear(32, size)
        keras_start(self)
        nn.init.zeros_(self.change.weight)

    def forward(self, x: Any) -> rg.Tensor:
        x = rg.Tensor(x)
        return x + self.change(self.lstm(x)[0])


@healthy(
    "tf-timeseries-residual-lstm",
    source="https://www.tensorflow.org/tutorials/structured_data/time_series",
    shape="dense targets",
)
def residual_lstm() -> Training:
    """All weather of the next time, at each of 24 times: only the change is learned, from zero."""
    series = beijing_weather()
    end = int(0.7 * len(series))
    scaled = ((series - series[:end].mean(0)) / series[:end].std(0)).astype(np.float32)

    def rows(part: np.ndarray) -> Rows:
        every = windows(part, 25)[0]
        return every[:, :-1], every[:, 1:]

    train, valid = rows(scaled[:end]), rows(scaled[end:])

    def better(predict: Predict) -> float:
        """The share of the error of repeating the last weather that the model saves."""
        still = np.square(valid[1] - valid[0]).mean()
        return 1 - np.square(predict(valid[0]) - valid[1]).mean() / still

    return Training(
        model=lambda: ResidualLSTM(6),
        train=train,
        valid=valid,
        loss=nn.mse_loss,
        optimizer=adam(),
        score=better,
        well=0.3,
        epochs=5,
    )


@healthy(
    "tfp-regression-aleatoric",
    source="https://www.tensorflow.org/probability/examples/Probabilistic_Layers_Regression",
    shape="numbers",
)
def aleatoric() -> Training:
    """A line and how far points scatter about it, by their likelihood; Adam at 0.01."""
    rng = np.random.default_rng(43)
    x = rng.uniform(-20, 60, 150)
    spread = 3 * (0.25 + np.square((x + 20) / 80))
    y = 0.125 * x * (1 + np.sin(x)) + 5 + spread * rng.normal(size=150)
    x, y = x[:, None].astype(np.float32), y[:, None].astype(np.float32)

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        scale = 1e-3 + rg.softplus(0.05 * output[:, 1:])
        off = (target - output[:, :1]) / scale
        return (0.5 * rg.square(off) + rg.log(scale) + 0.5 * math.log(2 * math.pi)).mean()

    fixed = np.log(y.std()) + 0.5 + 0.5 * math.log(2 * math.pi)  # the cost of one Gaussian for all
    return Training(
        model=lambda: keras_start(nn.Linear(1, 2)),
        train=(x, y),
        loss=loss,
        optimizer=adam(0.01),
        score=lambda predict: fixed - loss(rg.Tensor(predict(x)), y).item(),
        well=0.2,
        epochs=400,
    )
