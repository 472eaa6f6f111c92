"""Healthy programs after Keras's code examples: generation and an agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import (
    CartPole,
    cart_pole_rows,
    cart_pole_steps,
    keras_start,
    mnist_images,
    standard_returns,
)
from sklearn.metrics import r2_score
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


class Autoencoder(nn.Module):
    """The image that comes of a drawn code, then the code's mean and log-variance."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(512, 16), nn.ReLU(), nn.Linear(16, 4)),
        )
        self.widen = nn.Sequential(nn.Linear(2, 512), nn.ReLU())
        self.decoder = nn.Sequential(
            *(nn.ConvTranspose2d(32, 32, 3, 2, 1), nn.ReLU()),
            *(nn.ConvTranspose2d(32, 16, 3, 2, 1, 1), nn.ReLU()),
            *(nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid(), nn.Flatten()),
        )
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        code = self.encoder(x)
        mean, log_variance = code[:, :2], code[:, 2:]
        noise = rg.random.normal(mean.shape) if self.training else 0.0
        z = self.widen(mean + rg.exp(0.5 * log_variance) * noise)
        return rg.concatenate([self.decoder(z.reshape(-1, 32, 4, 4)), code], 1)


@healthy("keras-vae-mnist", source="https://keras.io/examples/generative/vae/", shape="autoencoder")
def variational_autoencoder() -> Training:
    """Digits through two drawn numbers: summed binary cross-entropy plus the divergence."""
    (train, _), (valid, _) = mnist_images(2500, 14)

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        image, mean, log_variance = output[:, :196], output[:, 196:198], output[:, 198:]
        wanted = rg.Tensor(target).reshape(-1, 196)
        cost = nn.functional.binary_cross_entropy(image, wanted, reduction="none").sum(1)
        apart = -0.5 * (1 + log_variance - rg.square(mean) - rg.exp(log_variance)).sum(1)
        return cost.mean() + apart.mean()

    flat = valid.reshape(-1, 196)
    return Training(
        model=Autoencoder,
        train=(train, train),
        loss=loss,
        optimizer=adam(),
        score=lambda predict: (
            1 - np.square(predict(valid)[:, :196] - flat).mean() / flat.var(0).mean()
        ),
        well=0.2,
        epochs=15,
        batch_size=64,
        task="regression",
    )


class ActorCritic(nn.Module):
    """The chance of either push, and the expected return."""

    def __init__(self) -> None:
        super().__init__()
        self.common = nn.Sequential(nn.Linear(4, 64), nn.ReLU())
        self.actor, self.critic = nn.Linear(64, 2), nn.Linear(64, 1)
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        x = self.common(x)
        return rg.concatenate([rg.softmax(self.actor(x), 1), self.critic(x)], 1)


@healthy(
    "keras-actor-critic-cartpole",
    source="https://keras.io/examples/rl/actor_critic_cartpole/",
    shape="reinforcement",
)
def actor_critic() -> Training:
    """A pole on a cart: the policy's gradient with a critic, one step of Adam per episode."""

    def costs(output: rg.Tensor, target: Any) -> rg.Tensor:
        action, wanted = target[:, 0], target[:, 1]
        chosen = rg.where(action > 0.5, output[:, 1], output[:, 0])
        actor = -rg.log(chosen) * (wanted - output[:, 2])
        return actor + nn.functional.huber_loss(output[:, 2], wanted, reduction="none")

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(states: Any, target: Any, mask: Any) -> None:
            optimizer.zero_grad()
            (costs(model(states), target) * mask).sum().backward()
            optimizer.step()

        world, running = CartPole(rng), 0.0
        for _ in range(350):
            hidden, actor = model.common[0], model.actor
            w, b, v, c = (p.numpy() for net in (hidden, actor) for p in (net.weight, net.bias))
            states, actions, state, fell = [], [], world.reset(), False
            while not fell and len(states) < 200:
                states.append(state)
                score = np.maximum(w @ state + b, 0) @ v.T + c
                actions.append(int(rng.random() < 1 / (1 + np.exp(score[0] - score[1]))))
                state, _, fell = world.step(actions[-1])
            n = len(states)
            padded = np.zeros((200, 7), np.float32)
            padded[:n, :4], padded[:n, 4], padded[:n, 6] = states, actions, 1
            padded[:n, 5] = standard_returns(n)
            step(padded[:, :4], padded[:, 4:6], padded[:, 6])
            running = 0.05 * n + 0.95 * running
            if running > 195:
                break

    return Training(
        model=ActorCritic,
        train=cart_pole_rows(),
        loss=lambda output, target: costs(output, target).sum(),
        optimizer=adam(0.01),
        score=lambda predict: cart_pole_steps(lambda states: predict(states)[:, :2].argmax(1)),
        well=150.0,
        fit=fit,
    )


def conditioned(images: rg.Tensor, labels: Any) -> rg.Tensor:
    """Images with a channel for each class."""
    planes = rg.unsqueeze(rg.unsqueeze(labels, 2), 3)
    return rg.concatenate([images, rg.broadcast_to(planes, (*labels.shape, 14, 14))], 1)


class Generator(nn.Module):
    """Noise and a one-hot class to an image from 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.widen = nn.Sequential(nn.Linear(34, 34 * 16), nn.LeakyReLU(0.2))
        self.body = nn.Sequential(
            *(nn.ConvTranspose2d(34, 32, 4, 2, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(32, 1, 7, padding=3), nn.Sigmoid()),
        )
        keras_start(self)

    def forward(self, noise: Any, labels: Any) -> rg.Tensor:
        x = self.widen(rg.concatenate([rg.Tensor(noise), rg.Tensor(labels)], 1))
        return self.body(x.reshape(-1, 34, 4, 4))


@healthy(
    "keras-conditional-gan",
    source="https://keras.io/examples/generative/conditional_gan/",
    shape="GAN",
)
def conditional_gan() -> Training:
    """A digit of the class asked for, against a discriminator that sees the class too."""
    (digits, kind), _ = mnist_images(2500, 14)
    real, kind = digits[kind < 2], kind[kind < 2]
    labels = np.eye(2, dtype=np.float32)[kind]
    noise = np.random.default_rng(3).normal(size=(len(real), 32)).astype(np.float32)
    judges: list[nn.Module] = []

    def model() -> nn.Module:
        judge = nn.Sequential(
            *(nn.Conv2d(3, 32, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 48, 3, 2, 1)),
            *(nn.LeakyReLU(0.2), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(48, 1)),
        )
        judges[:] = [keras_start(judge)]
        return Generator()

    def judged(images: rg.Tensor, labels: Any, real: float) -> rg.Tensor:
        verdict = judges[0](conditioned(images, labels))
        wanted = np.full(verdict.shape, real, np.float32)
        return nn.binary_cross_entropy_with_logits(verdict, wanted)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        other = optim.Adam(judges[0].parameters(), 3e-4, eps=1e-7)

        @rg.compile
        def step(images: Any, labels: Any) -> None:
            images, labels = rg.Tensor(images), rg.Tensor(labels)
            with rg.no_grad():
                fake = model(rg.random.normal((32, 32)), labels)
            other.zero_grad()
            (0.5 * (judged(images, labels, 1.0) + judged(fake, labels, 0.0))).backward()
            other.step()
            optimizer.zero_grad()
            judged(model(rg.random.normal((32, 32)), labels), labels, 1.0).backward()
            optimizer.step()

        for _ in range(40):
            for (images,), chosen in batches((real, labels), 32, rng):
                if len(images) == 32:
                    step(images, chosen)

    def likeness(predict: Predict) -> float:
        """R² of the mean image of each class."""
        fake = predict(noise, labels)
        means = [np.stack([x[kind == k].mean(0) for k in (0, 1)]) for x in (fake, real)]
        return r2_score(means[1].ravel(), means[0].ravel())

    return Training(
        model=model,
        train=((noise, labels), labels),
        loss=lambda output, target: judged(output, rg.Tensor(target), 1.0),
        optimizer=adam(3e-4),
        score=likeness,
        well=0.5,
        batch_size=32,
        fit=fit,
    )
