"""Questions of users about networks whose output, loss and start do not belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from building import accuracy, adam, explained
from collection import faulty
from data import digits, keras_start, mnist_images, ratings, split
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]


@faulty(
    "stats-316898-mnist-zero-weights",
    source="https://stats.stackexchange.com/questions/316898",
    shape="classes",
    faults=("the weights of both layers start at zero",),
    right=("RG105", "RG106"),
)
def mnist_zero_weights() -> Pair:
    """The softmax regression of TensorFlow's tutorial with a hidden layer of a hundred sigmoids."""
    train, valid = ((x.reshape(-1, 784), y) for x, y in mnist_images(2500))

    def model(last: Callable[[Any], Any]) -> Callable[[], nn.Module]:
        def build() -> nn.Module:
            built = nn.Sequential(nn.Linear(784, 100), nn.Sigmoid(), nn.Linear(100, 10))
            for parameter in built.parameters():
                nn.init.zeros_(parameter)
            last(built[2].weight)
            return built

        return build

    wrong = Training(
        model=model(nn.init.zeros_),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.5),
        score=accuracy(valid),
        well=0.85,
        epochs=15,
        batch_size=100,
    )
    return wrong, replace(wrong, model=model(nn.init.normal_))


@faulty(
    "keras-5992-dropout-on-output",
    source="https://github.com/keras-team/keras/issues/5992",
    shape="classes",
    faults=(
        "dropout behind the softmax",
        "half of 14 and of 8 units dropped",
        "mean squared error for classes",
    ),
    right=("RG505", "RG401"),
)
def dropout_on_output() -> Pair:
    """Two small layers, each with dropout, and the same answer for every row."""
    train, valid = digits()

    def squared(output: Any, target: Any) -> Any:
        return ((output - nn.functional.one_hot(target, 10)) ** 2).mean()

    wrong = Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(64, 14), nn.ReLU(), nn.Dropout(0.5)),
                *(nn.Linear(14, 8), nn.ReLU(), nn.Dropout(0.5)),
                *(nn.Linear(8, 10), nn.Softmax(1), nn.Dropout(0.5)),
            )
        ),
        train=train,
        valid=valid,
        loss=squared,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.88,
        epochs=25,
    )
    right = replace(
        wrong,
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(64, 14), nn.ReLU(), nn.Linear(14, 8), nn.ReLU()),
                *(nn.Linear(8, 10), nn.Softmax(1)),
            )
        ),
        loss=lambda output, target: nn.nll_loss(rg.log(rg.clip(output, 1e-7, 1)), target),
    )
    return wrong, right


@faulty(
    "so-58887284-sigmoid-of-negatives",
    source="https://stackoverflow.com/questions/58887284",
    shape="one output",
    faults=("a sigmoid for a function with negative values",),
    right=("RG404",),
)
def sigmoid_of_negatives() -> Pair:
    """One unit of a sigmoid that should learn a sigmoid, but below 0."""
    x = np.linspace(-1, 1, 111, dtype=np.float32)[:, None]
    curve = 1 / (np.exp(10 * x) + 1)
    wrong = Training(
        model=lambda: keras_start(nn.Sequential(nn.Linear(1, 1), nn.Sigmoid())),
        train=(x, -curve),
        loss=nn.mse_loss,
        optimizer=adam(0.01),
        score=explained(x, -curve),
        well=0.9,
        epochs=200,
    )
    return wrong, replace(wrong, train=(x, curve), score=explained(x, curve))


@faulty(
    "dlai-324182-line-with-relus",
    source="https://community.deeplearning.ai/t/loss-values-do-not-change/324182",
    shape="one output",
    faults=(
        "ReLU on the output of a line that is negative in part",
        "very few ReLU units, which die",
    ),
    right=("RG404", "RG103"),
)
def line_with_relus() -> Pair:
    """Seven points of a line by layers of four, two and one ReLU, whose loss does not change."""
    x = np.arange(-1, 6, dtype=np.float32)[:, None]
    wrong = Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 2), nn.ReLU()),
                *(nn.Linear(2, 1), nn.ReLU()),
            )
        ),
        train=(x, 2 * x - 1),
        loss=nn.mse_loss,
        optimizer=adam(),
        score=explained(x, 2 * x - 1),
        well=0.95,
        epochs=500,
    )
    right = replace(
        wrong,
        model=lambda: keras_start(
            nn.Sequential(nn.Linear(1, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        ),
        optimizer=adam(0.01),
    )
    return wrong, right


class Rater(nn.Module):
    """Vectors of a user and a film, two layers on both: a rating (rows, 1)."""

    def __init__(self, *output: nn.Module) -> None:
        super().__init__()
        self.user, self.film = nn.Embedding(120, 8), nn.Embedding(150, 8)
        self.layers = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1), *output)

    def forward(self, user: Any, film: Any) -> Any:
        return self.layers(rg.concatenate([self.user(user), self.film(film)], 1))


@faulty(
    "recommenders-796-sigmoid-for-stars",
    source="https://github.com/recommenders-team/recommenders/issues/796",
    shape="recommender",
    faults=("a sigmoid for ratings from 1 to 5",),
    right=("RG404",),
)
def sigmoid_for_stars() -> Pair:
    """Neural collaborative filtering, made for clicks, on ratings in stars."""
    user, film, stars = ratings()
    valid = user[5000:], film[5000:]
    wrong = Training(
        model=lambda: keras_start(Rater(nn.Sigmoid())),
        train=((user[:5000], film[:5000]), stars[:5000]),
        valid=(valid, stars[5000:]),
        loss=lambda output, target: nn.mse_loss(output[:, 0], target),
        optimizer=adam(0.003),
        score=explained(valid, stars[5000:]),
        well=0.25,
        epochs=20,
        batch_size=64,
    )
    return wrong, replace(wrong, model=lambda: keras_start(Rater()))


class FactorMachine(nn.Module):
    """Six codes of an advertisement: the sum of their weights and of their vectors' products."""

    def __init__(self, *output: nn.Module) -> None:
        super().__init__()
        self.vector, self.weight = nn.Embedding(60, 8), nn.Embedding(60, 1)
        nn.init.xavier_uniform_(self.vector.weight)
        nn.init.zeros_(self.weight.weight)
        self.bias = nn.Parameter(np.zeros(1, np.float32))
        self.output = nn.Sequential(*output)

    def forward(self, codes: Any) -> Any:
        vectors = self.vector(codes)
        products = rg.square(vectors.sum(1)) - rg.square(vectors).sum(1)
        linear = self.weight(codes).sum(1) + self.bias
        return self.output(linear + 0.5 * products.sum(1, keepdim=True))


@faulty(
    "d2l-1360-factorization-machine",
    source="https://github.com/d2l-ai/d2l-en/issues/1360",
    shape="recommender",
    faults=("a sigmoid in the model and another in the loss",),
    right=("RG403",),
)
def factorization_machine() -> Pair:
    """Whether an advertisement is clicked, from six of its codes, by a factorization machine."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 10, (4000, 6)) + 10 * np.arange(6)
    weight, taste = rng.normal(0, 1, 60), rng.normal(0, 1, (60, 2))
    pull = weight[codes].sum(1) + 1.5 * (taste[codes[:, 0]] * taste[codes[:, 1]]).sum(1) - 1
    click = (rng.random(4000) < 1 / (1 + np.exp(-pull))).astype(np.float32)
    (x, y), (x_valid, y_valid) = split(codes, click)

    def score(probability: Callable[[Array], Array]) -> Callable[[Predict], float]:
        def brier(predict: Predict) -> float:
            errors = probability(predict(x_valid)[:, 0]) - y_valid
            return float(1 - (errors**2).mean() / y_valid.var())

        return brier

    wrong = Training(
        model=lambda: FactorMachine(nn.Sigmoid()),
        train=(x, y),
        valid=(x_valid, y_valid),
        loss=lambda output, target: nn.binary_cross_entropy_with_logits(output[:, 0], target),
        optimizer=adam(0.02),
        score=score(lambda output: output),
        well=0.3,
        epochs=8,
        batch_size=64,
    )
    right = replace(
        wrong, model=FactorMachine, score=score(lambda output: 1 / (1 + np.exp(-output)))
    )
    return wrong, right


@faulty(
    "lightly-1341-divergence-of-probabilities",
    source="https://github.com/lightly-ai/lightly/pull/1341",
    shape="numbers",
    faults=("probabilities where the divergence wants their logarithms",),
    right=("RG401", "RG402"),
)
def divergence_of_probabilities() -> Pair:
    """Mixed assignments of a row to eight prototypes, by the Kullback-Leibler divergence."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 16)).astype(np.float32)
    powers = np.exp(np.tanh(x @ rng.normal(0, 0.5, (16, 12))) @ rng.normal(0, 0.6, (12, 8)))
    train, valid = split(x, (powers / powers.sum(1, keepdims=True)).astype(np.float32))

    def divergence(share: Array) -> float:
        return float((valid[1] * np.log(valid[1] / np.maximum(share, 1e-7))).sum(1).mean())

    def score(predict: Predict) -> float:
        powers = np.exp(predict(valid[0]))
        share = powers / powers.sum(1, keepdims=True)
        return 1 - divergence(share) / divergence(train[1].mean(0, keepdims=True))

    def loss(output: Any, target: Any) -> Any:
        return nn.kl_div(rg.softmax(output, dim=1), target, reduction="batchmean")

    wrong = Training(
        model=lambda: nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 8)),
        train=train,
        valid=valid,
        loss=loss,
        optimizer=adam(0.003),
        score=score,
        well=0.8,
        epochs=25,
    )
    return wrong, replace(
        wrong,
        loss=lambda output, target: nn.kl_div(
            rg.log_softmax(output, dim=1), target, reduction="batchmean"
        ),
    )
