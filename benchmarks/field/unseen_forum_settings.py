"""Questions of users about settings: weight decay, normalization, a forgotten activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from building import accuracy, adam
from collection import faulty
from data import shape_masks, split
from sklearn import datasets
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]


def explained(rows: tuple[Any, Array]) -> Callable[[Predict], float]:
    """The share of the target's variance in `rows` that the output explains."""
    return lambda predict: float(1 - ((predict(rows[0]) - rows[1]) ** 2).mean() / rows[1].var())


@faulty(
    "caffe-1396-weight-decay",
    source="https://github.com/BVLC/caffe/issues/1396",
    shape="numbers",
    faults=("a weight decay of 0.5",),
    right=("RG215",),
)
def weight_decay() -> Pair:
    """The place of a joint in an image by convolutions, which is the same for all images."""
    rng = np.random.default_rng(0)
    middle = rng.uniform(3, 13, (800, 2))
    down, across = np.mgrid[:16, :16]
    away = np.hypot(down - middle[:, :1, None], across - middle[:, 1:, None])
    x = (np.exp(-away / 2) + rng.normal(0, 0.05, away.shape))[:, None].astype(np.float32)
    train, valid = split(x, ((middle - 8) / 3).astype(np.float32))

    def sgd(decay: float) -> Callable[[Iterator[nn.Parameter]], optim.Optimizer]:
        return lambda parameters: optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=decay)

    wrong = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(288, 64)),
            *(nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 2)),
        ),
        train=train,
        valid=valid,
        loss=nn.mse_loss,
        optimizer=sgd(0.5),
        score=explained(valid),
        well=0.85,
        epochs=20,
    )
    return wrong, replace(wrong, optimizer=sgd(0.0005))


@faulty(
    "tacotron-19-batchnorm-momentum",
    source="https://github.com/r9y9/tacotron_pytorch/issues/19",
    shape="sequence",
    faults=("a momentum of 0.99 for the running statistics, after TensorFlow's convention",),
    right=("RG507",),
)
def batch_norm_momentum() -> Pair:
    """Frames of speech by convolutions with batch normalization; evaluation keeps one batch."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 800)
    sounds = rng.normal(size=(4, 16, 20))
    loudness = rng.normal(0, 1.5, (800, 1, 1)) + rng.normal(0, 1, (800, 16, 1))
    x = (sounds[y] + loudness + rng.normal(0, 1.5, (800, 16, 20))).astype(np.float32)
    train, valid = split(x, y)

    def model(momentum: float) -> Callable[[], nn.Module]:
        return lambda: nn.Sequential(
            *(nn.Conv1d(16, 24, 3, padding=1), nn.ReLU()),
            nn.BatchNorm1d(24, eps=1e-3, momentum=momentum),
            *(nn.Conv1d(24, 24, 3, padding=1), nn.ReLU()),
            nn.BatchNorm1d(24, eps=1e-3, momentum=momentum),
            *(nn.AdaptiveAvgPool1d(5), nn.Flatten(), nn.Linear(120, 4)),
        )

    wrong = Training(
        model=model(0.99),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(0.002),
        score=accuracy(valid),
        well=0.9,
        epochs=12,
        batch_size=4,
    )
    return wrong, replace(wrong, model=model(0.01))


@faulty(
    "3dunet-53-batchnorm-of-one-image",
    source="https://github.com/wolny/pytorch-3dunet/issues/53",
    shape="dense targets",
    faults=("batch normalization in batches of one image, whose statistics fit no other",),
    right=("RG507", "RG209"),
)
def batch_norm_of_one_image() -> Pair:
    """The class of each pixel in images of very different contrast, one image a batch."""
    x, masks = shape_masks(300)
    rng = np.random.default_rng(0)
    contrast = np.exp(rng.normal(0, 1.2, (300, 1, 1, 1)))
    x = (contrast * (x + rng.normal(0, 1, (300, 1, 1, 1)))).astype(np.float32)
    train, valid = split(x, masks)

    def model(normalized: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        return lambda: nn.Sequential(
            *(nn.Conv2d(1, 16, 3, padding=1), normalized(), nn.ReLU()),
            *(nn.Conv2d(16, 16, 3, padding=1), normalized(), nn.ReLU()),
            nn.Conv2d(16, 3, 1),
        )

    wrong = Training(
        model=model(lambda: nn.BatchNorm2d(16)),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(0.003),
        score=accuracy(valid),
        well=0.9,
        epochs=6,
        batch_size=1,
    )
    return wrong, replace(wrong, model=model(lambda: nn.GroupNorm(4, 16)))


@faulty(
    "nuscenes-728-no-activation",
    source="https://github.com/nutonomy/nuscenes-devkit/issues/728",
    shape="numbers",
    faults=("two linear layers with nothing between them",),
    right=("RG109",),
)
def no_activation() -> Pair:
    """The next six places of a car from its speed, its turn and what an image says."""
    rng = np.random.default_rng(0)
    speed, turn = rng.uniform(0, 2, 1500), rng.uniform(-1.5, 1.5, 1500)
    angle = turn[:, None] * np.arange(1, 7) / 3
    steps = speed[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], 2)
    path = steps.cumsum(1).reshape(1500, 12).astype(np.float32)
    features = np.column_stack([speed, turn, rng.normal(size=(1500, 10))]).astype(np.float32)
    train, valid = split(features, path)

    def model(*between: nn.Module) -> Callable[[], nn.Module]:
        return lambda: nn.Sequential(nn.Linear(12, 128), *between, nn.Linear(128, 12))

    wrong = Training(
        model=model(),
        train=train,
        valid=valid,
        loss=nn.mse_loss,
        optimizer=adam(0.003),
        score=explained(valid),
        well=0.93,
        epochs=30,
    )
    return wrong, replace(wrong, model=model(nn.ReLU()))


@faulty(
    "vsepp-4-stays-in-eval",
    source="https://github.com/fartashf/vsepp/issues/4",
    shape="own loop",
    faults=("after the first validation the model is never set back to training mode",),
    right=("RG218", "RG507"),
)
def stays_in_eval() -> Pair:
    """Measured features through batch normalization; validation comes before the first step."""
    x, y = datasets.load_wine(return_X_y=True)
    train, valid = split(x.astype(np.float32), y.astype(np.int64))

    def loop(back: bool) -> Callable[[nn.Module, optim.Optimizer, np.random.Generator], None]:
        def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
            @rg.compile
            def step(x: Any, target: Any) -> Any:
                optimizer.zero_grad()
                loss = nn.cross_entropy(model(x), target)
                loss.backward()
                optimizer.step()
                return loss

            for _ in range(60):
                model.eval()
                with rg.no_grad():
                    nn.cross_entropy(model(valid[0]), valid[1])
                if back:
                    model.train()
                for (inputs,), target in batches(train, 16, rng):
                    step(inputs, target)

        return fit

    wrong = Training(
        model=lambda: nn.Sequential(
            *(nn.BatchNorm1d(13), nn.Linear(13, 32), nn.ReLU(), nn.Dropout(0.2)),
            nn.Linear(32, 3),
        ),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(0.005),
        score=accuracy(valid),
        well=0.93,
        epochs=60,
        batch_size=16,
        fit=loop(False),
    )
    return wrong, replace(wrong, fit=loop(True))
