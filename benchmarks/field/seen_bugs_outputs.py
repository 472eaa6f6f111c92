"""Outputs that do not fit their loss: bugs reported and mended in public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import fit_of
from collection import faulty
from data import beijing_weather, mnist_images, windows
from training import Training

import retrograd as rg
from retrograd import nn, optim


def hits(rows):
    """The share of right classes; the target holds class numbers or one-hot rows."""
    x, y = rows
    classes = y if y.ndim == 1 else y.argmax(1)
    return lambda predict: (predict(x).argmax(-1) == classes).mean()


@faulty(
    "cges-conv-softmax-twice",
    source="https://github.com/jaehong31/CGES/issues/1",
    shape="classes",
    faults=("the network ends in a softmax and the loss applies one again",),
    right=("RG403",),
)
def cges_conv_softmax_twice() -> tuple[Training, Training]:
    """A convolutional network on MNIST with one-hot labels, SGD, softmax in it and in the loss."""
    train, test = mnist_images(2000, 14)
    train = train[0], np.eye(10, dtype=np.float32)[train[1]]

    def start(*last):
        return nn.Sequential(
            *(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 10), *last),
        )

    fixed = Training(
        model=start,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, 0.1),
        score=hits(test),
        well=0.88,
        epochs=7,
        batch_size=20,
    )
    return replace(fixed, model=lambda: start(nn.Softmax(-1))), fixed


@faulty(
    "agg-net-depth-behind-sigmoid",
    source="https://github.com/htx0601/AGG-Net/issues/4",
    shape="dense targets",
    faults=("depths go up to 10 and the last layer is a sigmoid",),
    right=("RG404", "RG302"),
)
def agg_net_depth_behind_sigmoid() -> tuple[Training, Training]:
    """A depth from 0 to 10 at each pixel from a grey image and sparse depths, L1 loss, Adam."""
    rng = np.random.default_rng(0)
    tilt = rng.uniform(-1, 1, (2, 400, 1, 1))
    down, across = np.mgrid[-1:1:20j, -1:1:20j]
    depth = 5 + 2 * tilt[0] * down + 2 * tilt[1] * across
    step = np.hypot(down - tilt[0] / 2, across - tilt[1] / 2) < 0.4
    depth = (depth - 2.5 * step)[:, None].astype(np.float32)
    sparse = depth * (rng.random(depth.shape) < 0.1)
    grey = 1 - depth / 12 + rng.normal(0, 0.03, depth.shape)
    x = np.concatenate([grey, sparse], 1).astype(np.float32)
    train, test = (x[:320], depth[:320]), (x[320:], depth[320:])

    def start(*last):
        return nn.Sequential(
            *(
                nn.Conv2d(2, 12, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(12, 12, 3, padding=1),
                nn.ReLU(),
            ),
            *(nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 1, 1), *last),
        )

    class Tenfold(nn.Module):
        def forward(self, x):
            return 10 * rg.sigmoid(x)

    fixed = Training(
        model=lambda: start(Tenfold()),
        train=train,
        loss=nn.l1_loss,
        optimizer=lambda parameters: optim.Adam(parameters, 0.003),
        score=fit_of(test),
        well=0.7,
        epochs=12,
        batch_size=16,
        valid=test,
    )
    return replace(fixed, model=lambda: start(nn.Sigmoid())), fixed


@faulty(
    "ml-training-forecast-broadcast",
    source="https://github.com/jsboige/CoursIA/pull/926",
    shape="sequence",
    faults=("outputs (rows, 1) meet targets (rows,) in the mean squared error",),
    right=("RG405",),
)
def ml_training_forecast_broadcast() -> tuple[Training, Training]:
    """The next temperature from a window of six measurements by a GRU; the loss broadcasts."""
    weather = beijing_weather(6)
    weather = (weather - weather.mean(0)) / weather.std(0)
    x, ahead = windows(weather, 12)
    y = ahead[:, 0, 0]
    cut = int(0.75 * len(y))
    train, test = (x[:cut], y[:cut]), (x[cut:], y[cut:])

    class Forecaster(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru, self.last = nn.GRU(6, 24, batch_first=True), nn.Linear(24, 1)

        def forward(self, x):
            return self.last(self.gru(x)[0][:, -1])

    fixed = Training(
        model=Forecaster,
        train=train,
        loss=lambda output, target: ((output[:, 0] - target) ** 2).mean(),
        optimizer=lambda parameters: optim.Adam(parameters, 0.002),
        score=fit_of(test),
        well=0.8,
        epochs=5,
        batch_size=64,
        valid=test,
    )
    return replace(fixed, loss=lambda output, target: ((output - target) ** 2).mean()), fixed
