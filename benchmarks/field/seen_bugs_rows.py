"""Data and settings that spoil a training: bugs reported and mended in public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import hits
from collection import faulty
from data import drawn_shapes, split
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim


@faulty(
    "disco-faces-one-class-after-the-other",
    source="https://github.com/epfml/disco/issues/288",
    shape="classes",
    faults=("the rows stand class by class and are never shuffled",),
    right=("RG217",),
)
def disco_faces_one_class_after_the_other() -> tuple[Training, Training]:
    """Four kinds of images, all of one kind before the next, by a small network with Adam."""
    train, test = split(*drawn_shapes(1200, 16))
    order = np.argsort(train[1], kind="stable")
    train = train[0][order], train[1][order]
    fixed = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(3, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(600, 48), nn.ReLU(), nn.Linear(48, 4)),
        ),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=hits(test),
        well=0.85,
        epochs=12,
        batch_size=30,
        valid=test,
    )
    return replace(fixed, shuffle=False), fixed


@faulty(
    "cntk-housing-nothing-scaled",
    source="https://github.com/microsoft/CNTK/issues/699",
    shape="one output",
    faults=(
        "neither the features nor the prices are scaled",
        "the learning rate does not fit such numbers",
    ),
    right=("RG301", "RG302", "RG201"),
)
def cntk_housing_nothing_scaled() -> tuple[Training, Training]:
    """Housing prices from 13 features by one wide layer; the squared error ends as no number."""
    rng = np.random.default_rng(0)
    scale = np.array([9, 23, 7, 0.25, 0.12, 0.7, 28, 2, 9, 170, 2, 91, 7])
    offset = np.array([4, 11, 11, 0.07, 0.55, 6.3, 69, 3.8, 10, 408, 18, 357, 13])
    inner = rng.normal(size=(506, 13))
    price = 22 + 6 * inner[:, 5] - 5 * inner[:, 12] - 2 * inner[:, 7] * (inner[:, 4] > 0)
    price = (price + rng.normal(0, 2, 506))[:, None].astype(np.float32)
    raw = (offset + scale * inner).astype(np.float32)

    def housing(x, y, lr):
        train, test = split(x, y)
        return Training(
            model=lambda: nn.Sequential(nn.Linear(13, 200), nn.ReLU(), nn.Linear(200, 1)),
            train=train,
            loss=nn.mse_loss,
            optimizer=lambda parameters: optim.SGD(parameters, lr, momentum=0.9),
            score=lambda predict: 1 - np.square(predict(test[0]) - test[1]).mean() / test[1].var(),
            well=0.75,
            epochs=30,
            batch_size=16,
        )

    standard = (price - price.mean()) / price.std()
    return housing(raw, price, 0.005), housing((raw - raw.mean(0)) / raw.std(0), standard, 0.01)


@faulty(
    "senpai-every-step-clipped",
    source="https://github.com/wandb/senpai/pull/978",
    shape="numbers",
    faults=(
        "the gradient's norm is clipped at a twentieth of its usual size, so that every step is",
    ),
    right=("RG211",),
)
def senpai_every_step_clipped() -> tuple[Training, Training]:
    """Fields around a wing from its shape; all steps of plain gradient descent are clipped."""
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(1000, 6)).astype(np.float32)
    flow = np.stack([np.sin(shape[:, 0]) + shape[:, 1], shape[:, 2] * shape[:, 3], shape[:, 4]], 1)
    train, test = split(shape, (3 * flow).astype(np.float32))

    def clipped(limit):
        def fit(model, optimizer, rng):
            @rg.compile
            def step(x, y):
                optimizer.zero_grad()
                nn.mse_loss(model(x), y).backward()
                nn.utils.clip_grad_norm_(model.parameters(), limit)
                optimizer.step()

            for _ in range(40):
                for (x,), y in batches(train, 32, rng):
                    step(x, y)

        return fit

    fixed = Training(
        model=lambda: nn.Sequential(
            *(nn.Linear(6, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 3))
        ),
        train=train,
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.SGD(parameters, 0.02),
        score=lambda predict: 1 - np.square(predict(test[0]) - test[1]).mean() / test[1].var(),
        well=0.85,
        valid=test,
        fit=clipped(20.0),
    )
    return replace(fixed, fit=clipped(0.05)), fixed
