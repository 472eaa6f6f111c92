"""Programs that compare or rank rows, hold margins or mask weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import digits, mixed_mnist
from sklearn.datasets import make_blobs
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]


class Pairs(nn.Module):
    """Two images -> the distance of their codes."""

    def __init__(self) -> None:
        super().__init__()
        self.code = nn.Sequential(
            nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 5)
        )

    def forward(self, one: Any, other: Any) -> rg.Tensor:
        return rg.sqrt(((self.code(one) - self.code(other) + 1e-6) ** 2).sum(1))


@healthy(
    "harveyslash-siamese-contrastive",
    source="https://github.com/harveyslash/Facial-Similarity-with-Siamese-Networks-in-Pytorch",
    shape="contrastive",
)
def siamese_contrastive() -> Training:
    """Pairs of images, alike (0) or not (1): the contrastive loss with a margin of 2, by hand."""

    def pairs(
        rows: tuple[Array, Array], count: int, seed: int
    ) -> tuple[tuple[Array, Array], Array]:
        x, y = rows
        rng = np.random.default_rng(seed)
        first, differs = rng.integers(0, len(y), count), rng.integers(0, 2, count)
        second = [
            rng.choice(np.flatnonzero((y != y[i]) if apart else (y == y[i])))
            for i, apart in zip(first, differs, strict=True)
        ]
        return (x[first], x[np.array(second)]), differs.astype(np.float32)

    train, valid = (
        pairs(rows, count, 0) for rows, count in zip(digits(), (3200, 600), strict=True)
    )

    def loss(distance: Any, differs: Any) -> Any:
        differs = rg.Tensor(differs)
        near, far = (1 - differs) * distance**2, differs * rg.clip(2.0 - distance, 0.0) ** 2
        return (near + far).mean()

    return Training(
        model=Pairs,
        train=train,
        loss=loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.0005),
        score=lambda predict: float(((predict(*valid[0]) > 1) == (valid[1] > 0.5)).mean()),
        well=0.9,
        epochs=25,
        batch_size=64,
    )


class ConvCodes(nn.Module):
    """Images -> codes of width 32."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout2d(0.25),
            nn.Flatten(),
            nn.Linear(400, 32),
        )

    def forward(self, x: Any) -> rg.Tensor:
        return self.net(x)


def mined_triplets(output: Any, classes: Any) -> Any:
    """The triplet loss by cosines, margin 0.2, over all that break it, averaged over those."""
    output, classes = nn.functional.normalize(output), rg.Tensor(classes)
    alike = output @ output.T
    same = (rg.unsqueeze(classes, 1) == rg.unsqueeze(classes, 0)).astype("float32")
    counts = rg.unsqueeze(same, 2) * rg.unsqueeze(1 - same, 1)
    losses = rg.relu(rg.unsqueeze(alike, 1) - rg.unsqueeze(alike, 2) + 0.2) * counts
    return losses.sum() / rg.maximum((losses > 0).astype("float32").sum(), 1.0)


@healthy(
    "metric-learning-mnist-triplet",
    source="https://github.com/KevinMusgrave/pytorch-metric-learning/blob/master/examples/notebooks/TripletMarginLossMNIST.ipynb",
    shape="contrastive",
)
def metric_learning_triplet() -> Training:
    """Codes of digits by mined triplets, rated by the nearest training image."""
    train, valid = (
        (((x[:, None] - 0.1307) / 0.3081).astype(np.float32), y) for x, y in mixed_mnist(1920)
    )

    def score(predict: Predict) -> float:
        """The share of validation images whose nearest training image is of their class."""
        codes = [predict(x) for x, _ in (train, valid)]
        given, found = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in codes)
        return float((train[1][(found @ given.T).argmax(1)] == valid[1]).mean())

    return Training(
        model=ConvCodes,
        train=train,
        loss=mined_triplets,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.01),
        score=score,
        well=0.85,
        epochs=6,
        batch_size=64,
        valid=valid,
    )


class MADE(nn.Module):
    """Binary pixels -> their logits, each from the pixels before it: weights masked by order."""

    def __init__(self, pixels: int, hidden: int) -> None:
        super().__init__()
        rng = np.random.default_rng(1)
        order, units = np.arange(pixels), rng.integers(0, pixels - 1, (2, hidden))
        self.layers = nn.ModuleList(
            [nn.Linear(pixels, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, pixels)]
        )
        seen = units[0][:, None] >= order, units[1][:, None] >= units[0], order[:, None] > units[1]
        self.masks = [each.astype(np.float32) for each in seen]

    def forward(self, x: Any) -> rg.Tensor:
        x = rg.Tensor(x)
        for i, (layer, mask) in enumerate(zip(self.layers, self.masks, strict=True)):
            x = nn.functional.linear(x, layer.weight * mask, layer.bias)
            x = rg.relu(x) if i < 2 else x
        return x


@healthy("karpathy-made", source="https://github.com/karpathy/pytorch-made", shape="several labels")
def made() -> Training:
    """The likelihood of binary digits as a product over pixels, each given those before it."""
    (x, _), (x_valid, _) = digits()
    x, x_valid = (x > 0.4).astype(np.float32), (x_valid > 0.4).astype(np.float32)

    def score(predict: Predict) -> float:
        """Nats an image that are saved against the share of ones at each pixel."""
        share = x.mean(0).clip(1e-3, 1 - 1e-3)
        base = (x_valid * np.log(share) + (1 - x_valid) * np.log(1 - share)).sum(1).mean()
        logits = predict(x_valid)
        return float((x_valid * logits - np.logaddexp(0, logits)).sum(1).mean() - base)

    def loss(output: Any, target: Any) -> Any:
        return nn.binary_cross_entropy_with_logits(output, target, reduction="sum") / len(output)

    return Training(
        model=lambda: MADE(64, 200),
        train=(x, x),
        loss=loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-3, weight_decay=1e-4),
        score=score,
        well=5.0,
        epochs=60,
        batch_size=100,
        valid=(x_valid, x_valid),
    )


@healthy(
    "svm-pytorch-linear-hinge",
    source="https://github.com/kazuto1011/svm-pytorch",
    shape="hinge",
)
def linear_svm() -> Training:
    """A linear support vector machine on two standardized blobs: hinge loss, labels -1 and 1."""
    x, y = make_blobs(500, centers=2, random_state=0, cluster_std=0.4)
    x = ((x - x.mean()) / x.std()).astype(np.float32)
    y = np.where(y == 0, -1, 1).astype(np.float32)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(2, 1), nn.Flatten(0, 1)),
        train=(x, y),
        loss=lambda output, target: rg.clip(1 - rg.Tensor(target) * output, 0.0).mean(),
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.1, weight_decay=0.01),
        score=lambda predict: float(((predict(x) > 0) == (y > 0)).mean()),
        well=0.97,
        epochs=10,
        batch_size=5,
    )
