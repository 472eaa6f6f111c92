"""Healthy programs after Keras's code examples: tables, ratings and series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from building import sparse_crossentropy
from collection import healthy
from data import Rows, beijing_weather, census, engine_noise, keras_start, ratings, split, windows
from sklearn.metrics import r2_score, roc_auc_score
from training import Training

import retrograd as rg
from retrograd import nn, optim

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


def accuracy(rows: tuple[Any, np.ndarray]) -> Callable[[Predict], float]:
    """The share of rows whose highest output is the class; inputs may be several."""
    x, y = rows
    inputs = x if isinstance(x, tuple) else (x,)
    return lambda predict: np.mean(predict(*inputs).argmax(1) == y)


def standardized(train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """All by the mean and deviation of the first."""
    mean, deviation = train.mean(0), train.std(0)
    return [((each - mean) / deviation).astype(np.float32) for each in (train, *others)]


@healthy(
    "keras-imbalanced-card-fraud",
    source="https://keras.io/examples/structured_data/imbalanced_classification/",
    shape="one output",
)
def card_fraud() -> Training:
    """One fraud in a hundred: a sigmoid, and class weights of one over the count of the class."""
    rng = np.random.default_rng(0)
    fraud = rng.random(12_000) < 0.01
    x = rng.normal(size=(12_000, 30)) * np.linspace(2, 0.3, 30)
    x += fraud[:, None] * (rng.normal(size=30) + 0.8 * rng.normal(size=x.shape))
    (x, y), (x_valid, y_valid) = split(x, fraud[:, None].astype(np.float32))
    x, x_valid = standardized(x, x_valid)
    weight_0, weight_1 = 1 / float((y == 0).sum()), 1 / float((y == 1).sum())

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        weights = weight_0 + (weight_1 - weight_0) * target
        losses = nn.functional.binary_cross_entropy(output, target, reduction="none")
        return (weights * losses).mean()

    def balanced(predict: Predict) -> float:
        positive = predict(x_valid) > 0.5
        return (positive[y_valid == 1].mean() + (~positive)[y_valid == 0].mean()) / 2

    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3)),
                *(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1), nn.Sigmoid()),
            )
        ),
        train=(x, y),
        valid=(x_valid, y_valid),
        loss=loss,
        optimizer=adam(1e-2),
        score=balanced,
        well=0.85,
        epochs=20,
        batch_size=1024,
    )


class Ratings(nn.Module):
    """The sigmoid of a user's times a film's vector plus their biases."""

    def __init__(self, users: int, films: int, size: int) -> None:
        super().__init__()
        self.user, self.film = nn.Embedding(users, size), nn.Embedding(films, size)
        self.user_bias, self.film_bias = nn.Embedding(users, 1), nn.Embedding(films, 1)
        keras_start(self)
        for table, count in ((self.user, users), (self.film, films)):
            nn.init.normal_(table.weight, std=np.sqrt(2 / count))

    def forward(self, user: Any, film: Any) -> rg.Tensor:
        fit = (self.user(user) * self.film(film)).sum(1, keepdim=True)
        return rg.sigmoid(fit + self.user_bias(user) + self.film_bias(film))


@healthy(
    "keras-collaborative-filtering-movielens",
    source="https://keras.io/examples/structured_data/collaborative_filtering_movielens/",
    shape="recommender",
)
def collaborative_filtering() -> Training:
    """Ratings scaled to 0 to 1, a sigmoid of embeddings' products, and binary cross-entropy."""
    user, film, stars = ratings(8000)
    y = ((stars - 1) / 4).astype(np.float32)[:, None]
    first, last = slice(0, 7200), slice(7200, None)
    return Training(
        model=lambda: Ratings(120, 150, 50),
        train=((user[first], film[first]), y[first]),
        valid=((user[last], film[last]), y[last]),
        loss=nn.binary_cross_entropy,
        optimizer=lambda p: optim.Adam(p, 1e-3, eps=1e-7, weight_decay=2e-6),
        score=lambda predict: r2_score(y[last], predict(user[last], film[last])),
        well=0.3,
        epochs=30,
        batch_size=128,
        task="regression",
    )


def forest_cover(rows: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Made rows in Covertype's form: ten measures, soil and area codes, seven covers."""
    rng = np.random.default_rng(0)
    area, soil = rng.integers(0, 4, rows), rng.integers(0, 40, rows)
    height = 2960 + 280 * rng.normal(size=rows) + 60 * (area - 1.5)
    slope = rng.gamma(3, 5, rows)
    away = rng.gamma(1.6, 170, rows)
    numbers = np.stack(
        [
            *(rng.uniform(0, 360, rows), height, rng.normal(142, 38, rows)),
            *(rng.normal(212, 27, rows), rng.normal(223, 20, rows), rng.gamma(2, 990, rows)),
            *(away, rng.gamma(2, 1170, rows), slope, 0.15 * away + rng.normal(0, 40, rows)),
        ],
        1,
    )
    bonus = rng.normal(0, 0.9, (40, 7))[soil]
    level = np.array([3150, 2900, 2450, 2300, 2750, 2550, 3350])
    liking = (
        bonus
        - ((height[:, None] - level) / 160) ** 2 / 2
        + 0.04 * slope[:, None] * [*(0, 0, 1, 0, -1, 1, 0)]
    )
    cover = (liking + 0.4 * rng.gumbel(size=(rows, 7))).argmax(1)
    return numbers.astype(np.float32), np.stack([soil, area], 1), cover


class DeepAndCross(nn.Module):
    """Crosses of the raw features and embeddings beside two batch-normalized layers."""

    def __init__(self) -> None:
        super().__init__()
        self.soil, self.area = nn.Embedding(40, 6), nn.Embedding(4, 2)
        self.crosses = nn.ModuleList([nn.Linear(18, 18) for _ in range(2)])
        self.norm = nn.BatchNorm1d(18, 1e-3, 0.01)
        self.deep = nn.Sequential(
            *(nn.Linear(18, 32), nn.BatchNorm1d(32, 1e-3, 0.01), nn.ReLU(), nn.Dropout(0.1)),
            *(nn.Linear(32, 32), nn.BatchNorm1d(32, 1e-3, 0.01), nn.ReLU(), nn.Dropout(0.1)),
        )
        self.out = nn.Linear(50, 7)
        keras_start(self)

    def forward(self, numbers: Any, codes: Any) -> rg.Tensor:
        codes = rg.Tensor(codes)
        embedded = [self.soil(codes[:, 0]), self.area(codes[:, 1])]
        x = cross = rg.concatenate([rg.Tensor(numbers), *embedded], 1)
        for layer in self.crosses:
            cross = x * layer(cross) + cross
        merged = rg.concatenate([self.norm(cross), self.deep(x)], 1)
        return rg.softmax(self.out(merged), 1)


@healthy(
    "keras-deep-and-cross-covertype",
    source="https://keras.io/examples/structured_data/wide_deep_cross_networks/",
    shape="classes",
)
def deep_and_cross() -> Training:
    """Deep & Cross (Wang et al. 2017) on numbers as they come, thousands of metres among them."""
    numbers, codes, cover = forest_cover()
    first, last = slice(0, 5100), slice(5100, None)
    test = ((numbers[last], codes[last]), cover[last])
    return Training(
        model=DeepAndCross,
        train=((numbers[first], codes[first]), cover[first]),
        loss=sparse_crossentropy,
        optimizer=adam(),
        score=accuracy(test),
        well=0.55,
        epochs=24,
        batch_size=265,
    )


@healthy(
    "keras-heart-disease-features",
    source="https://keras.io/examples/structured_data/structured_data_classification_from_scratch/",
    shape="one output",
)
def heart_disease() -> Training:
    """Three hundred patients, scaled numbers beside one-hot codes: 32 units, dropout, a sigmoid."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(303, 6))
    codes = np.stack([rng.integers(0, n, 303) for n in (2, 4, 2, 3, 2, 5, 4)], 1)
    columns = [np.eye(n)[codes[:, i]] for i, n in enumerate((2, 4, 2, 3, 2, 5, 4))]
    x = np.concatenate([numbers, *columns], 1).astype(np.float32)
    chance = x @ rng.normal(0, 0.9, x.shape[1])
    sick = rng.random(303) < 1 / (1 + np.exp(-2 * (chance - np.median(chance))))
    train, valid = split(x, sick[:, None].astype(np.float32))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(28, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 1), nn.Sigmoid())
            )
        ),
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy,
        optimizer=adam(),
        score=lambda predict: np.mean((predict(valid[0]) > 0.5) == valid[1]),
        well=0.72,
        epochs=50,
    )


class DecisionForest(nn.Module):
    """Soft decision trees on embedded and batch-normalized features; probabilities come out."""

    def __init__(self, cardinalities: Sequence[int], trees: int = 8, depth: int = 4) -> None:
        super().__init__()
        sizes = [int(np.sqrt(n)) for n in cardinalities]
        tables = zip(cardinalities, sizes, strict=True)
        self.tables = nn.ModuleList([nn.Embedding(n, size) for n, size in tables])
        width = 5 + sum(sizes)
        self.norm = nn.BatchNorm1d(width, 1e-3, 0.01)
        self.trees, self.depth, self.leaves = trees, depth, 2**depth
        rng = rg.random.host_rng()
        used = [rng.permutation(width) < width // 2 for _ in range(trees)]
        self.used = rg.Buffer(np.repeat(np.array(used), self.leaves, 0).astype(np.float32))
        self.decide = nn.Linear(width, trees * self.leaves)
        self.pi = rg.Parameter(rng.normal(0, 0.05, (trees, self.leaves, 2)).astype(np.float32))
        keras_start(self)

    def forward(self, numbers: Any, codes: Any) -> rg.Tensor:
        codes = rg.Tensor(codes)
        embedded = [table(codes[:, i]) for i, table in enumerate(self.tables)]
        x = self.norm(rg.concatenate([rg.Tensor(numbers), *embedded], 1))
        right = rg.sigmoid(rg.linear(x, self.decide.weight * self.used, self.decide.bias))
        right = right.reshape(-1, self.trees, self.leaves)
        ways = rg.stack([right, 1 - right], 3)  # the chance of either way at each node
        reached = rg.Tensor(np.ones((1, 1, 1), np.float32))
        for level in range(self.depth):
            nodes = ways[:, :, 2**level : 2 ** (level + 1)]
            reached = rg.flatten(rg.unsqueeze(reached, 3) * nodes, 2)
        return rg.einsum("ntl,tlc->nc", reached, rg.softmax(self.pi, 2)) / self.trees


@healthy(
    "keras-neural-decision-forest",
    source="https://keras.io/examples/structured_data/deep_neural_decision_forests/",
    shape="classes",
)
def decision_forest() -> Training:
    """A neural decision forest (Kontschieder et al. 2015) on census incomes."""
    (numbers, codes, rich), cardinalities = census(4000)
    first, last = slice(0, 3200), slice(3200, None)
    test = ((numbers[last], codes[last]), rich[last])
    return Training(
        model=lambda: DecisionForest(cardinalities),
        train=((numbers[first], codes[first]), rich[first]),
        loss=sparse_crossentropy,
        optimizer=adam(1e-2),
        score=accuracy(test),
        well=0.82,
        epochs=12,
        batch_size=265,
    )


class TabTransformer(nn.Module):
    """Attention among the embedded categories; the numbers join them, normalized, at the end."""

    def __init__(self, cardinalities: Sequence[int], size: int = 16) -> None:
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(n, size) for n in cardinalities])
        self.columns = nn.Embedding(len(cardinalities), size)
        block = nn.TransformerEncoderLayer(size, 4, size, 0.2, "gelu", batch_first=True)
        self.blocks = nn.TransformerEncoder(block, 2)
        self.norm = nn.LayerNorm(5, 1e-6)
        width = 5 + size * len(cardinalities)
        self.head = nn.Sequential(
            *(nn.BatchNorm1d(width, 1e-3, 0.02), nn.Linear(width, width), nn.SELU()),
            *(nn.Dropout(0.2), nn.BatchNorm1d(width, 1e-3, 0.02), nn.Linear(width, width // 2)),
            *(nn.SELU(), nn.Dropout(0.2), nn.Linear(width // 2, 1), nn.Sigmoid()),
        )
        keras_start(self)

    def forward(self, numbers: Any, codes: Any) -> rg.Tensor:
        codes = rg.Tensor(codes)
        embedded = rg.stack([table(codes[:, i]) for i, table in enumerate(self.tables)], 1)
        mixed = self.blocks(embedded + self.columns.weight)
        return self.head(rg.concatenate([rg.flatten(mixed, 1), self.norm(numbers)], 1))


@healthy(
    "keras-tabtransformer-census",
    source="https://keras.io/examples/structured_data/tabtransformer/",
    shape="one output",
)
def tabtransformer() -> Training:
    """Contextual embeddings of the categories (Huang et al. 2020), AdamW, a sigmoid."""
    (numbers, codes, rich), cardinalities = census(4000)
    y = rich.astype(np.float32)[:, None]
    first, last = slice(0, 3200), slice(3200, None)
    return Training(
        model=lambda: TabTransformer(cardinalities),
        train=((numbers[first], codes[first]), y[first]),
        valid=((numbers[last], codes[last]), y[last]),
        loss=nn.binary_cross_entropy,
        optimizer=lambda p: optim.AdamW(p, 1e-3, eps=1e-7, weight_decay=1e-4),
        score=lambda predict: roc_auc_score(y[last], predict(numbers[last], codes[last])),
        well=0.85,
        epochs=10,
        batch_size=265,
    )


class LastState(nn.Module):
    """An LSTM's last state through a linear layer."""

    def __init__(self, inputs: int, size: int, outputs: int) -> None:
        super().__init__()
        self.lstm, self.out = nn.LSTM(inputs, size, batch_first=True), nn.Linear(size, outputs)
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        return self.out(self.lstm(x)[0][:, -1])


@healthy(
    "keras-weather-forecast-lstm",
    source="https://keras.io/examples/timeseries/timeseries_weather_forecasting/",
    shape="numbers",
)
def weather_forecast() -> Training:
    """The temperature after a day from three days of weather, by an LSTM; split by time."""
    series = beijing_weather()
    end = int(0.715 * len(series))
    scaled = ((series - series[:end].mean(0)) / series[:end].std(0)).astype(np.float32)

    def rows(part: np.ndarray) -> Rows:
        x, after = windows(part, 24, 8)
        return x, after[:, -1, :1]

    train, valid = rows(scaled[:end]), rows(scaled[end:])
    return Training(
        model=lambda: LastState(6, 32, 1),
        train=train,
        valid=valid,
        loss=nn.mse_loss,
        optimizer=adam(),
        score=lambda predict: r2_score(valid[1], predict(valid[0])),
        well=0.85,
        epochs=10,
        batch_size=128,
    )


@healthy(
    "keras-timeseries-forda-convnet",
    source="https://keras.io/examples/timeseries/timeseries_classification_from_scratch/",
    shape="classes",
)
def engine_convnet() -> Training:
    """Three batch-normalized convolutions and global pooling (Wang et al. 2017) on engine noise."""
    train, valid = engine_noise()

    def block(inputs: int) -> tuple[nn.Module, ...]:
        return (
            *(nn.Conv1d(inputs, 32, 3, padding="same"), nn.BatchNorm1d(32, 1e-3, 0.01)),
            nn.ReLU(),
        )

    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(*block(1), *block(32), *block(32), nn.AdaptiveAvgPool1d(1), nn.Flatten()),
                *(nn.Linear(32, 2), nn.Softmax(1)),
            )
        ),
        train=train,
        valid=valid,
        loss=sparse_crossentropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.9,
        epochs=20,
    )
