"""Data and settings that spoil a training: bugs reported and mended in public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import hits
from collection import faulty
from data import drawn_shapes, mnist_images, split
from training import Training

from retrograd import nn, optim
from retrograd.nn import init


@faulty(
    "borda-leaves-labels-taken-before-shuffle",
    source="https://github.com/Borda/kaggle_image-classify/pull/12",
    shape="several labels",
    faults=("the rows are shuffled after their labels were taken",),
    right=("RG307",),
)
def borda_leaves_labels_taken_before_shuffle() -> tuple[Training, Training]:
    """Diseases of leaves, several at a time, by a network with batch normalization."""
    rng = np.random.default_rng(0)
    sick = rng.random((900, 3)) < 0.35
    down, across = np.mgrid[:16, :16]
    image = rng.normal(0, 0.08, (900, 3, 16, 16)) + 0.4
    place = rng.uniform(4, 12, (2, 900, 1, 1))
    spot = np.hypot(down - place[0], across - place[1]) < 3
    image[:, 0] += 0.5 * sick[:, 0, None, None] * spot
    image[:, 1] += (
        0.3 * sick[:, 1, None, None] * ((across + rng.integers(0, 4, (900, 1, 1))) % 4 < 2)
    )
    image[:, 2] += 0.3 * sick[:, 2, None, None] * (down < place[0])
    x, y = image.astype(np.float32), sick.astype(np.float32)
    train, test = (x[:700], y[:700]), (x[700:], y[700:])

    def balanced(predict):
        guess = predict(test[0]) > 0
        kinds = [(guess[test[1] == kind] == kind).mean() for kind in (0, 1)]
        return np.mean(kinds)

    fixed = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(3, 12, 3, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(12, 24, 3, bias=False), nn.BatchNorm2d(24), nn.ReLU()),
            *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(24, 3)),
        ),
        train=train,
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=lambda parameters: optim.AdamW(parameters, 0.003),
        score=balanced,
        well=0.85,
        epochs=12,
        batch_size=32,
        valid=test,
    )
    shuffled = train[0][rng.permutation(700)], train[1]
    return replace(fixed, train=shuffled), fixed


@faulty(
    "chexpert-dropout-of-90-percent",
    source="https://github.com/Gofinge/CheXpert_Baseline_PyTorch/issues/5",
    shape="several labels",
    faults=("0.9 stands where the share to drop belongs and was meant as the share to keep",),
    right=("RG505",),
)
def chexpert_dropout_of_90_percent() -> tuple[Training, Training]:
    """Findings on an image, several at a time, by convolutions, dropout and one hidden layer."""
    rng = np.random.default_rng(0)
    y = (rng.random((900, 5)) < 0.3).astype(np.float32)
    marks = rng.normal(0, 0.5, (5, 12, 12))
    image = np.einsum("nk,khw->nhw", y, marks) + rng.normal(0, 0.8, (900, 12, 12))
    x = image[:, None].astype(np.float32)
    train, test = (x[:700], y[:700]), (x[700:], y[700:])

    def start(rate):
        return nn.Sequential(
            *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Dropout(rate), nn.Linear(200, 48), nn.ReLU(), nn.Dropout(rate), nn.Linear(48, 5)),
        )

    def area(predict):
        output = predict(test[0])
        pairs = [
            output[test[1][:, k] == 1, k][:, None] - output[test[1][:, k] == 0, k] for k in range(5)
        ]
        return np.mean([(each > 0).mean() for each in pairs])

    fixed = Training(
        model=lambda: start(0.1),
        train=train,
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=area,
        well=0.85,
        epochs=15,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, model=lambda: start(0.9)), fixed


@faulty(
    "odyssey-mobilenet-running-statistics",
    source="https://github.com/HomericIntelligence/Odyssey/issues/5543",
    shape="classes",
    faults=("the running statistics of batch normalization are never updated",),
    right=("RG507",),
)
def odyssey_mobilenet_running_statistics() -> tuple[Training, Training]:
    """MobileNet's depthwise blocks on small images; normalization keeps its first statistics."""
    train, test = split(*drawn_shapes(1000, 16))

    def block(n_in, n_out, momentum):
        return (
            *(
                nn.Conv2d(n_in, n_in, 3, padding=1, groups=n_in),
                nn.BatchNorm2d(n_in, 1e-5, momentum),
            ),
            *(
                nn.ReLU(),
                nn.Conv2d(n_in, n_out, 1),
                nn.BatchNorm2d(n_out, 1e-5, momentum),
                nn.ReLU(),
            ),
        )

    def start(momentum):
        return nn.Sequential(
            *(
                nn.Conv2d(3, 12, 3, stride=2, padding=1),
                nn.BatchNorm2d(12, 1e-5, momentum),
                nn.ReLU(),
            ),
            *(*block(12, 24, momentum), *block(24, 32, momentum), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(512, 4)),
        )

    fixed = Training(
        model=lambda: start(0.1),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, 0.02, momentum=0.9),
        score=hits(test),
        well=0.85,
        epochs=6,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, model=lambda: start(0.0)), fixed


@faulty(
    "pytorch-vision-vgg-default-learning-rate",
    source="https://github.com/pytorch/vision/pull/1998",
    shape="classes",
    faults=("the default learning rate of 0.1 for a network without batch normalization",),
    right=("RG201", "RG202"),
)
def pytorch_vision_vgg_default_learning_rate() -> tuple[Training, Training]:
    """A small VGG without normalization, SGD at the script's 0.1 with momentum and decay."""
    train, test = split(*drawn_shapes(1000, 16))

    def start():
        model = nn.Sequential(
            *(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(
                nn.Conv2d(12, 24, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(24, 24, 3, padding=1),
                nn.ReLU(),
            ),
            *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(384, 96), nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(96, 96), nn.ReLU(), nn.Dropout(0.5), nn.Linear(96, 4)),
        )
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight)
        return model

    def sgd(lr):
        return lambda parameters: optim.SGD(parameters, lr, momentum=0.9, weight_decay=1e-4)

    fixed = Training(
        model=start,
        train=train,
        loss=nn.cross_entropy,
        optimizer=sgd(0.01),
        score=hits(test),
        well=0.85,
        epochs=15,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, optimizer=sgd(0.1)), fixed


@faulty(
    "pycadl-images-divided-twice",
    source="https://github.com/pkmital/pycadl/pull/5",
    shape="autoencoder",
    faults=("the pixels are divided by 255 twice",),
    right=("RG301", "RG302"),
)
def pycadl_images_divided_twice() -> tuple[Training, Training]:
    """An autoencoder of digits with a sigmoid output, whose images are scaled twice."""
    (x, _), (test_x, _) = mnist_images(1500, 14)

    def encoder(scale):
        seen, unseen = (each.reshape(len(each), -1) / np.float32(scale) for each in (x, test_x))

        def score(predict):
            return (
                1
                - np.square(predict(unseen) - unseen).sum() / np.square(unseen - seen.mean(0)).sum()
            )

        return Training(
            model=lambda: nn.Sequential(
                *(nn.Linear(196, 96), nn.Softplus(), nn.Linear(96, 24), nn.Softplus()),
                *(nn.Linear(24, 96), nn.Softplus(), nn.Linear(96, 196), nn.Sigmoid()),
            ),
            train=(seen, seen),
            loss=nn.binary_cross_entropy,
            optimizer=lambda parameters: optim.Adam(parameters, 0.001),
            score=score,
            well=0.4,
            epochs=30,
            batch_size=64,
        )

    return encoder(255), encoder(1)
