"""Programs of the official PyTorch tutorials: images, sounds, and learning transferred."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import accuracy, scheduled, sgd
from collection import healthy
from data import (
    drawn_shapes,
    made_sounds,
    mixed_mnist,
    split,
)
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]

TUTORIALS = "https://pytorch.org/tutorials"


@healthy(
    "pytorch-tutorials-quickstart",
    source=f"{TUTORIALS}/beginner/basics/quickstart_tutorial.html",
    shape="classes",
)
def quickstart() -> Training:
    """Three linear layers at the tutorial's rate of 0.001; it reports 65 % after five epochs."""
    train, valid = mixed_mnist(3200)

    def model() -> nn.Module:
        layers = nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()
        return nn.Sequential(nn.Flatten(), *layers, nn.Linear(256, 10))

    return Training(
        model=model,
        train=train,
        loss=nn.cross_entropy,
        optimizer=sgd(1e-3),
        score=accuracy(valid),
        well=0.64,
        epochs=95,  # about as many steps as the tutorial's 4,690
        batch_size=64,
        valid=valid,
    )


@healthy(
    "pytorch-tutorials-cifar10-convnet",
    source=f"{TUTORIALS}/beginner/blitz/cifar10_tutorial.html",
    shape="classes",
)
def cifar10_convnet() -> Training:
    """The blitz's network of two convolutions, batches of 4, momentum, images from -1 to 1."""
    x, y = drawn_shapes(2400, 32)
    train, valid = split(2 * x - 1, y)

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 6, 5),
            nn.ReLU(),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2, 2),
            nn.Flatten(),
            nn.Linear(400, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, 4),
        )

    return Training(
        model=model,
        train=train,
        loss=nn.cross_entropy,
        optimizer=sgd(0.001, momentum=0.9),
        score=accuracy(valid),
        well=0.75,
        epochs=6,
        batch_size=4,
    )


@healthy(
    "pytorch-tutorials-what-is-torch-nn-logistic",
    source=f"{TUTORIALS}/beginner/nn_tutorial.html",
    shape="classes",
)
def what_is_torch_nn_logistic() -> Training:
    """Logistic regression from weights over sqrt(784), rate 0.5, the loss by hand."""
    train, valid = ((x.reshape(-1, 784), y) for x, y in mixed_mnist(3200))

    class Logistic(nn.Module):
        """Pixels -> log-probabilities."""

        def __init__(self) -> None:
            super().__init__()
            weights = rg.random.host_rng().normal(size=(784, 10)) / np.sqrt(784)
            self.weights = rg.Parameter(weights.astype(np.float32))
            self.bias = rg.Parameter(np.zeros(10, np.float32))

        def forward(self, x: Any) -> rg.Tensor:
            x = rg.Tensor(x) @ self.weights + self.bias
            return x - rg.unsqueeze(rg.log(rg.exp(x).sum(-1)), -1)

    def nll(output: Any, target: Any) -> Any:
        return -rg.gather(output, 1, rg.unsqueeze(rg.Tensor(target), 1)).mean()

    return Training(
        model=Logistic,
        train=train,
        loss=nll,
        optimizer=sgd(0.5),
        score=accuracy(valid),
        well=0.85,
        epochs=6,
        batch_size=64,
        valid=valid,
    )


@healthy(
    "pytorch-tutorials-speech-command-m5",
    source=f"{TUTORIALS}/intermediate/speech_command_classification_with_torchaudio_tutorial.html",
    shape="sequence",
)
def speech_command_m5() -> Training:
    """Raw sound through strided convolutions with batch normalization, log-probabilities."""
    train, valid = split(*made_sounds())

    class M5(nn.Module):
        """Sounds (rows, 1, time) -> log-probabilities."""

        def __init__(self, width: int = 16) -> None:
            super().__init__()
            layers: list[nn.Module] = []
            for n_in, n_out, size, stride in (
                (1, width, 80, 8),
                (width, width, 3, 1),
                (width, 2 * width, 3, 1),
            ):
                layers += [nn.Conv1d(n_in, n_out, size, stride), nn.BatchNorm1d(n_out), nn.ReLU()]
                layers.append(nn.MaxPool1d(4))
            self.body = nn.Sequential(*layers)
            self.fc = nn.Linear(2 * width, 5)

        def forward(self, x: Any) -> rg.Tensor:
            return rg.log_softmax(self.fc(self.body(x).mean(2)), dim=1)

    return Training(
        model=M5,
        train=train,
        loss=nn.nll_loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.01, weight_decay=0.0001),
        score=accuracy(valid),
        well=0.9,
        epochs=7,
        batch_size=32,
        valid=valid,
        fit=scheduled(
            train, nn.nll_loss, 7, 32, lambda optimizer: optim.lr_scheduler.StepLR(optimizer, 20)
        ),
    )


class Residuals(nn.Module):
    """A small residual network for images of three channels, as a torchvision model is built."""

    def __init__(self, classes: int, width: int = 12) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.block = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.down = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU()
        )
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(2 * width, classes)

    def forward(self, x: Any) -> rg.Tensor:
        x = self.stem(x)
        x = rg.relu(x + self.block(x))
        return self.fc(self.pool(self.down(x)))


def pretrained() -> Residuals:
    """A network that knows four shapes, with a new last layer for two."""
    x, y = drawn_shapes(1600, seed=5)
    model = Residuals(4)
    optimizer = optim.Adam(model.parameters(), lr=0.003)

    @rg.compile
    def step(images: Array, classes: Array) -> None:
        optimizer.zero_grad()
        nn.cross_entropy(model(images), classes).backward()
        optimizer.step()

    for start in list(range(0, 1600, 64)) * 8:
        step(x[start : start + 64], y[start : start + 64])
    model.fc = nn.Linear(24, 2)
    return model


def rings_and_crosses() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Two shapes in inverted colours: 240 images to train with, 120 to validate."""
    x, y = drawn_shapes(800, seed=6)
    chosen = np.flatnonzero(y >= 2)[:360]
    return split(1 - x[chosen], y[chosen] - 2, 2 / 3)


@healthy(
    "pytorch-tutorials-transfer-learning-finetuning",
    source=f"{TUTORIALS}/beginner/transfer_learning_tutorial.html",
    shape="fine-tuning",
)
def transfer_finetuning() -> Training:
    """All weights of a pretrained network trained on: batches of 4, a tenth of the rate from 7."""
    train, valid = rings_and_crosses()
    return Training(
        model=pretrained,
        train=train,
        loss=nn.cross_entropy,
        optimizer=sgd(0.001, momentum=0.9),
        score=accuracy(valid),
        well=0.85,
        epochs=10,
        batch_size=4,
        valid=valid,
        fit=scheduled(
            train,
            nn.cross_entropy,
            10,
            4,
            lambda optimizer: optim.lr_scheduler.StepLR(optimizer, 7, gamma=0.1),
        ),
    )


@healthy(
    "pytorch-tutorials-transfer-learning-fixed-features",
    source=f"{TUTORIALS}/beginner/transfer_learning_tutorial.html",
    shape="fine-tuning",
)
def transfer_fixed_features() -> Training:
    """Only a new last layer is trained; what comes before is frozen, but not in evaluation mode."""
    train, valid = rings_and_crosses()

    def frozen() -> nn.Module:
        model = pretrained().requires_grad_(False)
        model.fc.requires_grad_(True)
        return model

    return Training(
        model=frozen,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(
            [each for each in parameters if each.requires_grad], lr=0.001, momentum=0.9
        ),
        score=accuracy(valid),
        well=0.75,
        epochs=60,
        batch_size=4,
        valid=valid,
    )
