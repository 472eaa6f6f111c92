"""Healthy programs after Keras's code examples and guides: frozen parts and digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import as_one_hot, flat, sparse_crossentropy
from collection import healthy
from data import Rows, keras_start, mnist_images, split, trained
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn.functional import normalize, one_hot

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam, on what is not frozen."""
    return lambda all_: optim.Adam([p for p in all_ if p.requires_grad], lr, eps=1e-7)


def accuracy(rows: Rows) -> Callable[[Predict], float]:
    """The share of rows whose highest output is the class, an index or one-hot."""
    x, y = rows
    return lambda predict: np.mean(predict(x).argmax(1) == (y if y.ndim == 1 else y.argmax(1)))


class OnFrozen(nn.Module):
    """A head on a base that is not trained and stays in evaluation mode."""

    def __init__(self, base: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.base, self.head = base.requires_grad_(False), head

    def train(self, mode: bool = True) -> nn.Module:
        super().train(mode)
        self.base.eval()
        return self

    def forward(self, x: Any) -> rg.Tensor:
        return self.head(self.base(x))


def npairs(features: rg.Tensor, target: Any) -> rg.Tensor:
    """The supervised contrastive loss: every row of the class is as likely a partner."""
    unit = normalize(features, dim=1)
    same = one_hot(target, 10).astype(np.float32)
    same = same @ same.T
    likely = rg.log_softmax(unit @ unit.T / 0.05, 1)
    return -(same / same.sum(1, keepdim=True) * likely).sum(1).mean()


@healthy(
    "keras-supervised-contrastive-classifier",
    source="https://keras.io/examples/vision/supervised-contrastive-learning/",
    shape="fine-tuning",
)
def contrastive_classifier() -> Training:
    """A classifier with dropout on an encoder that was trained contrastively and is frozen."""
    train, valid = mnist_images(2000, 14)

    def model() -> nn.Module:
        encoder = nn.Sequential(
            *(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(512, 64), nn.ReLU()),
        )
        projected = keras_start(nn.Sequential(encoder, nn.Linear(64, 32), nn.ReLU()))
        trained(projected, train, npairs, 6)
        head = nn.Sequential(
            *(nn.Dropout(0.5), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(64, 10), nn.Softmax(1)),
        )
        return OnFrozen(encoder, keras_start(head))

    return Training(
        model=model,
        train=train,
        valid=valid,
        loss=sparse_crossentropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.88,
        epochs=10,
        batch_size=64,
    )


class Rescaled(nn.Module):
    """Pixels from 0 to 255 to -1 to 1, as the first layer of a model."""

    def forward(self, x: Any) -> rg.Tensor:
        return rg.Tensor(x) / 127.5 - 1


@healthy(
    "keras-transfer-learning-frozen-base",
    source="https://keras.io/guides/transfer_learning/",
    shape="fine-tuning",
)
def transfer_learning() -> Training:
    """Two new kinds on a frozen base with batch normalization, pixels rescaled in the model."""
    (x, y), _ = mnist_images(5000, 14)
    old, new = y < 8, y >= 8
    wanted = (y[new] == 9).astype(np.float32)[:, None]
    train, valid = split(255 * x[new][:500], wanted[:500], 0.7)

    def model() -> nn.Module:
        base = nn.Sequential(
            Rescaled(),
            *(nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16, 1e-3), nn.ReLU()),
            *(nn.MaxPool2d(2), nn.Conv2d(16, 48, 3, 1, 1, bias=False)),
            *(nn.BatchNorm2d(48, 1e-3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        )
        trained(
            keras_start(nn.Sequential(base, nn.Linear(48, 8))),
            (255 * x[old][:1500], y[old][:1500]),
            nn.cross_entropy,
            6,
        )
        return OnFrozen(base, keras_start(nn.Sequential(nn.Dropout(0.2), nn.Linear(48, 1))))

    return Training(
        model=model,
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=adam(),
        score=lambda predict: np.mean((predict(valid[0]) > 0) == valid[1]),
        well=0.85,
        epochs=40,
    )


class FourierFeatures(nn.Module):
    """Random cosines that approximate a Gaussian kernel; they are not trained."""

    def __init__(self, inputs: int, outputs: int, scale: float) -> None:
        super().__init__()
        rng = rg.random.host_rng()
        self.kernel = rg.Buffer((rng.normal(size=(inputs, outputs)) / scale).astype(np.float32))
        self.shift = rg.Buffer(rng.uniform(0, 2 * np.pi, outputs).astype(np.float32))

    def forward(self, x: Any) -> rg.Tensor:
        return rg.cos(rg.Tensor(x) @ self.kernel + self.shift)


@healthy(
    "keras-quasi-svm", source="https://keras.io/examples/keras_recipes/quasi_svm/", shape="hinge"
)
def quasi_svm() -> Training:
    """A linear layer on random Fourier features with the hinge loss over all classes."""
    train, valid = map(flat, map(as_one_hot, mnist_images(2500, 14)))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(FourierFeatures(196, 512, 5.0), nn.Linear(512, 10))
        ),
        train=(train[0], 2 * train[1] - 1),
        valid=(valid[0], 2 * valid[1] - 1),
        loss=lambda output, target: rg.relu(1 - output * target).mean(),
        optimizer=adam(),
        score=accuracy(valid),
        well=0.85,
        epochs=20,
        batch_size=64,
    )


@healthy(
    "keras-guide-builtin-fit",
    source="https://keras.io/guides/training_with_built_in_methods/",
    shape="classes",
)
def builtin_fit() -> Training:
    """The guide's digits: two hidden layers and a softmax, RMSprop, sparse cross-entropy."""
    train, valid = map(flat, mnist_images(2500))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()),
                *(nn.Linear(64, 10), nn.Softmax(1)),
            )
        ),
        train=train,
        valid=valid,
        loss=sparse_crossentropy,
        optimizer=lambda parameters: optim.RMSprop(parameters, 1e-3, 0.9, eps=1e-7),
        score=accuracy(valid),
        well=0.87,
        epochs=12,
        batch_size=64,
    )
