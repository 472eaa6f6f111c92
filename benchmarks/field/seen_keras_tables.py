"""Healthy programs after Keras's code examples: tables, ratings and a graph."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import (
    FOLDER,
    cited_papers,
    keras_start,
    ratings,
    split,
)
from sklearn.metrics import r2_score
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn.functional import elu

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


class SmallTables(nn.Module):
    """Five times the sigmoid of a user's vector times a film's.

    A user's is the product of two that many share; a rare film's is short and projected.
    """

    def __init__(self) -> None:
        super().__init__()
        self.quotient, self.remainder = nn.Embedding(12, 32), nn.Embedding(12, 32)
        self.frequent, self.rare = nn.Embedding(50, 32), nn.Embedding(100, 8)
        self.project = nn.Linear(8, 32)
        keras_start(self)

    def forward(self, user: Any, film: Any) -> rg.Tensor:
        user, film = rg.Tensor(user), rg.Tensor(film)
        shared = rg.floor(user / 12).astype("int64")
        taste = self.quotient(shared) * self.remainder(user - 12 * shared)
        often = self.frequent(rg.clip(film, 0, 49))
        seldom = self.project(self.rare(rg.clip(film - 50, 0, 99)))
        trait = rg.where(rg.unsqueeze(film < 50, 1), often, seldom)
        return 5 * rg.sigmoid((taste * trait).sum(1))


@healthy(
    "keras-memory-efficient-embeddings",
    source="https://keras.io/examples/keras_recipes/memory_efficient_embeddings/",
    shape="recommender",
)
def small_tables() -> Training:
    """Ratings from quotient-remainder and mixed-dimension embeddings (Shi et al. 2019); MSE."""
    user, film, stars = ratings(16_000)
    first, last = slice(0, 13_600), slice(13_600, None)
    return Training(
        model=SmallTables,
        train=((user[first], film[first]), stars[first]),
        valid=((user[last], film[last]), stars[last]),
        loss=nn.mse_loss,
        optimizer=adam(),
        score=lambda predict: r2_score(stars[last], predict(user[last], film[last])),
        well=0.2,
        epochs=25,
        batch_size=128,
    )


class MixtureOutput(nn.Module):
    """Means, deviations (ELU plus one) and weights of some Gaussians, side by side."""

    def __init__(self, inputs: int, count: int) -> None:
        super().__init__()
        self.means, self.deviations, self.weights = (nn.Linear(inputs, count) for _ in range(3))

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        deviations = elu(self.deviations(x)) + 1 + 1e-7
        return rg.concatenate([self.means(x), deviations, self.weights(x)], 1)


@healthy(
    "keras-mixture-density-spiral",
    source="https://keras.io/examples/keras_recipes/approximating_non_function_mappings/",
    shape="other",
)
def mixture_density() -> Training:
    """A spiral, of which y is no function of x: the likelihood of a mixture of ten Gaussians."""
    rng = np.random.default_rng(0)
    turn = np.tile(np.linspace(0, 1, 500, endpoint=False), 8)
    spiral = turn * np.stack([np.cos(4 * np.pi * turn), np.sin(4 * np.pi * turn)]) * 5
    spiral += rng.uniform(-0.1, 0.1, spiral.shape)
    low, high = spiral.min(1, keepdims=True), spiral.max(1, keepdims=True)
    x, y = (10 * (spiral - low) / (high - low) - 5).astype(np.float32)[:, :, None]
    train, valid = split(x, y, 0.85)

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        means, deviations, weights = output[:, :10], output[:, 10:20], output[:, 20:]
        off = (target - means) / deviations
        each = -0.5 * rg.square(off) - rg.log(deviations) - 0.5 * math.log(2 * math.pi)
        return -rg.logsumexp(rg.log_softmax(weights, 1) + each, 1).mean()

    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()),
                MixtureOutput(64, 10),
            )
        ),
        train=train,
        valid=valid,
        loss=loss,
        optimizer=adam(),
        score=lambda predict: -loss(rg.Tensor(predict(valid[0])), valid[1]).item(),
        well=-1.5,
        epochs=40,
        batch_size=64,
    )


class Variational(nn.Module):
    """A sigmoid layer whose weights are drawn anew for each batch, from Gaussians that are learned.

    `divergence()` is the distance of their law from the standard normal one.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.outputs, count = outputs, (inputs + 1) * outputs
        drawn = rg.random.host_rng().normal(0, 0.05, (2, count)).astype(np.float32)
        self.mean, self.raw = rg.Parameter(drawn[0]), rg.Parameter(drawn[1])

    def forward(self, x: Any) -> rg.Tensor:
        weights = self.mean
        if self.training:
            noise = rg.random.normal(self.mean.shape)
            weights = weights + rg.softplus(self.raw) * noise
        table = weights.reshape(-1, self.outputs)
        return rg.sigmoid(x @ table[:-1] + table[-1])

    def divergence(self) -> rg.Tensor:
        variance = rg.square(rg.softplus(self.raw))
        return 0.5 * (variance + rg.square(self.mean) - 1 - rg.log(variance)).sum()


class BayesianWine(nn.Module):
    """Mean, deviation and, in each row, the divergence of the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(11, 1e-3, 0.01)
        self.first, self.second = Variational(11, 8), Variational(8, 8)
        self.out = keras_start(nn.Linear(8, 2))

    def forward(self, x: Any) -> rg.Tensor:
        out = self.out(self.second(self.first(self.norm(x))))
        apart = self.first.divergence() + self.second.divergence()
        columns = [out[:, :1], rg.softplus(out[:, 1:]), apart + 0 * out[:, :1]]
        return rg.concatenate(columns, 1)


@healthy(
    "keras-probabilistic-wine",
    source="https://keras.io/examples/keras_recipes/bayesian_neural_networks/",
    shape="numbers",
)
def bayesian_wine() -> Training:
    """The quality of wines as a Gaussian, by layers with drawn weights; sigmoids, RMSprop."""
    table = np.loadtxt(FOLDER / "wine_quality" / "winequality-white.csv", delimiter=",")
    train, valid = split(table[:, :-1].astype(np.float32), table[:, -1:].astype(np.float32), 0.85)
    rows = len(train[1])

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        mean, deviation, apart = output[:, :1], output[:, 1:2], output[:, 2]
        off = (target - mean) / deviation
        likely = -0.5 * rg.square(off) - rg.log(deviation) - 0.5 * math.log(2 * math.pi)
        return apart.mean() / rows - likely.mean()

    return Training(
        model=BayesianWine,
        train=train,
        valid=valid,
        loss=loss,
        optimizer=lambda parameters: optim.RMSprop(parameters, 1e-3, 0.9, eps=1e-7),
        score=lambda predict: r2_score(valid[1][:, 0], predict(valid[0])[:, 0]),
        well=0.2,
        epochs=350,
        batch_size=256,
    )


def feed_forward(inputs: int, size: int) -> nn.Module:
    """Batch normalization, dropout, and a layer with GELU."""
    return nn.Sequential(
        nn.BatchNorm1d(inputs, 1e-3, 0.02), nn.Dropout(0.5), nn.Linear(inputs, size), nn.GELU()
    )


class GraphNet(nn.Module):
    """Two graph convolutions with skips on all papers; the output is of the papers asked for."""

    def __init__(self, words: np.ndarray, graph: np.ndarray) -> None:
        super().__init__()
        self.words = rg.Buffer(words)
        self.graph = rg.Buffer(graph / graph.sum(1, keepdims=True))
        self.before = feed_forward(words.shape[1], 32)
        self.messages = nn.ModuleList([feed_forward(32, 32) for _ in range(2)])
        self.updates = nn.ModuleList([feed_forward(64, 32) for _ in range(2)])
        self.after, self.out = feed_forward(32, 32), nn.Linear(32, 4)
        keras_start(self)

    def forward(self, papers: Any) -> rg.Tensor:
        x = self.before(self.words)
        for message, update in zip(self.messages, self.updates, strict=True):
            received = self.graph @ message(x)
            x = x + update(rg.concatenate([x, received], 1))
        return self.out(self.after(x)[rg.Tensor(papers)])


@healthy(
    "keras-gnn-citations",
    source="https://keras.io/examples/graph/gnn_citations/",
    shape="other",
)
def citations() -> Training:
    """The field of papers from words and citations; the input says which papers."""
    words, graph, fields = cited_papers()
    train, test = split(np.arange(len(fields)), fields, 0.5)
    return Training(
        model=lambda: GraphNet(words, graph),
        train=train,
        loss=nn.cross_entropy,
        optimizer=adam(0.01),
        score=lambda predict: np.mean(predict(test[0]).argmax(1) == test[1]),
        well=0.8,
        epochs=80,
        batch_size=128,
    )
