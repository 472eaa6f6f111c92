"""Programs of Dive into Deep Learning on images, tables and ratings: the seen half."""

from __future__ import annotations

from typing import Any

import data
import numpy as np
from collection import healthy
from training import Rows, Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

BOOK = "https://d2l.ai"

Array = np.ndarray[Any, Any]


def _r_squared(predicted: Array, target: Array) -> float:
    return 1 - float(np.mean((predicted - target) ** 2) / target.var())


def _normal(model: nn.Module, std: float = 0.01) -> nn.Module:
    """Weights normal around 0, biases 0."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Embedding):
            init.normal_(layer.weight, std=std)
        if isinstance(layer, nn.Linear):
            init.zeros_(layer.bias)
    return model


def _xavier(model: nn.Module) -> nn.Module:
    """The book's `init_cnn`: weights after Glorot, biases as they are."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            init.xavier_uniform_(layer.weight)
    return model


def _images(rows: int = 5000) -> tuple[Rows, Rows]:
    train, valid = data.mnist_mixed(rows)
    return (train[0][:, None], train[1]), (valid[0][:, None], valid[1])


def _image_classes(
    model: Any, lr: float, epochs: int, batch_size: int, well: float, rows: int = 5000
) -> Training:
    train, valid = _images(rows)
    return Training(
        model,
        train,
        nn.CrossEntropyLoss(),
        lambda parameters: optim.SGD(parameters, lr=lr),
        lambda predict: float(np.mean(predict(valid[0]).argmax(1) == valid[1])),
        well=well,
        epochs=epochs,
        batch_size=batch_size,
        valid=valid,
    )


@healthy(
    "d2l-kaggle-house-price",
    source=f"{BOOK}/chapter_multilayer-perceptrons/kaggle-house-price.html",
    shape="one output",
)
def house_prices() -> Training:
    """Logarithms of house prices by linear regression on standardized and one-hot columns."""
    table = dict(data.csv_columns("ames_housing/ames.csv"))
    prices = table.pop("Sale_Price").astype(np.float64)
    parts = []
    for values in table.values():
        try:
            numbers = np.where(values == "", "nan", values).astype(np.float64)
        except ValueError:
            parts.append((values[:, None] == np.unique(values)).astype(np.float32))
        else:
            numbers = (numbers - np.nanmean(numbers)) / max(np.nanstd(numbers), 1e-8)
            parts.append(np.nan_to_num(numbers)[:, None])
    x = np.concatenate(parts, 1).astype(np.float32)
    train, valid = data.split(x, np.log(prices).astype(np.float32)[:, None])
    return Training(
        lambda: _normal(nn.Linear(x.shape[1], 1)),
        train,
        nn.MSELoss(),
        lambda parameters: optim.SGD(parameters, lr=0.01),
        lambda predict: _r_squared(predict(valid[0]), valid[1]),
        well=0.6,
        epochs=20,
        batch_size=64,
        valid=valid,
    )


def _nin_block(inputs: int, outputs: int, size: int, stride: int, padding: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=padding),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 1),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 1),
        nn.ReLU(),
    ]


@healthy("d2l-nin", source=f"{BOOK}/chapter_convolutional-modern/nin.html", shape="classes")
def network_in_network() -> Training:
    """Network in network: blocks of one convolution and two of single pixels, no linear layer."""

    def model() -> nn.Module:
        return _xavier(
            nn.Sequential(
                *_nin_block(1, 16, 5, 2, 2),
                nn.MaxPool2d(3, stride=2),
                *_nin_block(16, 32, 3, 1, 1),
                nn.MaxPool2d(3, stride=2),
                nn.Dropout(0.5),
                *_nin_block(32, 10, 3, 1, 1),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
            )
        )

    return _image_classes(model, lr=0.05, epochs=12, batch_size=32, well=0.85)


class _ResidualBlock(nn.Module):
    """Two convolutions with batch norm, the input added, through one of its own if it must."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv3 = nn.Conv2d(inputs, outputs, 1, stride=stride) if stride > 1 else None
        self.bn1 = nn.BatchNorm2d(outputs)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Any) -> Any:
        y = self.bn2(self.conv2(rg.relu(self.bn1(self.conv1(x)))))
        return rg.relu(y + (x if self.conv3 is None else self.conv3(x)))


@healthy("d2l-resnet", source=f"{BOOK}/chapter_convolutional-modern/resnet.html", shape="classes")
def residual_network() -> Training:
    """A small ResNet, lr 0.01."""

    def model() -> nn.Module:
        return _xavier(
            nn.Sequential(
                nn.Conv2d(1, 8, 7, stride=2, padding=3),
                nn.BatchNorm2d(8),
                nn.ReLU(),
                nn.MaxPool2d(3, stride=2, padding=1),
                _ResidualBlock(8, 8),
                _ResidualBlock(8, 16, stride=2),
                _ResidualBlock(16, 32, stride=2),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(32, 10),
            )
        )

    return _image_classes(model, lr=0.01, epochs=10, batch_size=64, well=0.9, rows=4000)


@healthy(
    "d2l-autoregressive-sequence",
    source=f"{BOOK}/chapter_recurrent-neural-networks/sequence.html",
    shape="one output",
)
def autoregression() -> Training:
    """The next value of a noisy sine from the four before, by linear regression in five epochs."""
    time = np.arange(1, 1001)
    series = np.sin(0.01 * time) + np.random.default_rng(0).normal(0, 0.2, 1000)
    x = np.lib.stride_tricks.sliding_window_view(series[:-1], 4).astype(np.float32)
    y = series[4:, None].astype(np.float32)
    return Training(
        lambda: _normal(nn.Linear(4, 1)),
        (x[:600], y[:600]),
        nn.MSELoss(),
        lambda parameters: optim.SGD(parameters, lr=0.01),
        lambda predict: _r_squared(predict(x[600:]), y[600:]),
        well=0.75,
        epochs=5,
        batch_size=16,
        valid=(x[600:], y[600:]),
    )


class _MatrixFactorization(nn.Module):
    """Factors of users and of items multiplied, and a bias for each, without a mean."""

    def __init__(self, factors: int, users: int, items: int) -> None:
        super().__init__()
        self.users = nn.Embedding(users, factors)
        self.items = nn.Embedding(items, factors)
        self.user_bias = nn.Embedding(users, 1)
        self.item_bias = nn.Embedding(items, 1)

    def forward(self, user: Any, item: Any) -> Any:
        match = (self.users(user) * self.items(item)).sum(1)
        return match + self.user_bias(user)[:, 0] + self.item_bias(item)[:, 0]


@healthy(
    "d2l-matrix-factorization",
    source=f"{BOOK}/chapter_recommender-systems/mf.html",
    shape="recommender",
)
def matrix_factorization() -> Training:
    """Ratings by matrix factorization, half the squared error, Adam at 0.002, from near 0."""
    train, valid = (((x[:, 0], x[:, 1]), y[:, 0]) for x, y in data.movie_ratings(count=15_000))
    return Training(
        lambda: _normal(_MatrixFactorization(30, 200, 150)),
        train,
        lambda output, target: ((output - target) ** 2).mean() / 2,
        lambda parameters: optim.Adam(parameters, lr=0.002, weight_decay=1e-5),
        lambda predict: _r_squared(predict(*valid[0]), valid[1]),
        well=0.3,
        epochs=15,
        batch_size=100,
        valid=valid,
    )


@healthy(
    "d2l-autorec",
    source=f"{BOOK}/chapter_recommender-systems/autorec.html",
    shape="autoencoder",
)
def autorec() -> Training:
    """An autoencoder of each movie's ratings by all users, where only what is rated counts."""
    pairs, given = zip(*data.movie_ratings(200, 400, 24_000), strict=True)
    seen, held_out = np.zeros((2, 400, 200), np.float32)
    for matrix, (x, y) in zip((seen, held_out), zip(pairs, given, strict=True), strict=True):
        matrix[x[:, 1], x[:, 0]] = y[:, 0]

    def loss(output: Any, target: Any) -> Any:
        return ((output * rg.sign(target) - target) ** 2).mean() / 2

    def score(predict: Any) -> float:
        there = held_out > 0
        return _r_squared(predict(seen)[there], held_out[there])

    return Training(
        lambda: _normal(
            nn.Sequential(nn.Linear(200, 200), nn.Sigmoid(), nn.Dropout(0.05), nn.Linear(200, 200))
        ),
        (seen, seen),
        loss,
        lambda parameters: optim.Adam(parameters, lr=0.002, weight_decay=1e-5),
        score,
        well=0.1,
        epochs=40,
        batch_size=50,
    )


@healthy(
    "d2l-gan-gaussian",
    source=f"{BOOK}/chapter_generative-adversarial-networks/gan.html",
    shape="GAN",
)
def gan() -> Training:
    """A generator of one linear layer learns a Gaussian against a small discriminator."""
    rng = np.random.default_rng(0)
    real = rng.normal(0, 1, (1000, 2)) @ np.array([[1, 2], [-0.1, 0.5]]) + np.array([1, 2])
    real = real.astype(np.float32)
    noise = rng.normal(0, 1, (1000, 2)).astype(np.float32)
    against: list[nn.Module] = []
    bce = nn.functional.binary_cross_entropy_with_logits

    def model() -> nn.Module:
        against[:] = [
            _normal(
                nn.Sequential(
                    nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 3), nn.Tanh(), nn.Linear(3, 1)
                ),
                std=0.02,
            )
        ]
        return _normal(nn.Linear(2, 2), std=0.02)

    def fools(output: Any, target: Any) -> Any:
        judged = against[0](output)
        return bce(judged, np.ones(judged.shape, np.float32))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        (judge,) = against
        judging = optim.Adam(judge.parameters(), lr=0.05)

        @rg.compile
        def step(x: Array, z: Array) -> None:
            ones, zeros = np.ones((len(x), 1), np.float32), np.zeros((len(x), 1), np.float32)
            judging.zero_grad()
            (bce(judge(x), ones) + bce(judge(model(z).detach()), zeros)).backward()
            judging.step()
            optimizer.zero_grad()
            fools(model(z), x).backward()
            optimizer.step()

        for _ in range(20):
            for (x,), _ in batches((real, real), 8, rng):
                step(x, rng.normal(0, 1, x.shape).astype(np.float32))

    def score(predict: Any) -> float:
        made = predict(noise)
        apart = np.abs(made.mean(0) - real.mean(0)).max() / real.std(0).min()
        spread = np.abs(np.cov(made.T) - np.cov(real.T)).max() / np.cov(real.T).max()
        return 1 - float(max(apart, spread))

    return Training(
        model,
        (noise, real),
        fools,
        lambda parameters: optim.Adam(parameters, lr=0.005),
        score,
        well=0.5,
        epochs=20,
        batch_size=8,
        fit=fit,
    )
