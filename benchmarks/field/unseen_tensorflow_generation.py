"""Healthy programs after TensorFlow's tutorials: generation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import keras_start, mnist_images
from sklearn.metrics import r2_score
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


class ConvolutionalVAE(nn.Module):
    """Logits of the image that comes of a drawn code, then the code, its mean and log-variance."""

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = size
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 16, 3, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(128, 2 * size)),
        )
        self.widen = nn.Sequential(nn.Linear(size, 16 * 7 * 7), nn.ReLU())
        self.decoder = nn.Sequential(
            *(nn.ConvTranspose2d(16, 32, 3, 2, 1, 1), nn.ReLU()),
            *(nn.ConvTranspose2d(32, 16, 3, 1, 1), nn.ReLU()),
            *(nn.ConvTranspose2d(16, 1, 3, 1, 1), nn.Flatten()),
        )
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        code = self.encoder(x)
        mean, log_variance = code[:, : self.size], code[:, self.size :]
        z = rg.random.normal(mean.shape) * rg.exp(0.5 * log_variance) + mean
        logits = self.decoder(self.widen(z).reshape(-1, 16, 7, 7))
        return rg.concatenate([logits, z, code], 1)


def log_normal(x: rg.Tensor, mean: Any, log_variance: Any) -> rg.Tensor:
    """The log-density of each row under independent Gaussians."""
    off = rg.square(x - mean) * rg.exp(-log_variance)
    return (-0.5 * (off + log_variance + math.log(2 * math.pi))).sum(1)


@healthy(
    "tf-cvae", source="https://www.tensorflow.org/tutorials/generative/cvae", shape="autoencoder"
)
def convolutional_vae() -> Training:
    """Black and white digits through two numbers: the sampled evidence bound; Adam at 0.0001."""
    (train, _), (valid, _) = ((1.0 * (x > 0.5), y) for x, y in mnist_images(3500, 14))
    train, valid = train.astype(np.float32), valid.astype(np.float32)

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        logits, z, mean, log_variance = rg.split(output, [196, 2, 2, 2], 1)
        wanted = rg.Tensor(target).reshape(-1, 196)
        cost = nn.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(1)
        zero = rg.Tensor(np.zeros((1, 2), np.float32))
        apart = log_normal(z, mean, log_variance) - log_normal(z, zero, zero)
        return (cost + apart).mean()

    def better(predict: Predict) -> float:
        """The share of the nats that each pixel's frequency costs and the bound saves."""
        share = np.clip(train.mean(0), 1e-3, 1 - 1e-3)
        plain = -(valid * np.log(share) + (1 - valid) * np.log(1 - share)).sum((1, 2, 3)).mean()
        return 1 - loss(rg.Tensor(predict(valid)), valid).item() / plain

    return Training(
        model=ConvolutionalVAE,
        train=(train, train),
        loss=loss,
        optimizer=adam(1e-4),
        score=better,
        well=0.05,
        epochs=20,
        task="regression",
    )


class Shaped(nn.Module):
    """(rows, c · 49) to (rows, c, 7, 7)."""

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return x.reshape(x.shape[0], -1, 7, 7)


@healthy("tf-dcgan", source="https://www.tensorflow.org/tutorials/generative/dcgan", shape="GAN")
def dcgan() -> Training:
    """A generator and a discriminator step on the same batch, each by its Adam at 0.0001."""
    (digits, kind), _ = mnist_images(2500, 14)
    real = 2 * digits[kind < 2] - 1
    noise = np.random.default_rng(3).normal(size=(len(real), 32)).astype(np.float32)
    judges: list[nn.Module] = []
    cost = nn.binary_cross_entropy_with_logits

    def model() -> nn.Module:
        judge = nn.Sequential(
            *(nn.Conv2d(1, 12, 5, 2, 2), nn.LeakyReLU(0.3), nn.Dropout(0.3)),
            *(nn.Conv2d(12, 24, 5, 2, 2), nn.LeakyReLU(0.3), nn.Dropout(0.3)),
            *(nn.Flatten(), nn.Linear(384, 1)),
        )
        judges[:] = [keras_start(judge)]
        return keras_start(
            nn.Sequential(
                *(nn.Linear(32, 24 * 49, bias=False), nn.BatchNorm1d(24 * 49, 1e-3)),
                *(nn.LeakyReLU(0.3), Shaped()),
                *(nn.ConvTranspose2d(24, 12, 5, 1, 2, bias=False), nn.BatchNorm2d(12, 1e-3)),
                *(nn.LeakyReLU(0.3), nn.ConvTranspose2d(12, 1, 5, 2, 2, 1, bias=False), nn.Tanh()),
            )
        )

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        judge = judges[0]
        other = optim.Adam(judge.parameters(), 1e-4, eps=1e-7)
        ones, zeros = np.ones((32, 1), np.float32), np.zeros((32, 1), np.float32)

        @rg.compile
        def step(images: Any) -> None:
            fake = model(rg.random.normal((32, 32)))
            optimizer.zero_grad()
            cost(judge(fake), ones).backward()
            optimizer.step()
            other.zero_grad()
            (cost(judge(images), ones) + cost(judge(fake.detach()), zeros)).backward()
            other.step()

        for _ in range(60):
            for (images,), _ in batches((real, noise), 32, rng):
                if len(images) == 32:
                    step(images)

    def likeness(predict: Predict) -> float:
        """R² of the generated images' mean and deviation, pixel by pixel, as the real ones'."""
        pairs = [np.stack([x.mean(0), x.std(0)]).reshape(2, -1).T for x in (real, predict(noise))]
        return r2_score(*pairs)

    return Training(
        model=model,
        train=(noise, real),
        loss=lambda output, _: nn.functional.softplus(-judges[0](output)).mean(),
        optimizer=adam(1e-4),
        score=likeness,
        well=0.5,
        batch_size=32,
        fit=fit,
    )
