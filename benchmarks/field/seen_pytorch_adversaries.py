"""Programs with an adversary, a differential equation or an energy besides the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import digits
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]


def closeness(made: Array, real: Array) -> float:
    """1 less the squared distance of the mean images over the real mean's variance by pixel."""
    mean = real.mean(0)
    return float(1 - ((made.mean(0) - mean) ** 2).mean() / mean.var())


def seeded(make: Callable[[], nn.Module]) -> tuple[nn.Module, Callable[[], None]]:
    """A second network with fixed initial weights, and what sets it back to them."""
    rg.manual_seed(11)
    module = make()
    first = module.state_dict()
    return module, lambda: module.load_state_dict(first) and None


@healthy(
    "morvan-gan-artist",
    source="https://github.com/MorvanZhou/PyTorch-Tutorial/blob/master/tutorial-contents/406_GAN.py",
    shape="GAN",
)
def gan_artist() -> Training:
    """A generator learns to draw parabolas of 15 points; the losses are logarithms by hand."""
    points = np.linspace(-1, 1, 15, dtype=np.float32)

    def paintings(rng: np.random.Generator, rows: int) -> Array:
        a = rng.uniform(1, 2, (rows, 1)).astype(np.float32)
        return a * points**2 + (a - 1)

    def generator() -> nn.Module:
        return nn.Sequential(nn.Linear(5, 128), nn.ReLU(), nn.Linear(128, 15))

    critic, reset = seeded(
        lambda: nn.Sequential(nn.Linear(15, 128), nn.ReLU(), nn.Linear(128, 1), nn.Sigmoid())
    )

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        reset()
        judge = optim.Adam(critic.parameters(), lr=1e-4)

        @rg.compile
        def step(ideas: Array, real: Array) -> None:
            made = model(ideas)
            optimizer.zero_grad()
            rg.log(1 - critic(made)).mean().backward()
            optimizer.step()
            judge.zero_grad()
            right, wrong = critic(real), critic(made.detach())
            (-(rg.log(right) + rg.log(1 - wrong)).mean()).backward()
            judge.step()

        for _ in range(10_000):
            step(rng.normal(size=(64, 5)).astype(np.float32), paintings(rng, 64))

    rng = np.random.default_rng(0)
    ideas = rng.normal(size=(640, 5)).astype(np.float32)

    def score(predict: Predict) -> float:
        """The share of the drawn points' variance that parabolas of the family explain."""
        made = predict(ideas)
        basis = points**2 + 1
        a = ((made + 1) @ basis / (basis @ basis)).clip(1, 2)[:, None]
        return float(1 - ((made - (a * basis - 1)) ** 2).mean() / paintings(rng, 640).var())

    return Training(
        model=generator,
        train=(ideas, paintings(rng, 640)),
        loss=lambda output, target: rg.log(1 - critic(output)).mean(),
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-4),
        score=score,
        well=0.9,
        epochs=1000,
        batch_size=64,
        fit=fit,
    )


@healthy(
    "pytorch-gan-wgan",
    source="https://github.com/eriklindernoren/PyTorch-GAN/blob/master/implementations/wgan/wgan.py",
    shape="GAN",
)
def wgan() -> Training:
    """The critic of a Wasserstein GAN on digits: weights held within 0.01, five steps for one."""
    (real, _), _ = digits()
    real = 2 * real - 1

    def make_generator() -> nn.Module:
        layers = [nn.Linear(16, 64), nn.LeakyReLU(0.2)]
        for n_in, n_out in ((64, 128), (128, 256)):
            layers += [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out, 0.8), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers, nn.Linear(256, 64), nn.Tanh())

    def make_critic() -> nn.Module:
        return nn.Sequential(
            nn.Linear(64, 256),
            nn.LeakyReLU(0.2),
            nn.Linear(256, 128),
            nn.LeakyReLU(0.2),
            nn.Linear(128, 1),
        )

    generator, reset = seeded(make_generator)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(len(real), 16)).astype(np.float32)
    with rg.no_grad():
        made = generator(noise).numpy()
    rows = np.concatenate([real, made])
    sign = np.repeat(np.array([[1.0], [-1.0]], np.float32), len(real), 0)

    def loss(output: Any, sign: Any) -> Any:
        """The mean of the critic for made rows (-1) less that for real ones (1)."""
        return -2 * (rg.Tensor(sign) * output).mean()

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        reset()
        artist = optim.RMSprop(generator.parameters(), lr=5e-5)

        @rg.compile
        def judge(images: Array, z: Array) -> None:
            optimizer.zero_grad()
            (-model(images).mean() + model(generator(z).detach()).mean()).backward()
            optimizer.step()
            for parameter in model.parameters():
                parameter.data = parameter.data.clip(-0.01, 0.01)

        @rg.compile
        def draw(z: Array) -> None:
            artist.zero_grad()
            (-model(generator(z)).mean()).backward()
            artist.step()

        for i in range(4000):
            z = rng.normal(size=(64, 16)).astype(np.float32)
            judge(real[rng.integers(0, len(real), 64)], z)
            if i % 5 == 0:
                draw(z)

    def score(predict: Predict) -> float:
        with nn.evaluating(generator), rg.no_grad():
            return closeness(generator(noise).numpy(), real)

    return Training(
        model=make_critic,
        train=(rows, sign),
        loss=loss,
        optimizer=lambda parameters: optim.RMSprop(parameters, lr=5e-5),
        score=score,
        well=0.7,
        epochs=90,
        batch_size=64,
        fit=fit,
    )


@healthy(
    "moseley-harmonic-oscillator-pinn",
    source="https://github.com/benmoseley/harmonic-oscillator-pinn",
    shape="physics-informed",
)
def harmonic_oscillator() -> Training:
    """Ten observations of a damped oscillator, and its equation at 30 times as a second loss."""
    damping, frequency = 2.0, 20.0
    ringing = np.sqrt(frequency**2 - damping**2)
    phase = np.arctan(-damping / ringing)

    def exact(t: Array) -> Array:
        return np.exp(-damping * t) * np.cos(phase + ringing * t) / np.cos(phase)

    everywhere = np.linspace(0, 1, 500, dtype=np.float32)[:, None]
    x = everywhere[:200:20]
    y = exact(x).astype(np.float32)
    x_physics = np.linspace(0, 1, 30, dtype=np.float32)[:, None]

    def model() -> nn.Module:
        layers: list[nn.Module] = []
        for n_in, n_out in ((1, 32), (32, 32), (32, 32)):
            layers += [nn.Linear(n_in, n_out), nn.Tanh()]
        return nn.Sequential(*layers, nn.Linear(32, 1))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        def slope(t: Any) -> Any:
            value, pull = rg.vjp(model, t)
            (first,) = pull(np.ones((30, 1), np.float32))
            return first.sum(), (value, first)

        @rg.compile
        def step() -> rg.Tensor:
            optimizer.zero_grad()
            second, (value, first) = rg.grad(slope, has_aux=True)(x_physics)
            residual = second + 2 * damping * first + frequency**2 * value
            loss = ((model(x) - y) ** 2).mean() + 1e-4 * (residual**2).mean()
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(12_000):
            step()

    def score(predict: Predict) -> float:
        truth = exact(everywhere)
        return float(1 - ((predict(everywhere) - truth) ** 2).mean() / truth.var())

    return Training(
        model=model,
        train=(x, y),
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-4),
        score=score,
        well=0.9,
        epochs=12_000,
        batch_size=10,
        shuffle=False,
        fit=fit,
    )
