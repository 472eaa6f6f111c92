"""Healthy programs after Keras's code examples and guides: images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import as_one_hot, flat
from collection import healthy
from data import Rows, keras_start, mnist_images, trained
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn.functional import nll_loss

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam, on what is not frozen."""
    return lambda all_: optim.Adam([p for p in all_ if p.requires_grad], lr, eps=1e-7)


def accuracy(rows: Rows) -> Callable[[Predict], float]:
    """The share of rows whose highest output is the class, an index or one-hot."""
    x, y = rows
    return lambda predict: np.mean(predict(x).argmax(1) == (y if y.ndim == 1 else y.argmax(1)))


def categorical_crossentropy(probabilities: rg.Tensor, target: Any) -> rg.Tensor:
    """Keras's, of probabilities and one-hot or soft labels."""
    return -(target * rg.log(rg.clip(probabilities, 1e-7, 1.0))).sum(1).mean()


def convolutions(first: int = 8, second: int = 16) -> list[nn.Module]:
    """Two valid convolutions with pooling, as in Keras's convnet for MNIST: 28 x 28 to 5 x 5."""
    return [
        *(nn.Conv2d(1, first, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(first, second, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
    ]


@healthy(
    "keras-mnist-convnet", source="https://keras.io/examples/vision/mnist_convnet/", shape="classes"
)
def mnist_convnet() -> Training:
    """The simple convnet: dropout before a softmax, one-hot labels, categorical cross-entropy."""
    train, valid = map(as_one_hot, mnist_images(2500))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(*convolutions(), nn.Dropout(0.5), nn.Linear(400, 10), nn.Softmax(1))
        ),
        train=train,
        valid=valid,
        loss=categorical_crossentropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.9,
        epochs=8,
        batch_size=64,
    )


class Experts(nn.Module):
    """A convnet whose classifier is the sum of the best four of six linear experts.

    The gate's probabilities come behind the class probabilities in the output.
    """

    def __init__(self, count: int = 6, chosen: int = 4) -> None:
        super().__init__()
        self.count, self.chosen = count, chosen
        self.body = keras_start(nn.Sequential(*convolutions(), nn.Dropout(0.5)))
        self.gate = nn.Linear(400, count)
        self.experts = nn.Linear(400, 10 * count)
        for layer in (self.gate, self.experts):
            nn.init.normal_(layer.weight, std=0.001)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Any) -> rg.Tensor:
        features = self.body(x)
        gates = rg.softmax(self.gate(features), 1)
        best, places = rg.topk(gates, self.chosen, 1)
        each = self.experts(features).reshape(-1, self.count, 10)
        selected = rg.take_along_dim(each, rg.unsqueeze(places, 2), 1)
        mixed = (selected * rg.unsqueeze(best, 2)).sum(1)
        return rg.concatenate([rg.softmax(mixed, 1), gates], 1)


@healthy(
    "keras-mnist-mixture-of-experts",
    source="https://keras.io/examples/vision/mnist_moe/",
    shape="classes",
)
def mixture_of_experts() -> Training:
    """A mixture of linear experts with the losses that keep the gate from collapsing."""
    train, valid = map(as_one_hot, mnist_images(2500))

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        gates = output[:, 10:]
        diversity = (gates * rg.log(gates + 1e-10)).sum(1).mean()
        importance = gates.sum(0)
        uneven = rg.square(importance - importance.mean()).mean()
        return categorical_crossentropy(output[:, :10], target) + 0.01 * (diversity + uneven)

    return Training(
        model=Experts,
        train=train,
        valid=valid,
        loss=loss,
        optimizer=adam(),
        score=lambda predict: np.mean(predict(valid[0])[:, :10].argmax(1) == valid[1].argmax(1)),
        well=0.88,
        epochs=10,
        batch_size=64,
    )


def bags(rows: Rows, count: int, seed: int) -> Rows:
    """Bags (count, 3, pixels) of digits and whether one of them is a 1."""
    chosen = np.random.default_rng(seed).integers(0, len(rows[1]), (count, 3))
    return flat(rows)[0][chosen], (rows[1][chosen] == 1).any(1).astype(np.int64)


class AttentionBags(nn.Module):
    """Gated attention over the instances of a bag (Ilse et al. 2018)."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(pixels, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.v, self.u = nn.Linear(32, 64, bias=False), nn.Linear(32, 64, bias=False)
        self.w = nn.Linear(64, 1, bias=False)
        self.out = nn.Linear(3 * 32, 2)
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        features = self.embed(x)
        scores = self.w(rg.tanh(self.v(features)) * rg.sigmoid(self.u(features)))
        weighed = features * rg.softmax(scores, 1)
        return rg.softmax(self.out(rg.flatten(weighed, 1)), 1)


@healthy(
    "keras-attention-mil-bags",
    source="https://keras.io/examples/vision/attention_mil_classification/",
    shape="classes",
)
def attention_bags() -> Training:
    """Multiple instances: one label for a bag of three digits, batches of one, class weights."""
    train, valid = mnist_images(4000, 14)
    train, valid = bags(train, 700, 0), bags(valid, 200, 1)
    weight = len(train[1]) / 2 / np.bincount(train[1]).astype(np.float32)

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        log_p = rg.log(rg.clip(output, 1e-7, 1.0))
        weights = rg.Tensor(weight)[target]
        return (weights * nll_loss(log_p, target, reduction="none")).mean()

    return Training(
        model=lambda: AttentionBags(196),
        train=train,
        valid=valid,
        loss=loss,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.9,
        epochs=6,
        batch_size=1,
    )


def strided(first: int, second: int) -> nn.Module:
    """The convnet of Keras's distillation, of two widths."""
    return keras_start(
        nn.Sequential(
            *(nn.Conv2d(1, first, 3, 2, 1), nn.LeakyReLU(0.2), nn.MaxPool2d(2, 1)),
            *(nn.Conv2d(first, second, 3, 2, 1), nn.Flatten(), nn.Linear(9 * second, 10)),
        )
    )


@healthy(
    "keras-knowledge-distillation",
    source="https://keras.io/examples/vision/knowledge_distillation/",
    shape="own loop",
)
def knowledge_distillation() -> Training:
    """A small convnet learns a larger one's softened outputs, and a little from the labels."""
    train, valid = mnist_images(2500, 14)
    teachers: list[nn.Module] = []

    def student() -> nn.Module:
        teachers[:] = [trained(strided(48, 64), train, nn.cross_entropy, 5)]
        return strided(12, 16)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        teacher = teachers[0].eval()

        @rg.compile
        def step(x: Any, y: Any) -> None:
            with rg.no_grad():
                soft = rg.softmax(teacher(x) / 10, 1)
            optimizer.zero_grad()
            output = model(x)
            distance = (soft * (rg.log(soft) - rg.log_softmax(output / 10, 1))).sum(1).mean()
            (0.1 * nn.cross_entropy(output, y) + 0.9 * 10**2 * distance).backward()
            optimizer.step()

        for _ in range(6):
            for (x,), y in batches(train, 64, rng):
                step(x, y)

    return Training(
        model=student,
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.88,
        batch_size=64,
        fit=fit,
    )


@healthy(
    "keras-denoising-autoencoder",
    source="https://keras.io/examples/vision/autoencoder/",
    shape="autoencoder",
)
def denoising_autoencoder() -> Training:
    """Convolutions with pooling and transposed ones clean noisy digits; binary cross-entropy."""
    (train, _), (valid, _) = mnist_images(800)
    rng = np.random.default_rng(1)

    def noisy(x: np.ndarray) -> np.ndarray:
        return np.clip(x + 0.4 * rng.normal(size=x.shape), 0, 1).astype(np.float32)

    noisy_valid = noisy(valid)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.ConvTranspose2d(12, 12, 3, 2, 1, 1), nn.ReLU()),
                *(nn.ConvTranspose2d(12, 12, 3, 2, 1, 1), nn.ReLU()),
                *(nn.Conv2d(12, 1, 3, padding=1), nn.Sigmoid()),
            )
        ),
        train=(noisy(train), train),
        valid=(noisy_valid, valid),
        loss=nn.binary_cross_entropy,
        optimizer=adam(),
        score=lambda predict: (
            1 - np.square(predict(noisy_valid) - valid).mean() / np.var(valid, 0).mean()
        ),
        well=0.6,
        epochs=10,
    )


@healthy("keras-mixup-labels", source="https://keras.io/examples/vision/mixup/", shape="classes")
def mixup() -> Training:
    """Mixed images with mixed labels (Zhang et al. 2017) and categorical cross-entropy."""
    (x, y), valid = map(as_one_hot, mnist_images(2500))
    rng = np.random.default_rng(2)
    other, share = rng.permutation(len(y)), rng.beta(0.2, 0.2, len(y)).astype(np.float32)
    left, right = share[:, None], 1 - share[:, None]
    mixed = left[:, :, None, None] * x + right[:, :, None, None] * x[other]
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(8, 24, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2)),
                *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 128), nn.ReLU()),
                *(nn.Linear(128, 10), nn.Softmax(1)),
            )
        ),
        train=(mixed, left * y + right * y[other]),
        valid=valid,
        loss=categorical_crossentropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.85,
        epochs=12,
        batch_size=32,
    )
