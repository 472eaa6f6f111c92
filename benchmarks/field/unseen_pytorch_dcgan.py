"""The generator of DCGAN, by convolutions, against its discriminator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import drawn_shapes
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]


def drawn_weights(net: nn.Sequential) -> nn.Sequential:
    """Convolutions from a normal distribution of 0.02, norms' weights around 1."""
    for layer in net:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)
    return net


def generator(code: int = 16, width: int = 12) -> nn.Module:
    """(rows, code, 1, 1) -> images (rows, 3, 16, 16) from -1 to 1."""
    layers: list[nn.Module] = []
    for n_in, n_out, stride, padding in (
        (code, 2 * width, 1, 0),
        (2 * width, width, 2, 1),
    ):
        layers += [
            nn.ConvTranspose2d(n_in, n_out, 4, stride, padding, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
        ]
    last = nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False)
    return drawn_weights(nn.Sequential(*layers, last, nn.Tanh()))


def discriminator(width: int = 12) -> nn.Module:
    """Images -> the probability that they are real."""
    return drawn_weights(
        nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
            nn.Flatten(0),
        )
    )


@healthy(
    "pytorch-examples-dcgan",
    source="https://github.com/pytorch/examples/tree/main/dcgan",
    shape="GAN",
)
def dcgan() -> Training:
    """Images of shapes from noise: binary cross-entropies, both by Adam at 0.0002 and 0.5."""
    real = 2 * drawn_shapes(1280)[0] - 1
    rg.manual_seed(11)
    judge = discriminator()
    first = judge.state_dict()

    def entropy(answers: Any, label: float) -> Any:
        return nn.binary_cross_entropy(answers, np.full(answers.shape, label, np.float32))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        judge.load_state_dict(first)
        other = optim.Adam(judge.parameters(), lr=2e-4, betas=(0.5, 0.999))

        @rg.compile
        def step(images: Array, z: Array) -> None:
            other.zero_grad()
            entropy(judge(images), 1.0).backward()
            made = model(z)
            entropy(judge(made.detach()), 0.0).backward()
            other.step()
            optimizer.zero_grad()
            entropy(judge(made), 1.0).backward()
            optimizer.step()

        for _ in range(20):
            for rows in rng.permutation(len(real)).reshape(-1, 64):
                step(real[rows], rng.normal(size=(64, 16, 1, 1)).astype(np.float32))

    z = np.random.default_rng(0).normal(size=(len(real), 16, 1, 1)).astype(np.float32)

    def score(predict: Predict) -> float:
        """1 less the distance of means and deviations by pixel over what real images have."""
        made = predict(z)
        apart = ((made.mean(0) - real.mean(0)) ** 2 + (made.std(0) - real.std(0)) ** 2).mean()
        return float(1 - apart / real.var(0).mean())

    return Training(
        model=generator,
        train=(z, real),
        loss=lambda output, target: entropy(judge(output), 1.0),
        optimizer=lambda parameters: optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999)),
        score=score,
        well=0.5,
        epochs=20,
        batch_size=64,
        fit=fit,
    )
