"""Questions of users about networks whose output, loss and labels do not belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from building import accuracy, adam, agreement, keras_cross_entropy, sgd, softmax_cross_entropy
from collection import faulty
from data import keras_start, mnist_images, split
from training import Training

import retrograd as rg
from retrograd import nn

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]

KERAS = "https://github.com/keras-team/keras/issues"


class LastStep(nn.Module):
    """A recurrent layer, and a head on its output at the last step."""

    def __init__(self, recurrent: nn.Module, *head: nn.Module) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.head = nn.Sequential(*head)

    def forward(self, x: Any) -> Any:
        return self.head(self.recurrent(x)[0][:, -1])


@faulty(
    "so-47241622-lstm-softmax-over-one",
    source="https://stackoverflow.com/questions/47241622",
    shape="one output",
    faults=("softmax over a single output is always 1", "labels -1 and 1 for a cross-entropy"),
    right=("RG404", "RG401"),
)
def lstm_softmax_over_one() -> Pair:
    """An LSTM on 128 bits in 16 steps that tells labels of -1 and 1 apart."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (1500, 16, 8)).astype(np.float32)
    votes = ((x - 0.5) @ rng.normal(size=8)).sum(1)
    train, valid = split(x, np.where(votes > 0, 1.0, -1.0).astype(np.float32))

    def model(output: nn.Module) -> Callable[[], nn.Module]:
        lstm = {"hidden_size": 32, "batch_first": True}
        return lambda: keras_start(LastStep(nn.LSTM(8, **lstm), nn.Linear(32, 1), output))

    wrong = Training(
        model=model(nn.Softmax(1)),
        train=train,
        valid=valid,
        loss=keras_cross_entropy,
        optimizer=adam(),
        score=agreement(valid),
        well=0.85,
        epochs=12,
        batch_size=20,
    )
    right = replace(
        wrong,
        model=model(nn.Sigmoid()),
        train=(train[0], np.maximum(train[1], 0)),
        valid=(valid[0], np.maximum(valid[1], 0)),
    )
    return wrong, right


@faulty(
    "keras-126-mlp-softmax-over-one",
    source=f"{KERAS}/126",
    shape="one output",
    faults=("softmax over a single output is always 1",),
    right=("RG404", "RG401"),
)
def mlp_softmax_over_one() -> Pair:
    """Eight points of the plane on two sides of a line, and two wide layers with much dropout."""
    first = [0.0, 0.6, 0.1, 0.9, 0.9, 0.3, 0.2, 0.5]
    x = np.array([first, [0.1, 0.8, 0.2, 0.8, 0.7, 0.0, 0.2, 0.9]], np.float32).T
    rows = x, (x.sum(1) > 0.5).astype(np.int64)

    def model(output: nn.Module) -> Callable[[], nn.Module]:
        def build() -> nn.Module:
            layers = [nn.Linear(2, 64), nn.Tanh(), nn.Dropout(), nn.Linear(64, 64), nn.Tanh()]
            built = nn.Sequential(*layers, nn.Dropout(), nn.Linear(64, 1), output)
            for parameter in built.parameters():
                nn.init.uniform_(parameter, -0.05, 0.05)
            return built

        return build

    wrong = Training(
        model=model(nn.Softmax(1)),
        train=rows,
        loss=lambda output, target: ((output[:, 0] - target) ** 2).mean(),
        optimizer=sgd(0.1, momentum=0.9, nesterov=True),
        score=agreement(rows),
        well=0.99,
        epochs=200,
        batch_size=16,
    )
    return wrong, replace(wrong, model=model(nn.Sigmoid()))


@faulty(
    "stats-433365-xor-of-sorted-rows",
    source="https://stats.stackexchange.com/questions/433365",
    shape="one output",
    faults=(
        "no activation after the first layer",
        "ReLU and mean squared error for a yes-or-no output",
        "the sorted rows leave one of the four cases out of training",
        "too few epochs",
    ),
    right=("RG109", "RG401", "RG103", "RG216"),
)
def xor_of_sorted_rows() -> Pair:
    """Exclusive or from thousands of copies of its cases, three of which are in training."""
    cases = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    answer = np.array([0, 1, 1, 0], np.float32)
    wrong = Training(
        model=lambda: keras_start(
            nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1), nn.ReLU())
        ),
        train=(np.repeat(cases, 1000, 0)[:3000], np.repeat(answer, 1000)[:3000]),
        valid=(np.repeat(cases[3:], 1000, 0), np.repeat(answer[3:], 1000)),
        loss=lambda output, target: ((output[:, 0] - target) ** 2).mean(),
        optimizer=sgd(0.01),
        score=agreement((cases, answer)),
        well=0.99,
        epochs=5,
    )
    right = replace(
        wrong,
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh()),
                *(nn.Linear(4, 1), nn.Sigmoid()),
            )
        ),
        train=(cases, answer),
        valid=None,
        loss=keras_cross_entropy,
        optimizer=sgd(0.5),
        epochs=2000,
        batch_size=4,
    )
    return wrong, right


@faulty(
    "forum-pytorch-43814-softmax-twice",
    source="https://discuss.pytorch.org/t/cross-entropy-loss-is-not-decreasing/43814",
    shape="classes",
    faults=("softmax before the cross-entropy", "learning rate of Adam too high"),
    right=("RG403", "RG201", "RG202", "RG205"),
)
def softmax_twice() -> Pair:
    """A convolutional network for images whose loss stays at ln 10."""
    train, valid = mnist_images(2000, 14)

    def model(*output: nn.Module) -> Callable[[], nn.Module]:
        convolve = [nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU()]
        dense = [nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10)]
        return lambda: nn.Sequential(*convolve, *dense, *output)

    wrong = Training(
        model=model(nn.Softmax(1)),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(0.02),
        score=accuracy(valid),
        well=0.9,
        epochs=10,
    )
    return wrong, replace(wrong, model=model(), optimizer=adam(0.001))


@faulty(
    "ds-38604-mnist-one-sigmoid",
    source="https://datascience.stackexchange.com/questions/38604",
    shape="classes",
    faults=(
        "one sigmoid for ten classes",
        "binary cross-entropy with labels from 0 to 9",
        "pixels from 0 to 255",
    ),
    right=("RG404", "RG401", "RG301"),
)
def mnist_one_sigmoid() -> Pair:
    """A digit named by one sigmoid, whose loss is -55 and never changes."""
    (x, y), (x_valid, y_valid) = ((x.reshape(-1, 784) * 255, y) for x, y in mnist_images(2500))
    wrong = Training(
        model=lambda: keras_start(
            nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid())
        ),
        train=(x, y.astype(np.float32)),
        valid=(x_valid, y_valid.astype(np.float32)),
        loss=keras_cross_entropy,
        optimizer=adam(),
        score=lambda predict: float((np.round(predict(x_valid)[:, 0]) == y_valid).mean()),
        well=0.88,
        epochs=10,
    )
    right = replace(
        wrong,
        model=lambda: keras_start(
            nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(1))
        ),
        train=(x / 255, y),
        valid=(x_valid / 255, y_valid),
        loss=softmax_cross_entropy,
        score=accuracy((x_valid / 255, y_valid)),
    )
    return wrong, right


@faulty(
    "pullrequest-11818227-softmax-hidden",
    source="http://pullrequest.ru/11818227/neironnaya-set-odnim-skrytym-sloem-mozhet-byt-obuchena",
    shape="classes",
    faults=("all weights start at zero", "softmax as the activation of the hidden layer"),
    right=("RG105", "RG106"),
)
def softmax_hidden() -> Pair:
    """Ten hidden units between the pixels and the digits, after TensorFlow's softmax regression."""
    train, valid = ((x.reshape(-1, 784), y) for x, y in mnist_images(2500))

    def model(hidden: nn.Module, start: Callable[[Any], Any]) -> Callable[[], nn.Module]:
        def build() -> nn.Module:
            built = nn.Sequential(nn.Linear(784, 10), hidden, nn.Linear(10, 10), nn.Softmax(1))
            for parameter in built.parameters():
                start(parameter)
            return built

        return build

    wrong = Training(
        model=model(nn.Softmax(1), nn.init.zeros_),
        train=train,
        valid=valid,
        loss=lambda output, target: (
            -rg.log((output * nn.functional.one_hot(target, 10)).sum(1)).mean()
        ),
        optimizer=sgd(0.5),
        score=accuracy(valid),
        well=0.8,
        epochs=30,
        batch_size=100,
    )
    return wrong, replace(
        wrong, model=model(nn.Sigmoid(), lambda each: nn.init.normal_(each, std=0.1))
    )


@faulty(
    "stats-565956-one-output-categorical",
    source="https://stats.stackexchange.com/questions/565956",
    shape="sequence",
    faults=("categorical cross-entropy on one sigmoid is lowest at 1, whatever the input",),
    right=("RG401",),
)
def one_output_categorical() -> Pair:
    """Five steps of ten encoded categories, and a class that a quarter of the rows have."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, (1500, 5, 10)).astype(np.float32)
    sums = (codes[:, :, 0] - codes[:, :, 1]).sum(1)
    train, valid = split(codes, (sums > 4).astype(np.float32))
    wrong = Training(
        model=lambda: keras_start(
            LastStep(nn.LSTM(10, 48, batch_first=True), nn.Linear(48, 1), nn.Sigmoid())
        ),
        train=train,
        valid=valid,
        loss=lambda output, target: -(target * rg.log(rg.clip(output[:, 0], 1e-7, 1.0))).mean(),
        optimizer=adam(),
        score=agreement(valid),
        well=0.85,
        epochs=20,
    )
    return wrong, replace(wrong, loss=keras_cross_entropy)
