"""Questions of users about losses: written by hand, of another task, of other labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from building import adam, agreement, keras_cross_entropy
from collection import faulty
from data import house_prices, keras_start, split, standard
from training import Training

import retrograd as rg
from retrograd import nn

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]

KERAS = "https://github.com/keras-team/keras/issues"


@faulty(
    "keras-198-logistic-certain",
    source=f"{KERAS}/198",
    shape="one output",
    faults=("the logarithm of 0, as soon as an answer is certain",),
    right=("RG602", "RG603"),
)
def logistic_certain() -> Pair:
    """Two separable classes: when all rows are right, a probability of 1 makes the loss NaN."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400).astype(np.float32)
    x = rng.normal(size=(400, 10)) + 4 * y[:, None] - 2
    train = x.astype(np.float32), y

    def logistic(off: float) -> Callable[[Any, Any], Any]:
        def loss(output: Any, target: Any) -> Any:
            p = rg.clip(output[:, 0], off, 1 - off)
            return -(target * rg.log(p) + (1 - target) * rg.log(1 - p)).mean()

        return loss

    wrong = Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()),
                *(nn.Linear(64, 1), nn.Sigmoid()),
            )
        ),
        train=train,
        loss=logistic(0.0),
        optimizer=adam(0.01),
        score=agreement(train),
        well=0.97,
        epochs=60,
    )
    return wrong, replace(wrong, loss=logistic(1e-7))


@faulty(
    "deepchem-5017-hinge-of-zeros",
    source="https://github.com/deepchem/deepchem/issues/5017",
    shape="hinge",
    faults=("labels 0 and 1 for a hinge loss, which has no slope at 0",),
    right=("RG401",),
)
def hinge_of_zeros() -> Pair:
    """Fingerprints of molecules and whether they are active, by the margin of one output."""
    rng = np.random.default_rng(0)
    x = (rng.random((1200, 128)) < 0.2).astype(np.float32)
    activity = (x - 0.2) @ rng.normal(size=128) + 0.3 * rng.normal(size=1200)
    (x, y), (x_valid, y_valid) = split(x, (activity > 0.8).astype(np.float32))
    wrong = Training(
        model=lambda: nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1)),
        train=(x, y),
        valid=(x_valid, y_valid),
        loss=lambda output, target: rg.relu(1 - target * output[:, 0]).mean(),
        optimizer=adam(),
        score=agreement((x_valid, y_valid), 0),
        well=0.82,
        epochs=20,
    )
    return wrong, replace(wrong, train=(x, 2 * y - 1), valid=(x_valid, 2 * y_valid - 1))


@faulty(
    "openillumi-price-cross-entropy",
    source="https://openillumi.com/en/en-keras-tf-fix-huge-negative-loss-regression",
    shape="one output",
    faults=(
        "binary cross-entropy and a sigmoid for a price",
        "a price in dollars, not scaled",
    ),
    right=("RG401", "RG404", "RG302"),
)
def price_cross_entropy() -> Pair:
    """The price of a house by a classifier's last layer and loss, which becomes hugely negative."""
    x, price = house_prices()
    train, valid = split(standard(x), price)
    middle, spread = train[1].mean(), train[1].std()

    def model(*output: nn.Module) -> Callable[[], nn.Module]:
        layers = [nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)]
        return lambda: keras_start(nn.Sequential(*layers, *output))

    def explained(scale: float, shift: float) -> Callable[[Predict], float]:
        def score(predict: Predict) -> float:
            errors = predict(valid[0])[:, 0] * scale + shift - valid[1]
            return float(1 - (errors**2).mean() / valid[1].var())

        return score

    wrong = Training(
        model=model(nn.Sigmoid()),
        train=train,
        valid=valid,
        loss=keras_cross_entropy,
        optimizer=adam(),
        score=explained(1, 0),
        well=0.5,
        epochs=50,
    )
    right = replace(
        wrong,
        model=model(),
        train=(train[0], (train[1] - middle) / spread),
        valid=(valid[0], (valid[1] - middle) / spread),
        loss=lambda output, target: nn.mse_loss(output[:, 0], target),
        score=explained(spread, middle),
    )
    return wrong, right


@faulty(
    "techfeed-431483-labels-of-minus-one",
    source="https://techfeed.net/pt/431483/",
    shape="one output",
    faults=("labels -1 and 1 for a cross-entropy", "weights of deviation 1 in wide layers"),
    right=("RG404", "RG401", "RG107"),
)
def labels_of_minus_one() -> Pair:
    """Five numbers of a noisy market and labels -1 and 1, three wide layers of random_normal."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 5)).astype(np.float32)
    chance = 1 / (1 + np.exp(-2 * (x[:, 0] + x[:, 1] * x[:, 2])))
    train, valid = split(x, np.where(rng.random(2000) < chance, 1.0, -1.0).astype(np.float32))

    def model() -> nn.Module:
        hidden = [(nn.Linear(size, 128), nn.ReLU()) for size in (5, 128, 128)]
        return nn.Sequential(*(each for layer in hidden for each in layer), nn.Linear(128, 1))

    def normal_model() -> nn.Module:
        built = model()
        for parameter in built.parameters():
            nn.init.normal_(parameter)
        return built

    wrong = Training(
        model=normal_model,
        train=train,
        valid=valid,
        loss=lambda output, target: nn.binary_cross_entropy_with_logits(output[:, 0], target),
        optimizer=adam(),
        score=agreement(valid, 0),
        well=0.72,
        epochs=10,
        batch_size=100,
    )
    right = replace(
        wrong,
        model=model,
        train=(train[0], np.maximum(train[1], 0)),
        valid=(valid[0], np.maximum(valid[1], 0)),
    )
    return wrong, right


@faulty(
    "keras-741-softmax-for-labels",
    source=f"{KERAS}/741",
    shape="several labels",
    faults=("softmax and categorical cross-entropy where several labels hold at once",),
    right=("RG401", "RG404"),
)
def softmax_for_labels() -> Pair:
    """Seven labels at once, of which each row has about a third."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 20)).astype(np.float32)
    y = (x @ rng.normal(size=(20, 7)) + rng.normal(size=(1500, 7)) > 1.5).astype(np.float32)
    train, valid = split(x, y)

    def model(output: nn.Module) -> Callable[[], nn.Module]:
        layers = [nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 7), output]
        return lambda: keras_start(nn.Sequential(*layers))

    def categorical(output: Any, target: Any) -> Any:
        return -(target * rg.log(rg.clip(output, 1e-7, 1.0))).sum(1).mean()

    wrong = Training(
        model=model(nn.Softmax(1)),
        train=train,
        valid=valid,
        loss=categorical,
        optimizer=adam(),
        score=lambda predict: float(((predict(valid[0]) > 0.5) == valid[1]).mean()),
        well=0.85,
        epochs=20,
    )
    return wrong, replace(wrong, model=model(nn.Sigmoid()), loss=nn.binary_cross_entropy)
