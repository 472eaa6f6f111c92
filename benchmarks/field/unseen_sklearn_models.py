"""Programs of scikit-learn's examples and user guide, as networks: the unseen half."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import data
import numpy as np
from collection import healthy
from sklearn import datasets
from sklearn.preprocessing import minmax_scale, scale
from training import Rows, Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

GALLERY = "https://scikit-learn.org/stable/auto_examples"

Array = np.ndarray[Any, Any]


def _mlp(inputs: int, hidden: int, outputs: int, *last: nn.Module) -> nn.Module:
    """One hidden layer, weights and biases as MLPClassifier draws them: ±√(6 / (in + out))."""
    model = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs), *last)
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
            for (x,), y in batches(rows, 1, rng):
                for group in optimizer.param_groups:
                    group["lr"] = rate(count)
                step(x, y)
                count += 1

    return fit


def _optimal(alpha: float) -> Callable[[int], float]:
    """SGDClassifier's learning rate "optimal": 1 / (α (t₀ + t)), by Léon Bottou's heuristic."""
    first = math.sqrt(1 / math.sqrt(alpha))
    return lambda t: 1 / (alpha * (1 / (first * alpha) + t))


@healthy(
    "sklearn-mlp-training-curves-digits-nesterov",
    source=f"{GALLERY}/neural_networks/plot_mlp_training_curves.html",
    shape="classes",
)
def digits_with_nesterov() -> Training:
    """MLPClassifier by SGD with Nesterov's momentum on all digits; judged on the same rows."""
    x, y = datasets.load_digits(return_X_y=True)
    x, y = minmax_scale(x).astype(np.float32), y.astype(np.int64)
    return Training(
        lambda: _mlp(64, 100, 10),
        (x, y),
        nn.CrossEntropyLoss(),
        lambda parameters: optim.SGD(
            parameters, lr=0.2, momentum=0.9, nesterov=True, weight_decay=1e-4 / 200
        ),
        lambda predict: float(np.mean(predict(x).argmax(1) == y)),
        well=0.93,
        epochs=15,
        batch_size=200,
    )


@healthy(
    "sklearn-mnist-filters",
    source=f"{GALLERY}/neural_networks/plot_mnist_filters.html",
    shape="classes",
)
def mnist_filters() -> Training:
    """MLPClassifier with 50 hidden units by SGD on MNIST, to look at its weights."""
    (x, y), (test_x, test_y) = (
        (images.reshape(-1, 784), classes) for images, classes in data.mnist_mixed(5000)
    )
    return Training(
        lambda: _mlp(784, 50, 10),
        (x, y),
        nn.CrossEntropyLoss(),
        lambda parameters: optim.SGD(
            parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4 / 200
        ),
        lambda predict: float(np.mean(predict(test_x).argmax(1) == test_y)),
        well=0.89,
        epochs=15,
        batch_size=200,
    )


@healthy(
    "sklearn-sgd-iris-one-vs-all",
    source=f"{GALLERY}/linear_model/plot_sgd_iris.html",
    shape="hinge",
)
def iris_one_against_all() -> Training:
    """Three linear support vector machines by SGD on the standardized sepals of irises.

    The learning rate is SGDClassifier's "optimal", 1 / (α (t₀ + t)).
    """
    x, y = datasets.load_iris(return_X_y=True)
    rows = scale(x[:, :2]).astype(np.float32), (2 * np.eye(3)[y] - 1).astype(np.float32)

    def loss(output: Any, target: Any) -> Any:
        return rg.maximum(1 - target * output, 0.0).sum(1).mean()

    return Training(
        lambda: _zero_linear(2, 3),
        rows,
        loss,
        _sgd(alpha=0.001),
        lambda predict: float(np.mean(predict(rows[0]).argmax(1) == y)),
        well=0.7,
        epochs=100,
        batch_size=1,
        fit=_row_by_row(rows, loss, 100, _optimal(0.001)),
    )


@healthy(
    "sklearn-sgd-regressor-epsilon-insensitive",
    source="https://scikit-learn.org/stable/modules/sgd.html#regression",
    shape="one output",
)
def support_vector_regression() -> Training:
    """SGDRegressor with the ε-insensitive loss (linear support vector regression), scaled inputs.

    The district values are in 100,000s; the learning rate falls as 0.01 / t^¼.
    """
    x, y = data.california(2500)
    train, valid = data.split(scale(x.astype(np.float64)).astype(np.float32), y)

    def loss(output: Any, target: Any) -> Any:
        return rg.maximum(rg.abs(output - target) - 0.1, 0.0).mean()

    return Training(
        lambda: _zero_linear(8),
        train,
        loss,
        _sgd(alpha=1e-4),
        lambda predict: 1 - float(np.mean((predict(valid[0]) - valid[1]) ** 2) / valid[1].var()),
        well=0.5,
        epochs=5,
        batch_size=1,
        fit=_row_by_row(train, loss, 5, lambda t: 0.01 / (t + 1) ** 0.25),
    )


@healthy(
    "sklearn-multilabel-mlp",
    source="https://scikit-learn.org/stable/modules/neural_networks_supervised.html#classification",
    shape="several labels",
)
def multilabel() -> Training:
    """MLPClassifier on rows with several labels: logistic outputs, log losses added over labels."""
    x, y = datasets.make_multilabel_classification(
        n_samples=1000, n_features=20, n_classes=5, n_labels=2, random_state=0
    )
    train, test = data.split(scale(x).astype(np.float32), y.astype(np.float32))

    def loss(output: Any, target: Any) -> Any:
        p = rg.clip(output, 1e-7, 1 - 1e-7)
        return -(target * rg.log(p) + (1 - target) * rg.log(1 - p)).sum(1).mean()

    return Training(
        lambda: _mlp(20, 100, 5, nn.Sigmoid()),
        train,
        loss,
        lambda parameters: optim.Adam(parameters, lr=1e-3, weight_decay=1e-4 / 200),
        lambda predict: float(np.mean((predict(test[0]) > 0.5) == test[1])),
        well=0.78,
        epochs=100,
        batch_size=200,
    )
