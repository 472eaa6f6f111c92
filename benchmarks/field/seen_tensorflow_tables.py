"""Healthy programs after TensorFlow's tutorials and guides: tables and recommenders."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import FOLDER, Rows, keras_start, made_cars, mnist_images, ratings, split
from sklearn import datasets
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam, on what is not frozen."""
    return lambda all_: optim.Adam([p for p in all_ if p.requires_grad], lr, eps=1e-7)


def accuracy(rows: Rows) -> Callable[[Predict], float]:
    """The share of rows whose highest output is the class."""
    return lambda predict: np.mean(predict(rows[0]).argmax(1) == rows[1])


def standardized(train: Rows, *others: Rows) -> list[Rows]:
    """All inputs by the mean and deviation of the first's."""
    mean, deviation = train[0].mean(0), train[0].std(0)
    return [(((x - mean) / deviation).astype(np.float32), y) for x, y in (train, *others)]


@healthy(
    "tf-auto-mpg-dnn",
    source="https://www.tensorflow.org/tutorials/keras/regression",
    shape="numbers",
)
def auto_mpg() -> Training:
    """Two hidden layers on normalized columns, targets as they come, the mean absolute error."""
    train, test = standardized(*split(*made_cars()))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
            )
        ),
        train=train,
        valid=test,
        loss=nn.functional.l1_loss,
        optimizer=adam(),
        score=lambda predict: r2_score(test[1], predict(test[0])),
        well=0.75,
        epochs=100,
    )


@healthy(
    "tf-core-logistic-regression",
    source="https://www.tensorflow.org/guide/core/logistic_regression_core",
    shape="one output",
)
def logistic_regression() -> Training:
    """Logistic regression on breast cancers by hand: plain steps at 0.01, one logit for each."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    train, test = standardized(*split(x, y.astype(np.float32), 0.75))

    class Logits(nn.Module):
        """(rows, 30) to (rows,)."""

        def __init__(self) -> None:
            super().__init__()
            self.w = rg.Parameter(rg.random.host_rng().uniform(size=(30, 1)).astype(np.float32))
            self.b = rg.Parameter(rg.random.host_rng().uniform(size=1).astype(np.float32))

        def forward(self, x: Any) -> rg.Tensor:
            return rg.squeeze(rg.Tensor(x) @ self.w + self.b, 1)

    return Training(
        model=Logits,
        train=train,
        valid=test,
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=lambda parameters: optim.SGD(parameters, 0.01),
        score=lambda predict: np.mean((predict(test[0]) > 0) == (test[1] > 0.5)),
        well=0.94,
        epochs=200,
        batch_size=64,
    )


@healthy("tf-core-mlp", source="https://www.tensorflow.org/guide/core/mlp_core", shape="own loop")
def core_mlp() -> Training:
    """Digits through layers of 700 and 500 units with Xavier's weights, in a loop by hand."""
    train, valid = ((x.reshape(len(x), -1), y) for x, y in mnist_images(2500, 14))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(x: Any, y: Any) -> None:
            optimizer.zero_grad()
            nn.cross_entropy(model(x), y).backward()
            optimizer.step()

        for _ in range(8):
            for (x,), y in batches(train, 128, rng):
                step(x, y)

    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(196, 350), nn.ReLU(), nn.Linear(350, 250), nn.ReLU()),
                nn.Linear(250, 10),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 1e-3, eps=1e-7),
        score=accuracy(valid),
        well=0.9,
        batch_size=128,
        fit=fit,
    )


@healthy(
    "tf-custom-training-penguins",
    source="https://www.tensorflow.org/tutorials/customization/custom_training_walkthrough",
    shape="classes",
)
def penguins() -> Training:
    """Three kinds of penguins by four scaled measures: two layers of ten units and SGD at 0.01."""
    measures = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
    with (FOLDER / "penguins" / "penguins.csv").open(encoding="utf-8", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["body_mass_g"]]
    x = np.array([[float(row[m]) for m in measures] for row in table])
    x = (x - x.min(0)) / (x.max(0) - x.min(0))
    y = np.unique([row["species"] for row in table], return_inverse=True)[1]
    train, test = split(x.astype(np.float32), y)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 3))
            )
        ),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, 0.01),
        score=accuracy(test),
        well=0.93,
        epochs=201,
        shuffle=False,
    )


@healthy(
    "tf-imbalanced-fraud-weighted",
    source="https://www.tensorflow.org/tutorials/structured_data/imbalanced_data",
    shape="one output",
)
def weighted_fraud() -> Training:
    """One fraud in two hundred: large batches, class weights, an output bias to start from."""
    rng = np.random.default_rng(4)
    fraud = rng.random(20_000) < 0.005
    x = rng.normal(size=(20_000, 29)) + fraud[:, None] * rng.normal(0, 1.2, 29)
    (x, y), test = split(x, fraud[:, None].astype(np.float32))
    train, valid, test = standardized(*split(x, y), test)
    train, valid, test = ((np.clip(x, -5, 5), y) for x, y in (train, valid, test))
    positive, total = float(train[1].sum()), len(train[1])
    for_0, for_1 = total / 2 / (total - positive), total / 2 / positive

    def model() -> nn.Module:
        net = keras_start(
            nn.Sequential(
                *(nn.Linear(29, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 1), nn.Sigmoid())
            )
        )
        net[3].bias.data = np.log([positive / (total - positive)]).astype(np.float32)
        return net

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        losses = nn.functional.binary_cross_entropy(output, target, reduction="none")
        return ((for_0 + (for_1 - for_0) * target) * losses).mean()

    return Training(
        model=model,
        train=train,
        valid=valid,
        loss=loss,
        optimizer=adam(),
        score=lambda predict: average_precision_score(test[1], predict(test[0])),
        well=0.6,
        epochs=60,
        batch_size=2048,
    )


@healthy(
    "tf-load-csv-titanic",
    source="https://www.tensorflow.org/tutorials/load_data/csv",
    shape="one output",
)
def titanic() -> Training:
    """Who survived: normalized numbers beside one-hot words, 64 units, ten epochs."""
    with (FOLDER / "titanic" / "titanic.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))[:627]
    numbers = np.array(
        [[float(row[n] or 28) for n in ("age", "sibsp", "parch", "fare")] for row in table]
    )
    columns = [(numbers - numbers.mean(0)) / numbers.std(0)]
    for name in ("sex", "class", "deck", "embark_town", "alone"):
        kinds, codes = np.unique([row[name] for row in table], return_inverse=True)
        columns.append(np.eye(len(kinds) + 1)[codes + 1])  # the first is for words not seen
    x = np.concatenate(columns, 1).astype(np.float32)
    y = np.array([[float(row["survived"])] for row in table], np.float32)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 1))
        ),
        train=(x, y),
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=adam(),
        score=lambda predict: np.mean((predict(x) > 0) == y),
        well=0.78,
        epochs=10,
    )


@healthy(
    "tf-overfit-higgs-regularized",
    source="https://www.tensorflow.org/tutorials/keras/overfit_and_underfit",
    shape="one output",
)
def higgs() -> Training:
    """Collisions by 28 measures: wide ELU layers with much dropout and weak penalties, logits."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 28)).astype(np.float32)
    mass = np.square(x[:, :8] @ rng.normal(0, 0.5, (8, 3))).sum(1)
    chance = 0.45 * (mass - np.median(mass)) + 0.8 * x[:, 9] * x[:, 10]
    y = (rng.random(4000) < 1 / (1 + np.exp(-chance))).astype(np.float32)[:, None]
    train, valid = split(x, y)

    def layer(inputs: int) -> tuple[nn.Module, ...]:
        return nn.Linear(inputs, 128), nn.ELU(), nn.Dropout(0.5)

    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(*layer(28), *layer(128), *layer(128), *layer(128)),
                nn.Linear(128, 1),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=lambda p: optim.Adam(p, 1e-3, eps=1e-7, weight_decay=2e-4),
        score=lambda predict: roc_auc_score(valid[1], predict(valid[0])),
        well=0.7,
        epochs=40,
        batch_size=200,
    )


class TwoTowers(nn.Module):
    """A user's and a film's vector, (rows, 2, 32)."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.film = nn.Embedding(121, 32), nn.Embedding(151, 32)
        keras_start(self)

    def forward(self, user: Any, film: Any) -> rg.Tensor:
        return rg.stack([self.user(user), self.film(film)], 1)


@healthy(
    "tf-recommenders-retrieval",
    source="https://www.tensorflow.org/recommenders/examples/basic_retrieval",
    shape="recommender",
)
def retrieval() -> Training:
    """Which film a user watched, among all of the batch: a summed softmax loss, Adagrad at 0.1."""
    rng = np.random.default_rng(0)
    taste, trait = rng.normal(size=(120, 4)), rng.normal(size=(150, 4))
    liking = 1.2 * taste @ trait.T - np.arange(150) / 60
    user = np.repeat(np.arange(120), 50)
    film = (liking[user] + rng.gumbel(size=(6000, 150))).argmax(1)
    order = rng.permutation(6000)
    train, test = order[:4800], order[4800:]

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        scores = output[:, 0] @ output[:, 1].T
        return -rg.diagonal(rg.log_softmax(scores, 1)).sum()

    def among_best(predict: Predict) -> float:
        """How often a watched film is among the 20 that are offered."""
        users, films = np.arange(150) % 120, np.arange(150)
        vectors = predict(users, films)
        best = np.argsort(-vectors[:120, 0] @ vectors[:, 1].T, 1)[:, :20]
        return np.mean((best[user[test]] == film[test][:, None]).any(1))

    return Training(
        model=TwoTowers,
        train=((user[train], film[train]), film[train]),
        loss=loss,
        optimizer=lambda p: optim.Adagrad(p, 0.1, initial_accumulator_value=0.1, eps=1e-7),
        score=among_best,
        well=0.35,
        epochs=15,
        batch_size=512,
    )


class Ranking(nn.Module):
    """A user's and a film's vector through layers of 256 and 64 units."""

    def __init__(self) -> None:
        super().__init__()
        self.towers = TwoTowers()
        self.rate = nn.Sequential(
            *(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU()),
            nn.Linear(64, 1),
        )
        keras_start(self)

    def forward(self, user: Any, film: Any) -> rg.Tensor:
        return self.rate(self.towers(user, film))


@healthy(
    "tf-recommenders-ranking",
    source="https://www.tensorflow.org/recommenders/examples/basic_ranking",
    shape="recommender",
)
def ranking() -> Training:
    """Stars from embeddings through dense layers: MSE, Adagrad at 0.1, large batches."""
    user, film, stars = ratings(10_000)
    y = stars[:, None]
    first, last = slice(0, 8000), slice(8000, None)
    return Training(
        model=Ranking,
        train=((user[first], film[first]), y[first]),
        loss=nn.mse_loss,
        optimizer=lambda p: optim.Adagrad(p, 0.1, initial_accumulator_value=0.1, eps=1e-7),
        score=lambda predict: r2_score(y[last], predict(user[last], film[last])),
        well=0.05,
        epochs=10,
        batch_size=1024,
    )


class ResidualNet(nn.Module):
    """A frozen projection to 128 units, three residual layers with dropout, and logits."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(2, 128)
        self.layers = nn.ModuleList([nn.Linear(128, 128) for _ in range(3)])
        self.dropout, self.out = nn.Dropout(0.1), nn.Linear(128, 2)
        keras_start(self)
        self.project.requires_grad_(False)

    def forward(self, x: Any) -> rg.Tensor:
        hidden = self.project(x)
        for layer in self.layers:
            hidden = hidden + self.dropout(rg.relu(layer(hidden)))
        return self.out(hidden)


@healthy(
    "tf-sngp-two-moons-resnet",
    source="https://www.tensorflow.org/tutorials/understanding/sngp",
    shape="fine-tuning",
)
def two_moons() -> Training:
    """Two moons by residual layers on a projection that stays as drawn; Adam at 0.0001."""
    x, y = datasets.make_moons(1000, noise=0.1, random_state=0)
    x = x.astype(np.float32)
    return Training(
        model=ResidualNet,
        train=(x, y),
        loss=nn.cross_entropy,
        optimizer=adam(1e-4),
        score=accuracy((x, y)),
        well=0.97,
        epochs=100,
        batch_size=128,
    )
