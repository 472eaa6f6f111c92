"""Programs of Lightning's examples: classifiers, and learning without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from building import accuracy
from collection import healthy
from data import drawn_shapes, mixed_mnist, split
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Loop = Callable[[nn.Module, optim.Optimizer, np.random.Generator], None]

EXAMPLES = "https://github.com/Lightning-AI/tutorials/tree/main/lightning_examples"
COURSE = "https://github.com/Lightning-AI/tutorials/tree/main/course_UvA-DL"


def adam(lr: float, **options: Any) -> Callable[[Iterator[nn.Parameter]], optim.Optimizer]:
    """Adam, made for the parameters that come."""
    return lambda parameters: optim.Adam(parameters, lr=lr, **options)


@healthy("lightning-mnist-hello-world", source=f"{EXAMPLES}/mnist-hello-world", shape="classes")
def hello_world() -> Training:
    """One linear layer and a ReLU before the cross-entropy, Adam at 0.02, rows in their order."""
    train, valid = mixed_mnist(3200)
    return Training(
        model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.ReLU()),
        train=train,
        loss=nn.cross_entropy,
        optimizer=adam(0.02),
        score=accuracy(valid),
        well=0.8,
        epochs=30,
        batch_size=64,
        shuffle=False,
    )


@healthy(
    "lightning-mnist-hello-world-dropout",
    source=f"{EXAMPLES}/mnist-hello-world",
    shape="classes",
)
def hello_world_dropout() -> Training:
    """Two hidden layers of 64 with a little dropout, log-probabilities, Adam at 0.0002."""
    train, valid = ((((x - 0.1307) / 0.3081).astype(np.float32), y) for x, y in mixed_mnist(3200))

    def model() -> nn.Module:
        layers: list[nn.Module] = [nn.Flatten()]
        for n_in in (784, 64):
            layers += [nn.Linear(n_in, 64), nn.ReLU(), nn.Dropout(0.1)]
        return nn.Sequential(*layers, nn.Linear(64, 10), nn.LogSoftmax(dim=1))

    return Training(
        model=model,
        train=train,
        loss=nn.nll_loss,
        optimizer=adam(2e-4),
        score=accuracy(valid),
        well=0.85,
        epochs=25,
        batch_size=64,
        valid=valid,
        shuffle=False,
    )


class SmallResNet(nn.Module):
    """A stem, a residual block, a strided convolution: images -> log-probabilities."""

    def __init__(self, classes: int, width: int = 12) -> None:
        super().__init__()

        def conv(n_in: int, n_out: int, stride: int, *last: nn.Module) -> nn.Module:
            layers = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out)
            return nn.Sequential(*layers, *last)

        self.stem = conv(3, width, 1, nn.ReLU(), nn.MaxPool2d(2))
        self.block = nn.Sequential(conv(width, width, 1, nn.ReLU()), conv(width, width, 1))
        self.down = conv(width, 2 * width, 2, nn.ReLU())
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, classes)
        )

    def forward(self, x: Any) -> rg.Tensor:
        x = self.stem(x)
        x = self.down(rg.relu(x + self.block(x)))
        return rg.log_softmax(self.head(x), dim=1)


@healthy(
    "lightning-cifar10-baseline-onecycle",
    source=f"{EXAMPLES}/cifar10-baseline",
    shape="classes",
)
def cifar10_baseline() -> Training:
    """A residual network by momentum under a one-cycle schedule, flipped at random."""
    (x, y), (x_valid, y_valid) = split(*drawn_shapes(1500, 20))
    x, x_valid = (x - x.mean()) / x.std(), (x_valid - x.mean()) / x.std()

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        plan = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=7 * 38)

        @rg.compile
        def step(images: Array, classes: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = nn.nll_loss(model(images), classes)
            loss.backward()
            optimizer.step()
            plan.step()
            return loss

        for _ in range(7):
            for (images,), classes in batches((x, y), 32, rng):
                step(images if rng.random() < 0.5 else images[..., ::-1].copy(), classes)

    return Training(
        model=lambda: SmallResNet(4),
        train=(x, y),
        loss=nn.nll_loss,
        optimizer=lambda parameters: optim.SGD(
            parameters, lr=0.05, momentum=0.9, weight_decay=5e-4
        ),
        score=accuracy((x_valid, y_valid)),
        well=0.9,
        epochs=7,
        batch_size=32,
        valid=(x_valid, y_valid),
        fit=fit,
    )


def changed(images: Array, rng: np.random.Generator) -> Array:
    """Images moved by up to two pixels, mirrored half of the time, brighter or darker."""
    images = np.roll(images, tuple(rng.integers(-2, 3, 2)), (2, 3))
    mirrored = rng.random((len(images), 1, 1, 1)) < 0.5
    light = rng.uniform(0.7, 1.3, (len(images), 3, 1, 1)).astype(np.float32)
    return np.where(mirrored, images[..., ::-1], images) * light


class Projector(nn.Module):
    """Images -> codes after a projection; `encoder` gives what is used later."""

    def __init__(self, last: nn.Module, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in ((3, 12), (12, width), (width, width)):
            layers += [nn.Conv2d(n_in, n_out, 3, 2, 1), nn.BatchNorm2d(n_out), nn.ReLU()]
        self.encoder = nn.Sequential(*layers, nn.Flatten())
        self.head = last

    def forward(self, x: Any) -> rg.Tensor:
        return self.head(self.encoder(x))


def two_views(
    x: Array, loss: Callable[[Any, Any], Any], epochs: int, warm_steps: int, kept: list[Any]
) -> Loop:
    """Each batch twice, changed differently; the rate rises over the first steps.

    The trained model is put into `kept`.
    """

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        plan = optim.lr_scheduler.LambdaLR(optimizer, lambda t: min((t + 1) / warm_steps, 1.0))

        @rg.compile
        def step(both: Array) -> rg.Tensor:
            optimizer.zero_grad()
            value = loss(model(both), None)
            value.backward()
            optimizer.step()
            return value

        for _ in range(epochs):
            for rows in rng.permutation(len(x) // 64 * 64).reshape(-1, 64):
                step(np.concatenate([changed(x[rows], rng), changed(x[rows], rng)]))
                plan.step()
        kept[:] = [model]

    return fit


def probed(
    rows: tuple[Array, Array], valid: tuple[Array, Array], kept: list[Any]
) -> Callable[[Predict], float]:
    """How often logistic regression finds the class from what the kept model's encoder gives."""

    def score(predict: Predict) -> float:
        (model,) = kept
        with nn.evaluating(model), rg.no_grad():
            given, found = (model.encoder(x).numpy() for x, _ in (rows, valid))
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        return float(probe.fit(given, rows[1]).score(found, valid[1]))

    return score


def info_nce(output: Any, target: Any) -> Any:
    """Of all other codes in a batch, the view of the same image is to be the nearest (0.07)."""
    codes = nn.functional.normalize(output)
    rows = len(codes)
    alike = codes @ codes.T / 0.07 - 9e15 * np.eye(rows, dtype=np.float32)
    partner = np.roll(np.arange(rows), rows // 2)
    return nn.cross_entropy(alike, partner)


@healthy("lightning-uvadlc-simclr", source=f"{COURSE}/13-contrastive-learning", shape="contrastive")
def simclr() -> Training:
    """Two views of each shape are to find each other among all of the batch; no labels."""
    (train, valid), kept = split(*drawn_shapes(1600)), []

    def model() -> nn.Module:
        return Projector(nn.Sequential(nn.Linear(96, 64), nn.ReLU(), nn.Linear(64, 16)))

    return Training(
        model=model,
        train=train,
        loss=info_nce,
        optimizer=lambda parameters: optim.AdamW(parameters, lr=5e-4, weight_decay=1e-4),
        score=probed(train, valid, kept),
        well=0.7,  # logistic regression on the pixels has 0.68
        epochs=14,
        batch_size=128,
        fit=two_views(train[0], info_nce, 14, 1, kept),
    )


def barlow(output: Any, target: Any) -> Any:
    """The correlations of two views' codes, to be 1 for the same number and 0 for others."""
    half = len(output) // 2
    one, other = (
        (each - each.mean(0)) / (rg.std(each, dim=0) + 1e-6)
        for each in (output[:half], output[half : 2 * half])
    )
    apart = one.T @ other / half - np.eye(output.shape[1], dtype=np.float32)
    same = np.eye(output.shape[1], dtype=np.float32)
    return (same * apart**2).sum() + 0.005 * ((1 - same) * apart**2).sum()


@healthy("lightning-barlow-twins", source=f"{EXAMPLES}/barlow-twins", shape="contrastive")
def barlow_twins() -> Training:
    """Two views of each shape with the same code and no number of it twice; Adam, warmed up."""
    (train, valid), kept = split(*drawn_shapes(1600)), []

    def model() -> nn.Module:
        layers = nn.Linear(96, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 32, bias=False)
        return Projector(nn.Sequential(*layers))

    return Training(
        model=model,
        train=train,
        loss=barlow,
        optimizer=adam(1e-3),
        score=probed(train, valid, kept),
        well=0.7,  # logistic regression on the pixels has 0.68
        epochs=20,
        batch_size=128,
        fit=two_views(train[0], barlow, 20, 40, kept),
    )


@healthy(
    "lightning-uvadlc-conv-autoencoder",
    source=f"{COURSE}/08-deep-autoencoders",
    shape="autoencoder",
)
def conv_autoencoder() -> Training:
    """Small images through 32 numbers by convolutions and transposed ones, errors summed."""
    (x, _), (x_valid, _) = split(*drawn_shapes(1200))
    x, x_valid = 2 * x - 1, 2 * x_valid - 1

    class Autoencoder(nn.Module):
        """Images from -1 to 1 -> the same, by GELU."""

        def __init__(self, width: int = 8, code: int = 32) -> None:
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Conv2d(3, width, 3, 2, 1),
                nn.GELU(),
                nn.Conv2d(width, 2 * width, 3, 2, 1),
                nn.GELU(),
                nn.Flatten(),
                nn.Linear(32 * width, code),
            )
            self.linear = nn.Sequential(nn.Linear(code, 32 * width), nn.GELU())
            self.decoder = nn.Sequential(
                nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1),
                nn.GELU(),
                nn.Conv2d(width, width, 3, 1, 1),
                nn.GELU(),
                nn.ConvTranspose2d(width, 3, 3, 2, 1, 1),
                nn.Tanh(),
            )

        def forward(self, x: Any) -> rg.Tensor:
            code = self.linear(self.encoder(x))
            return self.decoder(code.reshape(len(code), -1, 4, 4))

    def loss(output: Any, target: Any) -> Any:
        return ((output - target) ** 2).sum((1, 2, 3)).mean()

    def score(predict: Predict) -> float:
        return float(1 - ((predict(x_valid) - x_valid) ** 2).mean() / x_valid.var(0).mean())

    return Training(
        model=Autoencoder,
        train=(x, x),
        loss=loss,
        optimizer=adam(1e-3),
        score=score,
        well=0.7,
        epochs=35,
        batch_size=32,
        valid=(x_valid, x_valid),
    )
