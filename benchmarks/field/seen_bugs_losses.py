"""Losses written by hand: bugs reported and mended in public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from collection import faulty
from data import digits, ratings, shape_masks, split
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init


@faulty(
    "easytorch-dice-not-subtracted",
    source="https://github.com/sraashis/easytorch/pull/38",
    shape="dense targets",
    faults=("the Dice coefficient itself is minimized, not 1 less it",),
    right=("RG407",),
)
def easytorch_dice_not_subtracted() -> tuple[Training, Training]:
    """A mask of one bright object by a small network of convolutions and the Dice coefficient."""
    x, masks = shape_masks(320, 20)
    y = (masks == 2).astype(np.float32)[:, None]
    train, test = (x[:260], y[:260]), (x[260:], y[260:])

    def dice(output, target):
        p = rg.sigmoid(output)
        return (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)

    def score(predict):
        p = predict(test[0]) > 0
        return 2 * (p * test[1]).sum() / (p.sum() + test[1].sum() + 1e-9)

    fixed = Training(
        model=lambda: nn.Sequential(
            *(
                nn.Conv2d(1, 12, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(12, 12, 3, padding=1),
                nn.ReLU(),
            ),
            *(nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 1, 1)),
        ),
        train=train,
        loss=lambda output, target: 1 - dice(output, target),
        optimizer=lambda parameters: optim.Adam(parameters, 0.005),
        score=score,
        well=0.75,
        epochs=8,
        batch_size=16,
        valid=test,
    )
    return replace(fixed, loss=dice), fixed


@faulty(
    "focal-loss-keras-log-of-zero",
    source="https://github.com/mkocabas/focal-loss-keras/issues/17",
    shape="one output",
    faults=(
        "the focal loss takes the logarithm of probabilities that reach 0",
        "amounts that are not scaled",
    ),
    right=("RG602", "RG603", "RG301"),
)
def focal_loss_keras_log_of_zero() -> tuple[Training, Training]:
    """A rare fraud among payments by a small network and Keras' focal loss without its epsilon."""
    rng = np.random.default_rng(0)
    fraud = rng.random(2000) < 0.08
    x = rng.normal(size=(2000, 8)) + 1.2 * fraud[:, None] * np.array([1, -1, 1, 0, 0, 1, 0, 1])
    raw = x * np.array([300, 1, 50, 1, 20, 1, 1, 5]) + np.array([500, 0, 40, 0, 50, 0, 0, 10])
    y = fraud[:, None].astype(np.float32)

    def focal(output, target, epsilon=0.0):
        hit = rg.where(target == 1, output, 1.0)
        miss = rg.where(target == 0, output, 0.0)
        found = 0.25 * (1 - hit) ** 2 * rg.log(hit + epsilon)
        clear = 0.75 * miss**2 * rg.log(1 - miss + epsilon)
        return -(found + clear).sum()

    def training(inputs, epsilon):
        (x, y_train), (test_x, test_y) = split(inputs.astype(np.float32), y)

        def area(predict):
            value = predict(test_x)[:, 0]
            pairs = value[test_y[:, 0] == 1][:, None] - value[test_y[:, 0] == 0]
            return ((pairs > 0) + 0.5 * (pairs == 0)).mean()

        return Training(
            model=lambda: nn.Sequential(
                *(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU()),
                *(nn.Linear(16, 1), nn.Sigmoid()),
            ),
            train=(x, y_train),
            loss=lambda output, target: focal(output, target, epsilon),
            optimizer=lambda parameters: optim.Adam(parameters, 0.001),
            score=area,
            well=0.9,
            epochs=15,
            batch_size=64,
        )

    return training(raw, 0.0), training((raw - raw.mean(0)) / raw.std(0), 1e-7)


@faulty(
    "keras-siamese-similar-and-dissimilar-swapped",
    source="https://github.com/keras-team/keras/issues/16935",
    shape="contrastive",
    faults=("the labels say 1 for a pair of one class, and the loss is the one for 0",),
    right=("RG407", "RG401"),
)
def keras_siamese_similar_and_dissimilar_swapped() -> tuple[Training, Training]:
    """Twin networks on pairs of digits with the contrastive loss of Hadsell, Chopra and LeCun."""
    (x, y), (test_x, test_y) = digits()
    rng = np.random.default_rng(0)

    def paired(x, y, rows):
        first = rng.integers(0, len(y), rows)
        other = [
            rng.choice(np.flatnonzero((y == y[i]) == (k % 2 == 0))) for k, i in enumerate(first)
        ]
        return (x[first], x[other]), (y[first] == y[other])[:, None].astype(np.float32)

    train, test = paired(x, y, 3000), paired(test_x, test_y, 800)

    class Twins(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))

        def forward(self, first, second):
            apart = ((self.embed(first) - self.embed(second)) ** 2).sum(1, keepdims=True)
            return rg.sqrt(rg.maximum(apart, 1e-7))

    def contrast(distance, near):
        return (near * distance**2 + (1 - near) * rg.relu(1 - distance) ** 2).mean()

    fixed = Training(
        model=Twins,
        train=train,
        loss=contrast,
        optimizer=lambda parameters: optim.RMSprop(parameters, 0.001),
        score=lambda predict: ((predict(*test[0]) < 0.5) == test[1]).mean(),
        well=0.85,
        epochs=12,
        batch_size=16,
        valid=test,
    )
    return replace(fixed, loss=lambda output, target: contrast(output, 1 - target)), fixed


@faulty(
    "helmholtz-mixed-derivatives",
    source="https://github.com/prateekbhustali/Physics-Informed-Neural-Networks/issues/4",
    shape="physics-informed",
    faults=("the Laplacian holds the mixed derivative twice",),
    right=(),
)
def helmholtz_mixed_derivatives() -> tuple[Training, Training]:
    """Helmholtz' equation on a square by a sine network, derivatives written out; walls at 0."""
    rng = np.random.default_rng(0)
    inside = rng.uniform(-1, 1, (900, 2)).astype(np.float32)
    walls = rng.uniform(-1, 1, (300, 2))
    walls[np.arange(300), rng.integers(0, 2, 300)] = rng.choice([-1, 1], 300)
    points = np.vstack([inside, walls.astype(np.float32)])

    def true(points):
        return np.sin(np.pi * points[:, 0]) * np.sin(np.pi * points[:, 1])

    source = (1 - 2 * np.pi**2) * true(points)
    wall = np.arange(len(points)) >= 900
    target = np.stack([source, wall], 1).astype(np.float32)

    class Field(nn.Module):
        def __init__(self, mixed):
            super().__init__()
            self.mixed = mixed
            self.first, self.last = nn.Linear(2, 64), nn.Linear(64, 1, bias=False)
            init.normal_(self.first.weight, std=2.5)

        def forward(self, points):
            wave = rg.sin(self.first(points))
            along, across = self.first.weight[:, 0], self.first.weight[:, 1]
            square = along**2 + across**2 + self.mixed * along * across
            return rg.concatenate([self.last(wave), self.last(-wave * square)], 1)

    def loss(output, target):
        value, bend = output[:, 0], output[:, 1]
        wrong = (bend + value - target[:, 0]) * (1 - target[:, 1])
        return (wrong**2).mean() / 10 + 10 * ((value * target[:, 1]) ** 2).mean()

    fixed = Training(
        model=lambda: Field(0),
        train=(points, target),
        loss=loss,
        optimizer=lambda parameters: optim.Adam(parameters, 0.005),
        score=lambda predict: (
            1 - np.square(predict(inside)[:, 0] - true(inside)).mean() / true(inside).var()
        ),
        well=0.95,
        epochs=150,
        batch_size=300,
    )
    return replace(fixed, model=lambda: Field(2)), fixed


@faulty(
    "surprise-factors-all-start-equal",
    source="https://github.com/NicolasHug/Surprise/issues/22",
    shape="recommender",
    faults=("all factors of users and items start at 0.1 and stay equal",),
    right=("RG106",),
)
def surprise_factors_all_start_equal() -> tuple[Training, Training]:
    """Funk's matrix factorization: mean, biases and products of factors, SGD on squared errors."""
    user, film, rating = ratings(6000)
    pairs, cut = np.stack([user, film], 1), 5000
    middle = float(rating[:cut].mean())

    class Factors(nn.Module):
        def __init__(self, std):
            super().__init__()
            self.user, self.film = nn.Embedding(120, 10), nn.Embedding(150, 10)
            self.user_bias, self.film_bias = nn.Embedding(120, 1), nn.Embedding(150, 1)
            for layer in (self.user, self.film):
                init.normal_(layer.weight, 0.1 if std == 0 else 0.0, std)
            for layer in (self.user_bias, self.film_bias):
                init.zeros_(layer.weight)

        def forward(self, pairs):
            user, film = pairs[:, 0], pairs[:, 1]
            product = (self.user(user) * self.film(film)).sum(1)
            return middle + self.user_bias(user)[:, 0] + self.film_bias(film)[:, 0] + product

    def score(predict):
        wrong = np.square(predict(pairs[cut:]) - rating[cut:]).mean()
        return 1 - wrong / rating[cut:].var()

    fixed = Training(
        model=lambda: Factors(0.1),
        train=(pairs[:cut], rating[:cut]),
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.SGD(parameters, 0.3),
        score=score,
        well=0.45,
        epochs=60,
        batch_size=32,
    )
    return replace(fixed, model=lambda: Factors(0.0)), fixed
