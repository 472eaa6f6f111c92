"""Questions of users about data as it comes: scales, integers, leaks, padding, rare classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from building import accuracy, adam, sgd
from collection import faulty
from data import drawn_shapes, keras_start, mnist_images, split
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]

KERAS = "https://github.com/keras-team/keras/issues"


def explained(rows: tuple[Any, Array]) -> Callable[[Predict], float]:
    """The share of the target's variance in `rows` that the output explains."""
    return lambda predict: float(1 - ((predict(rows[0]) - rows[1]) ** 2).mean() / rows[1].var())


@faulty(
    "so-52800582-fourth-power",
    source="https://stackoverflow.com/questions/52800582",
    shape="one output",
    faults=("inputs from -100 to 100 into sigmoids", "a target up to a hundred million"),
    right=("RG301", "RG302", "RG104"),
)
def fourth_power() -> Pair:
    """The fourth power of a number by a layer of sigmoids, a layer of ELU and a linear one."""
    x = np.random.default_rng(0).uniform(-100, 100, (2000, 1)).astype(np.float32)
    wrong = Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(1, 50), nn.Sigmoid(), nn.Linear(50, 50), nn.ELU(), nn.Linear(50, 1))
            )
        ),
        train=(x, x**4),
        loss=nn.mse_loss,
        optimizer=adam(),
        score=explained((x, x**4)),
        well=0.9,
        epochs=60,
    )
    scaled = x / 100, (x / 100) ** 4
    return wrong, replace(wrong, train=scaled, score=explained(scaled))


@faulty(
    "ds-28191-sine-relu-output",
    source="https://datascience.stackexchange.com/questions/28191",
    shape="one output",
    faults=(
        "ReLU on the output of a function that is negative half of the time",
        "a first layer of a single ReLU",
        "fifty periods of inputs up to 314, and none below 0",
    ),
    right=("RG404", "RG301", "RG103"),
)
def sine_relu_output() -> Pair:
    """The sine of numbers up to 314 by a chain of ReLU layers, asked from -10 to 10."""
    asked = np.arange(-10, 10, 0.02, np.float32)[:, None]
    x = np.arange(0, 314.1, 0.1, np.float32)[:, None]
    wrong = Training(
        model=lambda: nn.Sequential(
            *(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 100), nn.ReLU()),
            *(nn.Linear(100, 1), nn.ReLU()),
        ),
        train=(x, np.sin(x)),
        loss=nn.mse_loss,
        optimizer=sgd(0.01),
        score=explained((asked, np.sin(asked))),
        well=0.8,
        epochs=20,
    )
    near = np.random.default_rng(0).uniform(-10, 10, (3000, 1)).astype(np.float32)
    right = replace(
        wrong,
        model=lambda: nn.Sequential(
            nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
        ),
        train=(near / 5, np.sin(near)),
        optimizer=adam(0.005),
        score=explained((asked / 5, np.sin(asked))),
        epochs=40,
    )
    return wrong, right


@faulty(
    "ai-16557-four-sigmoid-layers",
    source="https://ai.stackexchange.com/questions/16557",
    shape="one output",
    faults=("four hidden layers of sigmoids", "a target in the hundreds, not scaled"),
    right=("RG101", "RG302"),
)
def four_sigmoid_layers() -> Pair:
    """Binary vectors and a real number by four wide layers of sigmoids."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (2000, 24)).astype(np.float32)
    votes = (x - 0.5) @ rng.normal(size=24) + 2 * (x[:, 0] != x[:, 1]) * (x[:, 2] - 0.5)
    (x, y), (x_valid, y_valid) = split(x, (300 + 60 * votes)[:, None].astype(np.float32))

    def model(activation: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        def build() -> nn.Module:
            hidden = [(nn.Linear(size, 64), activation()) for size in (24, 64, 64, 64)]
            return keras_start(
                nn.Sequential(*(each for layer in hidden for each in layer), nn.Linear(64, 1))
            )

        return build

    wrong = Training(
        model=model(nn.Sigmoid),
        train=(x, y),
        valid=(x_valid, y_valid),
        loss=nn.mse_loss,
        optimizer=adam(),
        score=explained((x_valid, y_valid)),
        well=0.85,
        epochs=20,
    )
    scaled = (y - y.mean()) / y.std(), (y_valid - y.mean()) / y.std()
    right = replace(
        wrong,
        model=model(nn.ReLU),
        train=(x, scaled[0]),
        valid=(x_valid, scaled[1]),
        score=explained((x_valid, scaled[1])),
    )
    return wrong, right


@faulty(
    "fastai-forum-1441-log-of-zero",
    source="https://forums.fast.ai/t/cross-entropy-error-log-1-1-inf/1441",
    shape="classes",
    faults=("pixels from 0 to 255, at which a naive softmax and its logarithm overflow",),
    right=("RG301",),
)
def log_of_zero() -> Pair:
    """Softmax regression with a softmax and a cross-entropy of the author's own."""
    (x, y), (x_valid, y_valid) = ((x.reshape(-1, 784), y) for x, y in mnist_images(2500))

    def softmax(logits: Any) -> Any:
        powers = rg.exp(logits)
        return powers / powers.sum(1, keepdim=True)

    def average(output: Any, target: Any) -> Any:
        share, hit = softmax(output), nn.functional.one_hot(target, 10)
        return -rg.log(rg.where(hit > 0, share, 1 - share)).mean()

    def model() -> nn.Module:
        built = nn.Sequential(nn.Linear(784, 10))
        nn.init.normal_(built[0].weight, std=1 / 28)
        nn.init.zeros_(built[0].bias)
        return built

    wrong = Training(
        model=model,
        train=(x * 255, y),
        valid=(x_valid * 255, y_valid),
        loss=average,
        optimizer=sgd(0.1),
        score=accuracy((x_valid * 255, y_valid)),
        well=0.8,
        epochs=8,
    )
    valid = (x_valid - x.mean()) / x.std(), y_valid
    return wrong, replace(
        wrong, train=((x - x.mean()) / x.std(), y), valid=valid, score=accuracy(valid)
    )


@faulty(
    "keras-255-integer-pixels",
    source=f"{KERAS}/255",
    shape="classes",
    faults=("pixels divided into an array of integers, where all become 0",),
    right=("RG303",),
)
def integer_pixels() -> Pair:
    """Screenshots with and without another player, classes in turn, by convolutions."""
    x, y = drawn_shapes(1600)
    first, second = np.flatnonzero(y == 1)[:300], np.flatnonzero(y == 2)[:300]
    order = np.stack([first, second], 1).ravel()
    pixels = np.floor(x[order] * 250)

    def network(images: Array) -> Training:
        valid = images[480:], np.tile([0, 1], 60)
        return Training(
            model=lambda: keras_start(
                nn.Sequential(
                    *(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3)),
                    *(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 32), nn.ReLU()),
                    *(nn.Linear(32, 2), nn.Softmax(1)),
                )
            ),
            train=(images[:480], np.tile([0, 1], 240)),
            valid=valid,
            loss=lambda output, target: nn.nll_loss(rg.log(rg.clip(output, 1e-7, 1)), target),
            optimizer=adam(0.002),
            score=accuracy(valid),
            well=0.85,
            epochs=25,
        )

    whole = (pixels // 255).astype(np.int64).astype(np.float32)
    return network(whole), network((pixels / 255).astype(np.float32))


@faulty(
    "keras-6914-mnist-raw-pixels",
    source=f"{KERAS}/6914",
    shape="classes",
    faults=("pixels from 0 to 255",),
    right=("RG301",),
)
def mnist_raw_pixels() -> Pair:
    """Keras' multilayer perceptron for digits with RMSprop, fed with the pixels of a table."""
    train, valid = ((x.reshape(-1, 784), y) for x, y in mnist_images(2500))
    wrong = Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2)),
                *(nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.2)),
                *(nn.Linear(128, 10), nn.Softmax(1)),
            )
        ),
        train=(train[0] * 255, train[1]),
        valid=(valid[0] * 255, valid[1]),
        loss=lambda output, target: nn.nll_loss(rg.log(rg.clip(output, 1e-7, 1)), target),
        optimizer=lambda parameters: optim.RMSprop(parameters, lr=1e-3),
        score=accuracy((valid[0] * 255, valid[1])),
        well=0.9,
        epochs=8,
        batch_size=128,
    )
    return wrong, replace(wrong, train=train, valid=valid, score=accuracy(valid))


@faulty(
    "gluoncv-644-all-background",
    source="https://github.com/dmlc/gluon-cv/issues/644",
    shape="dense targets",
    faults=("one pixel in a hundred is an object's, and the loss does not weigh the classes",),
    right=("RG306",),
)
def all_background() -> Pair:
    """Small objects in noise, pixel by pixel: everything is called background."""
    rng = np.random.default_rng(0)
    masks = np.zeros((400, 16, 16), np.int64)
    for mask, (down, across) in zip(masks, rng.integers(0, 14, (400, 2)), strict=True):
        mask[down : down + 2, across : across + 2] = 1
    x = (1.4 * masks + rng.normal(size=masks.shape))[:, None].astype(np.float32)
    train, valid = split(x, masks)

    def recall(predict: Predict) -> float:
        hit = predict(valid[0]).argmax(1) == valid[1]
        return float((hit[valid[1] == 0].mean() + hit[valid[1] == 1].mean()) / 2)

    wrong = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 2, 1)),
        ),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(),
        score=recall,
        well=0.8,
        epochs=10,
        batch_size=8,
    )

    def weighed(output: Any, target: Any) -> Any:
        return (
            nn.cross_entropy(output, target, reduction="none")
            * (0.02 + 0.96 * target.astype(np.float32))
        ).mean()

    return wrong, replace(wrong, loss=weighed)


@faulty(
    "mlnet-737-price-of-sold-items",
    source="https://github.com/dotnet/machinelearning/issues/737",
    shape="one output",
    faults=("a price that is logged for sold items only, and so names the class",),
    right=("RG305",),
)
def price_of_sold_items() -> Pair:
    """Whether an item will be sold, where the table has a price only for those that were."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 8)).astype(np.float32)
    sold = (x[:, 0] + x[:, 1] * x[:, 2] + 0.5 * rng.normal(size=1500) > 0).astype(np.float32)
    price = rng.uniform(0.5, 1.5, 1500).astype(np.float32)
    later, answer = x[1200:], sold[1200:]

    def network(priced: bool) -> Training:
        columns = np.column_stack([x, price * sold]) if priced else x
        asked = np.column_stack([later, price[1200:]]) if priced else later
        return Training(
            model=lambda: nn.Sequential(
                nn.Linear(columns.shape[1], 32), nn.ReLU(), nn.Linear(32, 1)
            ),
            train=(columns[:1200], sold[:1200]),
            valid=(columns[1200:], answer),
            loss=lambda output, target: nn.binary_cross_entropy_with_logits(output[:, 0], target),
            optimizer=adam(0.005),
            score=lambda predict: float(((predict(asked)[:, 0] > 0) == (answer > 0)).mean()),
            well=0.78,
            epochs=25,
        )

    return network(True), network(False)


class Tagger(nn.Module):
    """Word vectors, an LSTM and a head on its last output: (rows, length) -> (rows, 1)."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, 16)
        self.lstm = nn.LSTM(16, 32, batch_first=True)
        self.head = nn.Sequential(nn.Linear(32, 1), nn.Sigmoid())

    def forward(self, tokens: Any) -> Any:
        return self.head(self.lstm(self.embedding(tokens))[0][:, -1])


@faulty(
    "keras-20898-padded-after",
    source=f"{KERAS}/20898",
    shape="sequence",
    faults=("short texts padded at the end, so that the LSTM has forgotten them",),
    right=(),
)
def padded_after() -> Pair:
    """Short reviews in rows of 60 words, whose last state of an LSTM is one of padding."""
    rng = np.random.default_rng(0)
    before, after = np.zeros((2, 1200, 60), np.int64)
    y = rng.integers(0, 2, 1200).astype(np.float32)
    for row in range(1200):
        words = rng.integers(1, 150, rng.integers(4, 11))
        place = rng.integers(0, len(words), 2)
        words[place] = rng.integers(150, 160, 2) + 10 * int(y[row])
        after[row, : len(words)] = before[row, 60 - len(words) :] = words

    def network(x: Array) -> Training:
        train, valid = split(x, y)
        return Training(
            model=lambda: keras_start(Tagger(170)),
            train=train,
            valid=valid,
            loss=lambda output, target: nn.binary_cross_entropy(output[:, 0], target),
            optimizer=adam(0.002),
            score=lambda predict: float(((predict(valid[0])[:, 0] > 0.5) == valid[1]).mean()),
            well=0.9,
            epochs=10,
        )

    return network(after), network(before)
