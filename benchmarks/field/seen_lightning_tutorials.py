"""Programs of the Lightning documentation and of its deep-learning course: generative models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from data import digits, drawn_shapes, mixed_mnist, split
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]

COURSE = "https://github.com/Lightning-AI/tutorials/tree/main/course_UvA-DL"


@healthy(
    "lightning-quickstart-autoencoder",
    source="https://lightning.ai/docs/pytorch/stable/starter/introduction.html",
    shape="autoencoder",
)
def quickstart_autoencoder() -> Training:
    """Images of 784 pixels through three numbers and back, mean squared error, no validation."""
    (x, _), _ = mixed_mnist(1000)
    x = x.reshape(-1, 784)

    def model() -> nn.Module:
        encoder = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 3))
        return nn.Sequential(
            encoder, nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 784))
        )

    return Training(
        model=model,
        train=(x, x),
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-3),
        score=lambda predict: float(1 - ((predict(x) - x) ** 2).mean() / x.var(0).mean()),
        well=0.25,  # three principal components explain 0.23
        epochs=40,
        batch_size=50,
    )


@healthy(
    "lightning-basic-gan",
    source="https://github.com/Lightning-AI/tutorials/tree/main/lightning_examples/basic-gan",
    shape="GAN",
)
def basic_gan() -> Training:
    """A generator of digits against a discriminator with a sigmoid, both steps on each batch."""
    (real, _), _ = digits()
    real = 2 * real - 1

    def generator() -> nn.Module:
        layers: list[nn.Module] = [nn.Linear(32, 64), nn.LeakyReLU(0.2)]
        for n_in, n_out in ((64, 128), (128, 256)):
            layers += [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out, 0.8), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers, nn.Linear(256, 64), nn.Tanh())

    rg.manual_seed(11)
    judge = nn.Sequential(
        nn.Linear(64, 256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 128),
        nn.LeakyReLU(0.2),
        nn.Linear(128, 1),
        nn.Sigmoid(),
    )
    first = judge.state_dict()

    def fools(made: Any, target: Any = None) -> Any:
        answers = judge(made)
        return nn.binary_cross_entropy(answers, np.ones(answers.shape, np.float32))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        judge.load_state_dict(first)
        other = optim.Adam(judge.parameters(), lr=2e-4, betas=(0.5, 0.999))

        @rg.compile
        def step(images: Array, z: Array) -> None:
            optimizer.zero_grad()
            fools(model(z)).backward()
            optimizer.step()
            other.zero_grad()
            right, wrong = judge(images), judge(model(z).detach())
            loss = nn.binary_cross_entropy(right, np.ones(right.shape, np.float32))
            loss = loss + nn.binary_cross_entropy(wrong, np.zeros(wrong.shape, np.float32))
            (loss / 2).backward()
            other.step()

        for _ in range(60):
            order = rng.permutation(len(real))[:1408]
            for rows in order.reshape(-1, 64):
                step(real[rows], rng.normal(size=(64, 32)).astype(np.float32))

    z = np.random.default_rng(0).normal(size=(len(real), 32)).astype(np.float32)

    def score(predict: Predict) -> float:
        """1 less the squared distance of the mean images over the variance of the real mean."""
        mean = real.mean(0)
        return float(1 - ((predict(z).mean(0) - mean) ** 2).mean() / mean.var())

    return Training(
        model=generator,
        train=(z, real),
        loss=fools,
        optimizer=lambda parameters: optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999)),
        score=score,
        well=0.7,
        epochs=60,
        batch_size=64,
        fit=fit,
    )


@healthy(
    "lightning-uvadlc-energy-model",
    source=f"{COURSE}/07-deep-energy-based-generative-models",
    shape="own loop",
)
def energy_model() -> Training:
    """Contrastive divergence on digits: a buffer of samples, moved by noisy gradient steps.

    The output is minus the energy; both outputs' squares are held small by a factor of 0.1.
    """
    (real, _), (real_valid, _) = digits()
    real, real_valid = 2 * real[:1408] - 1, 2 * real_valid - 1
    noise = np.random.default_rng(1).uniform(-1, 1, real.shape).astype(np.float32)

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Linear(64, 128),
            nn.SiLU(),
            nn.Linear(128, 64),
            nn.SiLU(),
            nn.Linear(64, 1),
            nn.Flatten(0, 1),
        )

    def loss(output: Any, sign: Any) -> Any:
        sign = rg.Tensor(sign)
        return -2 * (sign * output).mean() + 0.1 * 2 * (output**2).mean()

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        schedule = optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.97)
        buffer = rng.uniform(-1, 1, (2048, 64)).astype(np.float32)
        sign = np.repeat(np.array([1.0, -1.0], np.float32), 64)

        @rg.compile
        def moved(images: Array) -> rg.Tensor:
            x = rg.Tensor(images)
            for _ in range(15):
                x = rg.clip(x + 0.005 * rg.random.normal((64, 64)), -1.0, 1.0)
                slope = rg.grad(lambda part: model(part).sum())(x)
                x = rg.clip(x + 10 * rg.clip(slope.detach(), -0.03, 0.03), -1.0, 1.0).detach()
            return x

        @rg.compile
        def step(images: Array, made: Array) -> rg.Tensor:
            optimizer.zero_grad()
            value = loss(model(rg.concatenate([rg.Tensor(images), rg.Tensor(made)])), sign)
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            return value

        for _ in range(25):
            for rows in rng.permutation(len(real)).reshape(-1, 64):
                chosen = rng.integers(0, len(buffer), 64)
                start = buffer[chosen]
                start[:3] = rng.uniform(-1, 1, (3, 64))
                model.requires_grad_(False)
                made = moved(start).numpy()
                model.requires_grad_(True)
                buffer[chosen] = made
                images = real[rows] + rng.normal(0, 0.005, (64, 64)).astype(np.float32)
                step(images.clip(-1, 1), made)
            schedule.step()

    def score(predict: Predict) -> float:
        """How often a digit has the lower energy of it and noise of a digit's pixels, shuffled."""
        rng = np.random.default_rng(2)
        shuffled = rng.permuted(real_valid, axis=1)
        return float((predict(real_valid) > predict(shuffled)).mean())

    return Training(
        model=model,
        train=(np.concatenate([real, noise]), np.repeat(np.array([1, -1], np.float32), 1408)),
        loss=loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-3, betas=(0.0, 0.999)),
        score=score,
        well=0.95,
        epochs=25,
        batch_size=64,
        fit=fit,
    )


class MaskedConv(nn.Module):
    """A convolution of 5 x 5 of the pixels before each, and of the pixel itself unless first."""

    def __init__(self, n_in: int, n_out: int, first: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 5, padding=2)
        mask = np.zeros((5, 5), np.float32)
        mask[:2] = 1
        mask[2, : 2 if first else 3] = 1
        self.mask = rg.Buffer(mask)

    def forward(self, x: Any) -> rg.Tensor:
        return nn.functional.conv2d(x, self.conv.weight * self.mask, self.conv.bias, padding=2)


class PixelCNN(nn.Module):
    """Levels of pixels (rows, side, side) -> logits (rows, levels, side, side) of the same."""

    def __init__(self, levels: int, width: int) -> None:
        super().__init__()
        self.levels = levels
        self.first = MaskedConv(1, width, True)
        self.rest = nn.ModuleList([MaskedConv(width, width, False) for _ in range(2)])
        self.out = nn.Conv2d(width, levels, 1)

    def forward(self, x: Any) -> rg.Tensor:
        x = rg.unsqueeze(rg.Tensor(x).astype("float32"), 1) / (self.levels - 1) * 2 - 1
        x = nn.functional.elu(self.first(x))
        for layer in self.rest:
            x = x + nn.functional.elu(layer(x))
        return self.out(nn.functional.elu(x))


@healthy(
    "lightning-uvadlc-pixelcnn",
    source=f"{COURSE}/10-autoregressive-image-modeling",
    shape="dense targets",
)
def pixelcnn() -> Training:
    """The distribution of each pixel's level of five, given the pixels before: masked layers."""
    (x, _), (x_valid, _) = digits()
    x, x_valid = (np.rint(each.reshape(-1, 8, 8) * 4).astype(np.int64) for each in (x, x_valid))

    def score(predict: Predict) -> float:
        """Bits a pixel that are saved against the levels' shares at each place."""
        shares = np.stack([(x == level).mean(0) for level in range(5)]) + 1e-3
        base = -np.log2(np.take_along_axis(shares[None], x_valid[:, None], 1)).mean()
        logits = predict(x_valid)
        logits = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        return float(base + (np.take_along_axis(logits, x_valid[:, None], 1) / np.log(2)).mean())

    return Training(
        model=lambda: PixelCNN(5, 24),
        train=(x, x),
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-3),
        score=score,
        well=0.15,
        epochs=8,
        batch_size=64,
        valid=(x_valid, x_valid),
    )


class Embedder(nn.Module):
    """Images -> points; training and scores compare them with the means of their classes."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in ((3, 12), (12, width)):
            layers += [nn.Conv2d(n_in, n_out, 3, 2, 1), nn.BatchNorm2d(n_out), nn.ReLU()]
        self.net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * width, 16))

    def forward(self, x: Any) -> rg.Tensor:
        return self.net(x)


def prototype_loss(output: Any, classes: Any) -> Any:
    """Cross-entropy of minus the squared distances to the classes' means over the first half."""
    half = len(output) // 2
    hot = nn.functional.one_hot(rg.Tensor(classes), 4).astype("float32")
    means = hot[:half].T @ output[:half] / rg.unsqueeze(hot[:half].sum(0) + 1e-6, 1)
    apart = ((rg.unsqueeze(output[half:], 1) - means) ** 2).sum(2)
    return nn.cross_entropy(-apart, rg.Tensor(classes)[half:])


@healthy(
    "lightning-uvadlc-prototypical-network",
    source=f"{COURSE}/12-meta-learning",
    shape="contrastive",
)
def prototypical_network() -> Training:
    """Episodes of four images a class: queries find their class's mean among those given."""
    train, valid = split(*drawn_shapes(1600))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        of_class = [np.flatnonzero(train[1] == kind) for kind in range(4)]

        @rg.compile
        def step(x: Array, y: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = prototype_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(500):
            chosen = np.stack([rng.choice(rows, 8, replace=False) for rows in of_class])
            chosen = np.concatenate([chosen[:, :4].ravel(), chosen[:, 4:].ravel()])
            step(train[0][chosen], train[1][chosen])

    def score(predict: Predict) -> float:
        """Accuracy by the nearest mean of four given images a class, averaged over 20 draws."""
        rng, points, found = np.random.default_rng(0), predict(valid[0]), []
        for _ in range(20):
            given = [rng.choice(np.flatnonzero(valid[1] == kind), 4) for kind in range(4)]
            means = np.stack([points[rows].mean(0) for rows in given])
            found.append(((points[:, None] - means) ** 2).sum(2).argmin(1) == valid[1])
        return float(np.mean(found))

    return Training(
        model=Embedder,
        train=train,
        loss=prototype_loss,
        optimizer=lambda parameters: optim.AdamW(parameters, lr=5e-4),
        score=score,
        well=0.8,
        epochs=12,
        batch_size=32,
        valid=valid,
        fit=fit,
    )
