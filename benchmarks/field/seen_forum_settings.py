"""Questions of users about settings and data: rates, order, missing numbers, modes, few rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from building import accuracy, adam, sgd
from collection import faulty
from data import cited_papers, mnist_images, split
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]


@faulty(
    "mcfly-43-high-learning-rate",
    source="https://github.com/NLeSC/mcfly/issues/43",
    shape="classes",
    faults=("a learning rate of 0.1 for Adam",),
    right=("RG201", "RG202", "RG205"),
)
def high_learning_rate() -> Pair:
    """Six activities from the movement of a wrist, by four convolutions; the loss stands still."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 6, 900)
    speed = np.array([0.02, 0.02, 0.06, 0.06, 0.12, 0.12])[y, None, None]
    turn = np.array([0.0, 1.5, 0.0, 1.5, 0.0, 1.5])[y, None, None] * np.arange(3)[:, None]
    phase = rng.uniform(0, 6.3, (900, 1, 1))
    x = np.sin(2 * np.pi * speed * np.arange(64) + turn + phase)
    x = (x + rng.normal(0, 0.7, x.shape)).astype(np.float32)
    train, valid = split(x, y)

    def model() -> nn.Module:
        layers: list[nn.Module] = []
        for before, after in ((3, 16), (16, 16), (16, 24), (24, 24)):
            layers += [nn.Conv1d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(96, 64), nn.ReLU(), nn.Linear(64, 6))

    wrong = Training(
        model=model,
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(0.1),
        score=accuracy(valid),
        well=0.85,
        epochs=10,
    )
    return wrong, replace(wrong, optimizer=adam(0.002))


@faulty(
    "mxnet-4220-sorted-records",
    source="https://github.com/apache/mxnet/issues/4220",
    shape="classes",
    faults=("the list of images is sorted by class and read in that order",),
    right=("RG217",),
)
def sorted_records() -> Pair:
    """Images of ten classes from a record file, packed class after class."""
    (x, y), valid = mnist_images(2500, 14)
    order = np.argsort(y, kind="stable")
    wrong = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10)),
        ),
        train=(x[order], y[order]),
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=sgd(0.05, momentum=0.9),
        score=accuracy(valid),
        well=0.9,
        epochs=6,
        shuffle=False,
    )
    shuffled = np.random.default_rng(0).permutation(len(y))
    return wrong, replace(wrong, train=(x[shuffled], y[shuffled]))


@faulty(
    "srcnn-24-low-learning-rate",
    source="https://github.com/tegg89/SRCNN-Tensorflow/issues/24",
    shape="dense targets",
    faults=("a learning rate of 0.0001 for plain gradient descent",),
    right=("RG203", "RG204", "RG216"),
)
def low_learning_rate() -> Pair:
    """Sharp images from blurred ones by three convolutions; the loss drops by a few per cent."""
    (sharp, _), (sharp_valid, _) = mnist_images(400)

    def blurred(images: Array) -> Array:
        coarse = images.reshape(-1, 1, 14, 2, 14, 2).mean((3, 5))
        return coarse.repeat(2, 2).repeat(2, 3)

    def score(predict: Predict) -> float:
        left = (predict(blurred(sharp_valid)) - sharp_valid) ** 2
        return float(1 - left.mean() / ((blurred(sharp_valid) - sharp_valid) ** 2).mean())

    def model() -> nn.Module:
        built = nn.Sequential(
            *(nn.Conv2d(1, 16, 9, padding=4), nn.ReLU(), nn.Conv2d(16, 8, 1), nn.ReLU()),
            nn.Conv2d(8, 1, 5, padding=2),
        )
        for parameter in built.parameters():
            if parameter.ndim == 1:
                nn.init.zeros_(parameter)
            else:
                nn.init.normal_(parameter, std=0.05)
        return built

    wrong = Training(
        model=model,
        train=(blurred(sharp), sharp),
        valid=(blurred(sharp_valid), sharp_valid),
        loss=nn.mse_loss,
        optimizer=sgd(1e-4),
        score=score,
        well=0.2,
        epochs=12,
        batch_size=16,
    )
    return wrong, replace(wrong, optimizer=adam(0.003))


@faulty(
    "keras-gat-14-nan-features",
    source="https://github.com/danielegrattarola/keras-gat/issues/14",
    shape="other",
    faults=("papers without words are divided by their sum of 0, which gives NaN",),
    right=("RG601",),
)
def nan_features() -> Pair:
    """Papers in four fields from their words and those of the papers that they cite."""
    bags, graph, fields = cited_papers(700)
    words = (bags > 0) * (np.arange(700) % 40 > 0)[:, None]
    order = np.random.default_rng(0).permutation(700)

    def network(bag: Array) -> Training:
        near = np.stack([bag[each > 0].mean(0) for each in graph])
        x = (10 * np.hstack([bag, near])[order]).astype(np.float32)
        valid = x[500:], fields[order][500:]
        return Training(
            model=lambda: nn.Sequential(
                nn.Linear(192, 32), nn.ELU(), nn.Dropout(0.4), nn.Linear(32, 4)
            ),
            train=(x[:500], fields[order][:500]),
            valid=valid,
            loss=nn.cross_entropy,
            optimizer=adam(0.01),
            score=accuracy(valid),
            well=0.8,
            epochs=80,
        )

    with np.errstate(invalid="ignore"):
        shares = words / words.sum(1, keepdims=True)
    return network(shares), network(np.nan_to_num(shares))


@faulty(
    "keras-8471-few-images",
    source="https://github.com/keras-team/keras/issues/8471",
    shape="classes",
    faults=("a few hundred images for a network of many weights", "far too many epochs"),
    right=("RG501", "RG502"),
)
def few_images() -> Pair:
    """On which of six places of a photograph the wanted wrench lies: good on training rows only."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 6, 650)
    x = rng.normal(0, 1, (650, 1, 12, 24))
    for image, place in zip(x, y, strict=True):
        down = rng.integers(1, 8)
        image[0, down : down + 4, 4 * place + 1 : 4 * place + 3] += 1.4
    x = x.astype(np.float32)
    valid = x[250:], y[250:]
    wrong = Training(
        model=lambda: nn.Sequential(
            *(nn.Flatten(), nn.Linear(288, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()),
            nn.Linear(256, 6),
        ),
        train=(x[:250], y[:250]),
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(0.001),
        score=accuracy(valid),
        well=0.8,
        epochs=60,
        batch_size=8,
    )
    right = replace(
        wrong,
        model=lambda: nn.Sequential(
            *(nn.Conv2d(1, 6, (4, 2)), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 6)), nn.Flatten()),
            *(nn.Dropout(0.2), nn.Linear(36, 6)),
        ),
        optimizer=lambda parameters: optim.AdamW(parameters, lr=0.005, weight_decay=0.05),
        epochs=25,
    )
    return wrong, right


@faulty(
    "keras-4980-siamese-labels",
    source="https://github.com/keras-team/keras/issues/4980",
    shape="contrastive",
    faults=("the loss takes 1 for different pairs where the labels mean the same",),
    right=("RG407", "RG401"),
)
def siamese_labels() -> Pair:
    """Pairs of digits: the loss was changed to the paper's convention, the labels were not."""
    (x, y), _ = mnist_images(2500, 14)
    rng = np.random.default_rng(0)
    one = rng.integers(0, len(y), 2500)
    alike = [rng.choice(np.flatnonzero(y == y[i])) for i in one]
    other = np.where(rng.random(2500) < 0.5, alike, rng.integers(0, len(y), 2500))
    same = (y[one] == y[other]).astype(np.float32)
    train, valid = (x[one[:2000]], x[other[:2000]]), (x[one[2000:]], x[other[2000:]])

    def contrastive(as_paper: bool) -> Callable[[Any, Any], Any]:
        def loss(distance: Any, target: Any) -> Any:
            near, far = rg.square(distance), rg.square(rg.relu(1 - distance))
            pull = 1 - target if as_paper else target
            return (pull * near + (1 - pull) * far).mean()

        return loss

    wrong = Training(
        model=Twins,
        train=(train, same[:2000]),
        valid=(valid, same[2000:]),
        loss=contrastive(True),
        optimizer=lambda parameters: optim.RMSprop(parameters, lr=1e-3),
        score=lambda predict: float(((predict(*valid) < 0.5) == (same[2000:] > 0)).mean()),
        well=0.8,
        epochs=12,
        batch_size=64,
    )
    return wrong, replace(wrong, loss=contrastive(False))


class Twins(nn.Module):
    """The distance (rows,) of two images' vectors, both by the same layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Flatten(), nn.Linear(196, 64), nn.ReLU(), nn.Dropout(0.1)),
            *(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16)),
        )

    def forward(self, one: Any, other: Any) -> Any:
        return rg.sqrt(rg.square(self.layers(one) - self.layers(other)).sum(1) + 1e-7)
