"""Questions of users about losses of several terms: autoencoders and differential equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from building import adam
from collection import faulty
from data import mnist_images
from training import Training

import retrograd as rg
from retrograd import nn

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]


class Variational(nn.Module):
    """Pixels (rows, 196) to their reconstruction, the code's mean and its log-variance, abreast."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(196, 64), nn.ReLU(), nn.Linear(64, 16))
        layers = nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 196), nn.Sigmoid()
        self.decoder = nn.Sequential(*layers)

    def forward(self, x: Any) -> Any:
        code = self.encoder(x)
        mean, log_variance = code[:, :8], code[:, 8:]
        drawn = mean
        if self.training:
            drawn = mean + rg.exp(0.5 * log_variance) * rg.random.normal(tuple(mean.shape))
        return rg.concatenate([self.decoder(drawn), mean, log_variance], 1)


@faulty(
    "keras-3383-vae-mean-of-pixels",
    source="https://github.com/keras-team/keras/pull/3383",
    shape="autoencoder",
    faults=("the reconstruction's loss is a mean over the pixels, the divergence a sum",),
    right=("RG401",),
)
def vae_mean_of_pixels() -> Pair:
    """A variational autoencoder of digits that draws one and the same blur for all."""
    (x, _), (x_valid, _) = mnist_images(2500, 14)
    x, x_valid = x.reshape(-1, 196), x_valid.reshape(-1, 196)

    def bound(scale: float) -> Callable[[Any, Any], Any]:
        def loss(output: Any, target: Any) -> Any:
            made, mean, log_variance = output[:, :196], output[:, 196:204], output[:, 204:]
            p = rg.clip(made, 1e-7, 1 - 1e-7)
            pixels = -(target * rg.log(p) + (1 - target) * rg.log(1 - p)).mean(1)
            apart = -0.5 * (1 + log_variance - rg.square(mean) - rg.exp(log_variance)).sum(1)
            return (scale * pixels + apart).mean()

        return loss

    def score(predict: Predict) -> float:
        errors = predict(x_valid)[:, :196] - x_valid
        return float(1 - (errors**2).mean() / ((x_valid - x.mean(0)) ** 2).mean())

    wrong = Training(
        model=Variational,
        train=(x, x),
        valid=(x_valid, x_valid),
        loss=bound(1),
        optimizer=adam(0.002),
        score=score,
        well=0.4,
        epochs=15,
        batch_size=50,
    )
    return wrong, replace(wrong, loss=bound(196))


class Solution(nn.Module):
    """A function of one number and its second derivative, abreast: (rows, 1) -> (rows, 2)."""

    def __init__(self, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        hidden = nn.Linear(1, 24), activation(), nn.Linear(24, 24), activation()
        self.layers = nn.Sequential(*hidden, nn.Linear(24, 1))

    def forward(self, x: Any) -> Any:
        slope = rg.grad(lambda points: self.layers(points).sum())
        bend = rg.grad(lambda points: slope(points).sum())(x)
        return rg.concatenate([self.layers(x), bend], 1)


@faulty(
    "deepxde-80-relu-equation",
    source="https://github.com/lululxvi/deepxde/issues/80",
    shape="physics-informed",
    faults=("ReLU, whose second derivative is 0, for an equation of second order",),
    right=(),
)
def relu_equation() -> Pair:
    """The bend of a string under a load, fixed at both ends, from its differential equation."""
    inside = np.linspace(0, 1, 66, dtype=np.float32)[1:-1, None]
    x = np.concatenate([inside, np.tile(np.array([[0], [1]], np.float32), (8, 1))])
    load = -(np.pi**2) * np.sin(np.pi * x)
    target = np.concatenate([load, np.repeat([[0.0], [1.0]], [64, 16], 0)], 1).astype(np.float32)

    def residual(output: Any, target: Any) -> Any:
        at_end = target[:, 1]
        equation = rg.square(output[:, 1] - target[:, 0])
        return (at_end * 20 * rg.square(output[:, 0]) + (1 - at_end) * equation).mean()

    def score(predict: Predict) -> float:
        exact = np.sin(np.pi * inside)
        return float(1 - ((predict(inside)[:, :1] - exact) ** 2).mean() / exact.var())

    wrong = Training(
        model=lambda: Solution(nn.ReLU),
        train=(x, target),
        loss=residual,
        optimizer=adam(0.005),
        score=score,
        well=0.95,
        epochs=800,
        batch_size=80,
        shuffle=False,
    )
    return wrong, replace(wrong, model=lambda: Solution(nn.Tanh))
