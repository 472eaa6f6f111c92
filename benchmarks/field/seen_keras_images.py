"""Healthy programs after Keras's code examples: images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import rmsprop, sparse_crossentropy
from collection import healthy
from data import Rows, keras_start, mnist_images, shape_images, split
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn.functional import normalize, pixel_shuffle

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


def digit_pairs(rows: Rows, seed: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """For each digit a pair with one of its class, target 1, and one with another, target 0."""
    rng = np.random.default_rng(seed)
    x, y = rows
    of_class = [np.flatnonzero(y == k) for k in range(10)]
    other = (y + rng.integers(1, 10, len(y))) % 10
    partner = [rng.choice(of_class[k]) for pair in np.stack([y, other], 1) for k in pair]
    target = np.tile(np.array([1, 0], np.float32), len(y))[:, None]
    return (np.repeat(x, 2, 0), x[partner]), target


class Siamese(nn.Module):
    """A sigmoid of the normalized distance between two tanh embeddings of raw images."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            *(nn.BatchNorm2d(1, 1e-3, 0.01), nn.Conv2d(1, 4, 5), nn.Tanh(), nn.AvgPool2d(2)),
            *(nn.Conv2d(4, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
            *(nn.BatchNorm1d(256, 1e-3, 0.01), nn.Linear(256, 10), nn.Tanh()),
        )
        self.out = nn.Sequential(nn.BatchNorm1d(1, 1e-3, 0.01), nn.Linear(1, 1), nn.Sigmoid())
        keras_start(self)

    def forward(self, left: Any, right: Any) -> rg.Tensor:
        apart = rg.square(self.embed(left) - self.embed(right)).sum(1, keepdim=True)
        return self.out(rg.sqrt(rg.clip(apart, 1e-7)))


@healthy(
    "keras-siamese-contrastive",
    source="https://keras.io/examples/vision/siamese_contrastive/",
    shape="contrastive",
)
def siamese() -> Training:
    """Pairs of digits with pixels from 0 to 255; the contrastive loss on a sigmoid; RMSprop."""
    train, valid = (digit_pairs((255 * x, y), 0) for x, y in mnist_images(900))

    def loss(output: rg.Tensor, same: Any) -> rg.Tensor:
        near = rg.square(rg.relu(1 - output))
        return ((1 - same) * rg.square(output) + same * near).mean()

    return Training(
        model=Siamese,
        train=train,
        valid=valid,
        loss=loss,
        optimizer=rmsprop(),
        score=lambda predict: np.mean((predict(*valid[0]) > 0.5) == valid[1]),
        well=0.8,
        epochs=6,
        batch_size=16,
    )


class AnchorsAndPositives(nn.Module):
    """Unit vectors (rows, 2, 8) of the anchors and of their positives."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = keras_start(
            nn.Sequential(
                *(nn.Conv2d(1, 16, 3, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU()),
                *(nn.Conv2d(32, 64, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
                nn.Linear(64, 8),
            )
        )

    def forward(self, anchors: Any, positives: Any) -> rg.Tensor:
        return rg.stack([normalize(self.embed(x), dim=1) for x in (anchors, positives)], 1)


@healthy(
    "keras-metric-learning-pairs",
    source="https://keras.io/examples/vision/metric_learning/",
    shape="contrastive",
)
def metric_learning() -> Training:
    """Batches of an anchor and a positive per class; a softmax over the anchors' similarities."""
    (x, y), (x_valid, y_valid) = mnist_images(2500)
    rng = np.random.default_rng(0)
    of_class = [np.flatnonzero(y == k) for k in range(10)]
    pairs = [rng.choice(of_class[k], 2, replace=False) for _ in range(400) for k in range(10)]
    anchors, positives = np.array(pairs).T

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        similar = rg.einsum("ae,pe->ap", output[:, 0], output[:, 1]) / 0.2
        return nn.cross_entropy(similar, target)

    def neighbours(predict: Predict) -> float:
        """How often the ten nearest images show the same digit."""
        unit = predict(x_valid, x_valid)[:, 0]
        similar = unit @ unit.T - 2 * np.eye(len(unit))
        return np.mean(y_valid[np.argsort(-similar, 1)[:, :10]] == y_valid[:, None])

    return Training(
        model=AnchorsAndPositives,
        train=((x[anchors], x[positives]), np.tile(np.arange(10), 400)),
        loss=loss,
        optimizer=adam(),
        score=neighbours,
        well=0.75,
        epochs=4,
        batch_size=10,
        shuffle=False,
    )


def separable(inputs: int, outputs: int) -> nn.Module:
    """A convolution of each channel, then one across channels, and batch normalization."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1),
        nn.BatchNorm2d(outputs, 1e-3, 0.03),
    )


def widened(inputs: int, outputs: int) -> nn.Module:
    """A rectifier, a transposed convolution and batch normalization."""
    return nn.Sequential(
        nn.ReLU(),
        nn.ConvTranspose2d(inputs, outputs, 3, padding=1),
        nn.BatchNorm2d(outputs, 1e-3, 0.03),
    )


class PetsNet(nn.Module):
    """A small U-Net in Xception's style: separable convolutions down, transposed ones up."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16, 1e-3, 0.03), nn.ReLU()
        )
        self.down = nn.Sequential(separable(16, 32), separable(32, 32), nn.MaxPool2d(3, 2, 1))
        self.down_past = nn.Conv2d(16, 32, 1, 2)
        self.ups = nn.ModuleList(
            [
                nn.Sequential(widened(n, m), widened(m, m), nn.Upsample(scale_factor=2))
                for n, m in ((32, 32), (32, 16))
            ]
        )
        self.pasts = nn.ModuleList(
            [
                nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(n, m, 1))
                for n, m in ((32, 32), (32, 16))
            ]
        )
        self.out = nn.Conv2d(16, 3, 3, padding=1)
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        x = self.entry(x)
        x = self.down(x) + self.down_past(x)
        for up, past in zip(self.ups, self.pasts, strict=True):
            x = up(x) + past(x)
        return rg.softmax(self.out(x), 1)


@healthy(
    "keras-oxford-pets-unet",
    source="https://keras.io/examples/vision/oxford_pets_image_segmentation/",
    shape="dense targets",
)
def pets_unet() -> Training:
    """The class of every pixel: object, ground or rim; images from 0 to 255; RMSprop."""
    images, _, masks = shape_images(320, 16)
    train, valid = split(255 * images, masks)
    return Training(
        model=PetsNet,
        train=train,
        valid=valid,
        loss=sparse_crossentropy,
        optimizer=rmsprop(),
        score=lambda predict: np.mean(predict(valid[0]).argmax(1) == valid[1]),
        well=0.85,
        epochs=8,
    )


class Shuffled(nn.Module):
    """Channels to pixels, three by three."""

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return pixel_shuffle(x, 3)


@healthy(
    "keras-super-resolution-subpixel",
    source="https://keras.io/examples/vision/super_resolution_sub_pixel/",
    shape="dense targets",
)
def super_resolution() -> Training:
    """Images three times as large (Shi et al. 2016): orthogonal weights, batches of 4, MSE."""
    images = shape_images(300, seed=1)[0].mean(1, keepdims=True)
    small = images.reshape(-1, 1, 8, 3, 8, 3).mean((3, 5))
    train, valid = split(small, images)

    def model() -> nn.Module:
        net = keras_start(
            nn.Sequential(
                *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU()),
                *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()),
                *(nn.Conv2d(32, 16, 3, padding=1), nn.ReLU()),
                *(nn.Conv2d(16, 9, 3, padding=1), nn.ReLU(), Shuffled()),
            )
        )
        for parameter in net.parameters():
            if parameter.ndim > 1:
                nn.init.orthogonal_(parameter)
        return net

    return Training(
        model=model,
        train=train,
        valid=valid,
        loss=nn.mse_loss,
        optimizer=adam(),
        score=lambda predict: 1 - np.square(predict(valid[0]) - valid[1]).mean() / valid[1].var(),
        well=0.85,
        epochs=20,
        batch_size=4,
        task="regression",
    )
