"""Programs of scikit-learn's examples and user guide, as networks: the seen half."""

from __future__ import annotations

import csv
import math
import zlib
from collections.abc import Callable
from typing import Any

import data
import numpy as np
from collection import healthy
from sklearn import datasets
from sklearn.preprocessing import QuantileTransformer, minmax_scale
from training import Rows, Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

GALLERY = "https://scikit-learn.org/stable/auto_examples"

Array = np.ndarray[Any, Any]


def _glorot(model: nn.Module) -> nn.Module:
    """Weights and biases as MLPClassifier draws them: even between ±√(6 / (in + out))."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            bound = math.sqrt(6 / sum(layer.weight.shape))
            init.uniform_(layer.weight, -bound, bound)
            init.uniform_(layer.bias, -bound, bound)
    return model


def _zero_linear(inputs: int, outputs: int = 1) -> nn.Module:
    """A linear model that starts at 0, as SGDClassifier's and SGDRegressor's do."""
    layer = nn.Linear(inputs, outputs)
    init.zeros_(layer.weight)
    init.zeros_(layer.bias)
    return layer


def _sgd(alpha: float) -> Callable[[Any], optim.Optimizer]:
    """SGD with the penalty α/2 ‖w‖² on the weights, not on the bias."""

    def optimizer(parameters: Any) -> optim.Optimizer:
        weight, bias = parameters
        return optim.SGD([{"params": [weight], "weight_decay": alpha}, {"params": [bias]}], lr=0.01)

    return optimizer


def _row_by_row(
    rows: Rows,
    loss: Callable[[Any, Any], Any],
    epochs: int,
    rate: Callable[[int], float],
    *,
    shuffle: bool = True,
) -> Callable[..., None]:
    """One step a row, with the learning rate a function of the count of steps."""

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(x: Array, y: Array) -> None:
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()

        count = 0
        for _ in range(epochs):
            for (x,), y in batches(rows, 1, rng if shuffle else None):
                for group in optimizer.param_groups:
                    group["lr"] = rate(count)
                step(x, y)
                count += 1

    return fit


def _optimal(alpha: float) -> Callable[[int], float]:
    """SGDClassifier's learning rate "optimal": 1 / (α (t₀ + t)), by Léon Bottou's heuristic."""
    first = math.sqrt(1 / math.sqrt(alpha))
    return lambda t: 1 / (alpha * (1 / (first * alpha) + t))


def _hinge(output: Any, target: Any) -> Any:
    return rg.maximum(1 - target * output, 0.0).mean()


@healthy(
    "sklearn-mlp-training-curves-moons-adam",
    source=f"{GALLERY}/neural_networks/plot_mlp_training_curves.html",
    shape="one output",
)
def moons_with_adam() -> Training:
    """MLPClassifier by Adam on 100 noisy moons, full batches; judged on the training rows."""
    x, y = datasets.make_moons(noise=0.3, random_state=0)
    x, y = minmax_scale(x).astype(np.float32), y.astype(np.float32)[:, None]
    return Training(
        lambda: _glorot(nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, 1))),
        (x, y),
        nn.BCEWithLogitsLoss(),
        lambda parameters: optim.Adam(parameters, lr=0.01, weight_decay=1e-6),
        lambda predict: float(np.mean((predict(x) > 0) == y)),
        well=0.9,
        epochs=400,
        batch_size=100,
    )


@healthy(
    "sklearn-sgd-separating-hyperplane",
    source=f"{GALLERY}/linear_model/plot_sgd_separating_hyperplane.html",
    shape="hinge",
)
def separating_hyperplane() -> Training:
    """A linear support vector machine by SGD, row by row, on 50 separable points."""
    x, y = datasets.make_blobs(n_samples=50, centers=2, random_state=0, cluster_std=0.6)
    rows = x.astype(np.float32), (2 * y - 1).astype(np.float32)[:, None]
    return Training(
        lambda: _zero_linear(2),
        rows,
        _hinge,
        _sgd(alpha=0.01),
        lambda predict: float(np.mean(np.sign(predict(rows[0])) == rows[1])),
        well=0.98,
        epochs=200,
        batch_size=1,
        fit=_row_by_row(rows, _hinge, 200, _optimal(0.01)),
    )


@healthy(
    "sklearn-sgd-comparison-perceptron",
    source=f"{GALLERY}/linear_model/plot_sgd_comparison.html",
    shape="hinge",
)
def perceptron_on_digits() -> Training:
    """Ten perceptrons, one against the rest each, on digits from 0 to 16, not scaled."""
    (train_x, train_y), (valid_x, valid_y) = data.digits()
    train = 16 * train_x, (2 * np.eye(10)[train_y] - 1).astype(np.float32)
    valid = 16 * valid_x, (2 * np.eye(10)[valid_y] - 1).astype(np.float32)

    def loss(output: Any, target: Any) -> Any:
        # A point on the boundary is a mistake too, or nothing would ever move from 0.
        margin = target * output
        return rg.where(margin <= 0, -margin, 0.0).sum(1).mean()

    return Training(
        lambda: _zero_linear(64, 10),
        train,
        loss,
        lambda parameters: optim.SGD(parameters, lr=1.0),
        lambda predict: float(np.mean(predict(valid[0]).argmax(1) == valid_y)),
        well=0.9,
        epochs=8,
        batch_size=1,
        valid=valid,
    )


@healthy(
    "sklearn-partial-dependence-mlp",
    source=f"{GALLERY}/inspection/plot_partial_dependence.html",
    shape="one output",
)
def houses_by_quantiles() -> Training:
    """MLPRegressor of two layers on quantiles of districts' numbers, a tenth held out."""
    x, y = data.california(4000)
    y = y - y.mean()
    (train_x, train_y), (test_x, test_y) = data.split(x, y)
    quantiles = QuantileTransformer(n_quantiles=500, random_state=0).fit(train_x)
    train_x, test_x = (quantiles.transform(each).astype(np.float32) for each in (train_x, test_x))
    train, valid = data.split(train_x, train_y, share=0.9, seed=1)
    return Training(
        lambda: _glorot(
            nn.Sequential(
                nn.Linear(8, 30), nn.ReLU(), nn.Linear(30, 15), nn.ReLU(), nn.Linear(15, 1)
            )
        ),
        train,
        lambda output, target: ((output - target) ** 2).mean() / 2,
        lambda parameters: optim.Adam(parameters, lr=0.01, weight_decay=1e-4 / 200),
        lambda predict: 1 - float(np.mean((predict(test_x) - test_y) ** 2) / test_y.var()),
        well=0.65,
        epochs=30,
        batch_size=200,
        valid=valid,
    )


def _hashed_words(texts: list[str], width: int) -> Array:
    """Counts of words by a hash, each row of length 1, as HashingVectorizer makes them."""
    x = np.zeros((len(texts), width), np.float32)
    for row, text in zip(x, texts, strict=True):
        for word in text.lower().split():
            row[zlib.crc32(word.encode()) % width] += 1
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


@healthy(
    "sklearn-out-of-core-text",
    source=f"{GALLERY}/applications/plot_out_of_core_classification.html",
    shape="hinge",
)
def out_of_core() -> Training:
    """Messages seen once in the order of their arrival, hashed, by a linear SVM (partial_fit)."""
    with (data.FOLDER / "sms_spam" / "sms_spam.csv").open(encoding="utf-8", newline="") as file:
        _, *lines = csv.reader(file)
    x = _hashed_words([text for _, text in lines], 2048)
    y = np.where(np.array([label for label, _ in lines]) == "spam", 1, -1)
    y = y.astype(np.float32)[:, None]
    train, test = (x[1000:], y[1000:]), (x[:1000], y[:1000])
    return Training(
        lambda: _zero_linear(2048),
        train,
        _hinge,
        _sgd(alpha=1e-4),
        lambda predict: float(np.mean(np.sign(predict(test[0])) == test[1])),
        well=0.95,
        epochs=1,
        batch_size=1,
        valid=test,
        shuffle=False,
        fit=_row_by_row(train, _hinge, 1, _optimal(1e-4), shuffle=False),
    )
