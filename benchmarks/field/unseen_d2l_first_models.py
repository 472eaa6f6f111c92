"""Programs of Dive into Deep Learning, linear models to convolutions: the unseen half."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import data
import numpy as np
from collection import healthy
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

BOOK = "https://d2l.ai"

Array = np.ndarray[Any, Any]


def _normal(model: nn.Module, std: float = 0.01) -> nn.Module:
    """Weights normal around 0, biases 0."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            init.normal_(layer.weight, std=std)
            init.zeros_(layer.bias)
    return model


@healthy(
    "d2l-linear-regression-scratch",
    source=f"{BOOK}/chapter_linear-regression/linear-regression-scratch.html",
    shape="one output",
)
def linear_regression() -> Training:
    """Two weights and a bias of made data from scratch, lr 0.03, three epochs."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (2000, 2))
    y = x @ np.array([[2], [-3.4]]) + 4.2 + rng.normal(0, 0.01, (2000, 1))
    x, y = x.astype(np.float32), y.astype(np.float32)
    return Training(
        lambda: _normal(nn.Linear(2, 1)),
        (x[:1000], y[:1000]),
        lambda output, target: ((output - target) ** 2 / 2).mean(),
        lambda parameters: optim.SGD(parameters, lr=0.03),
        lambda predict: 1 - float(np.mean((predict(x[1000:]) - y[1000:]) ** 2) / y.var()),
        well=0.95,
        epochs=3,
        batch_size=32,
        valid=(x[1000:], y[1000:]),
    )


def _of_images(
    model: Callable[[], nn.Module], loss: Any, well: float, epochs: int = 20, side: int = 784
) -> Training:
    """Flat images, SGD at 0.1; the book's 2,350 steps in fewer rows and smaller batches."""
    train, valid = ((x.reshape(-1, side), y) for x, y in data.mnist_mixed(5000))
    return Training(
        model,
        train,
        loss,
        lambda parameters: optim.SGD(parameters, lr=0.1),
        lambda predict: float(np.mean(predict(valid[0]).argmax(1) == valid[1])),
        well=well,
        epochs=epochs,
        batch_size=50,
        valid=valid,
    )


class _SoftmaxFromScratch(nn.Module):
    """exp over the sum of exps: the outputs are probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.w = rg.Parameter(np.zeros((784, 10), np.float32))
        self.b = rg.Parameter(np.zeros(10, np.float32))
        init.normal_(self.w, std=0.01)

    def forward(self, x: Any) -> Any:
        exps = rg.exp(rg.matmul(x, self.w) + self.b)
        return exps / exps.sum(1, keepdim=True)


@healthy(
    "d2l-softmax-regression-scratch",
    source=f"{BOOK}/chapter_linear-classification/softmax-regression-scratch.html",
    shape="classes",
)
def softmax_regression() -> Training:
    """Softmax regression with the softmax and the cross-entropy written out."""

    def loss(output: Any, target: Any) -> Any:
        return -rg.log(rg.take_along_axis(output, target[:, None], 1)).mean()

    return _of_images(_SoftmaxFromScratch, loss, well=0.86, epochs=15)


class _MLPFromScratch(nn.Module):
    """Two weights, two biases and a ReLU written out."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.w1 = rg.Parameter(np.zeros((inputs, hidden), np.float32))
        self.b1 = rg.Parameter(np.zeros(hidden, np.float32))
        self.w2 = rg.Parameter(np.zeros((hidden, outputs), np.float32))
        self.b2 = rg.Parameter(np.zeros(outputs, np.float32))
        init.normal_(self.w1, std=0.01)
        init.normal_(self.w2, std=0.01)

    def forward(self, x: Any) -> Any:
        hidden = rg.maximum(rg.matmul(x, self.w1) + self.b1, 0.0)
        return rg.matmul(hidden, self.w2) + self.b2


@healthy(
    "d2l-mlp-scratch",
    source=f"{BOOK}/chapter_multilayer-perceptrons/mlp-implementation.html",
    shape="classes",
)
def mlp() -> Training:
    """An MLP from scratch, weights from N(0, 0.01²)."""
    return _of_images(lambda: _MLPFromScratch(784, 128, 10), nn.CrossEntropyLoss(), well=0.88)


@healthy(
    "d2l-dropout-mlp",
    source=f"{BOOK}/chapter_multilayer-perceptrons/dropout.html",
    shape="classes",
)
def dropout() -> Training:
    """Two hidden layers, half of each dropped."""

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Linear(784, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, 10),
        )

    return _of_images(model, nn.CrossEntropyLoss(), well=0.88)


@healthy(
    "d2l-weight-decay-concise",
    source=f"{BOOK}/chapter_linear-regression/weight-decay.html",
    shape="one output",
)
def weight_decay() -> Training:
    """20 rows of 200 inputs, where only a weight decay of 3 keeps the error on new rows down.

    Without it, the error on new rows is more than twice the targets' variance; the mean's is one.
    """
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (120, 200))
    y = x @ np.full((200, 1), 0.01) + 0.05 + rng.normal(0, 0.01, (120, 1))
    x, y = x.astype(np.float32), y.astype(np.float32)

    def optimizer(parameters: Any) -> optim.Optimizer:
        weight, bias = parameters
        return optim.SGD([{"params": [weight], "weight_decay": 3.0}, {"params": [bias]}], lr=0.01)

    return Training(
        lambda: _normal(nn.Linear(200, 1)),
        (x[:20], y[:20]),
        nn.MSELoss(),
        optimizer,
        lambda predict: 1 - float(np.mean((predict(x[20:]) - y[20:]) ** 2) / y[20:].var()),
        well=-0.2,
        epochs=10,
        batch_size=5,
        valid=(x[20:], y[20:]),
    )


@healthy(
    "d2l-batch-norm-lenet",
    source=f"{BOOK}/chapter_convolutional-modern/batch-norm.html",
    shape="classes",
)
def batch_norm_lenet() -> Training:
    """LeNet with sigmoids, and batch norm before each of them, lr 0.1."""
    train, valid = ((x[:, None], y) for x, y in data.mnist_mixed(4000))

    def model() -> nn.Module:
        net = nn.Sequential(
            nn.Conv2d(1, 6, 5),
            nn.BatchNorm2d(6),
            nn.Sigmoid(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.BatchNorm2d(16),
            nn.Sigmoid(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(256, 120),
            nn.BatchNorm1d(120),
            nn.Sigmoid(),
            nn.Linear(120, 84),
            nn.BatchNorm1d(84),
            nn.Sigmoid(),
            nn.Linear(84, 10),
        )
        for layer in net:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                init.xavier_uniform_(layer.weight)
        return net

    return Training(
        model,
        train,
        nn.CrossEntropyLoss(),
        lambda parameters: optim.SGD(parameters, lr=0.1),
        lambda predict: float(np.mean(predict(valid[0]).argmax(1) == valid[1])),
        well=0.9,
        epochs=8,
        batch_size=64,
        valid=valid,
    )
