"""Programs of the deep-learning course that Lightning hosts: first networks and attention."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from building import accuracy
from collection import healthy
from data import drawn_shapes, mixed_mnist, split
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Loop = Callable[[nn.Module, optim.Optimizer, np.random.Generator], None]

COURSE = "https://github.com/Lightning-AI/tutorials/tree/main/course_UvA-DL"


@healthy(
    "lightning-uvadlc-continuous-xor",
    source=f"{COURSE}/01-introduction-to-pytorch",
    shape="one output",
)
def continuous_xor() -> Training:
    """The exclusive or of two noisy bits: four hidden units, one logit, rate 0.1."""

    def rows(count: int, seed: int) -> tuple[Array, Array]:
        rng = np.random.default_rng(seed)
        bits = rng.integers(0, 2, (count, 2))
        noisy = bits + rng.normal(0, 0.1, (count, 2))
        return noisy.astype(np.float32), (bits.sum(1) == 1).astype(np.float32)

    train, valid = rows(2500, 0), rows(500, 1)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0, 1)),
        train=train,
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.1),
        score=lambda predict: float(((predict(valid[0]) > 0) == (valid[1] > 0.5)).mean()),
        well=0.98,
        epochs=100,
        batch_size=125,
    )


@healthy(
    "lightning-uvadlc-activation-functions",
    source=f"{COURSE}/02-activation-functions",
    shape="classes",
)
def activation_functions() -> Training:
    """The course's four hidden layers, here with Swish, momentum of 0.9 and a rate of 0.01."""
    (x, y), (x_valid, y_valid) = mixed_mnist(2560)
    train, valid = (2 * x - 1, y), (2 * x_valid - 1, y_valid)

    def model() -> nn.Module:
        widths = (784, 256, 128, 128, 64)
        layers: list[nn.Module] = [nn.Flatten()]
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.SiLU()]
            nn.init.kaiming_normal_(layers[-2].weight, nonlinearity="relu")
            nn.init.zeros_(layers[-2].bias)
        return nn.Sequential(*layers, nn.Linear(64, 10))

    return Training(
        model=model,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.01, momentum=0.9),
        score=accuracy(valid),
        well=0.88,
        epochs=12,
        batch_size=256,
        valid=valid,
    )


class Attender(nn.Module):
    """One-hot or plain vectors (rows, places, n) -> scores (rows, outputs, places).

    A linear layer, positions if wanted, encoder blocks, two linear layers with a norm between.
    """

    def __init__(
        self, n: int, width: int, outputs: int, heads: int, depth: int, positions: bool
    ) -> None:
        super().__init__()
        self.put_in = nn.Linear(n, width)
        self.positions = nn.SinusoidalPositions(width) if positions else nn.Identity()
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, 0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth)
        self.put_out = nn.Sequential(
            nn.Linear(width, width), nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, outputs)
        )

    def forward(self, x: Any) -> rg.Tensor:
        x = self.encoder(self.positions(self.put_in(x)))
        return rg.transpose(self.put_out(x), 1, 2)


def warmed(train: tuple[Array, Array], loss: Any, epochs: int, size: int, clip: float) -> Loop:
    """The usual loop, gradients held to a norm; the rate rises for 50 steps, then is a cosine."""
    total = epochs * (len(train[1]) // size)

    def share(step: Any) -> Any:
        return min((step + 1) / 50, 1.0) * 0.5 * (1 + np.cos(np.pi * step / total))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        plan = optim.lr_scheduler.LambdaLR(optimizer, share)

        @rg.compile
        def step(x: Array, y: Array) -> rg.Tensor:
            optimizer.zero_grad()
            value = loss(model(x), y)
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            return value

        for _ in range(epochs):
            for (x,), y in batches(train, size, rng):
                step(x, y)
                plan.step()

    return fit


@healthy(
    "lightning-uvadlc-reverse-transformer",
    source=f"{COURSE}/05-transformers-and-MH-attention",
    shape="sequence",
)
def reverse_transformer() -> Training:
    """Sixteen digits to the same in reverse: one block, one head, width 32."""

    def rows(count: int, seed: int) -> tuple[Array, Array]:
        digits = np.random.default_rng(seed).integers(0, 10, (count, 16))
        return np.eye(10, dtype=np.float32)[digits], digits[:, ::-1].copy()

    train, valid = rows(5120, 0), rows(512, 1)
    return Training(
        model=lambda: Attender(10, 32, 10, 1, 1, positions=True),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, lr=5e-3),
        score=accuracy(valid),
        well=0.95,
        epochs=7,
        batch_size=128,
        valid=valid,
        fit=warmed(train, nn.cross_entropy, 7, 128, 5.0),
    )


@healthy(
    "lightning-uvadlc-set-anomaly",
    source=f"{COURSE}/05-transformers-and-MH-attention",
    shape="other",
)
def set_anomaly() -> Training:
    """Which of six images' features is of another class than the rest: attention without order."""
    x, y = drawn_shapes(1600)
    features = x.reshape(len(x), 3, 8, 2, 8, 2).mean((1, 3, 5)).reshape(len(x), 64)
    features = (features - features.mean(1, keepdims=True)) / features.std(1, keepdims=True)

    def rows(pool: Array, count: int, seed: int) -> tuple[Array, Array]:
        rng = np.random.default_rng(seed)
        of_class = [pool[y[pool] == kind] for kind in range(4)]
        sets, odd = np.zeros((count, 6, 64), np.float32), rng.integers(0, 6, count)
        for each, place in zip(sets, odd, strict=True):
            common, other = rng.choice(4, 2, replace=False)
            each[:] = features[rng.choice(of_class[common], 6, replace=False)]
            each[place] = features[rng.choice(of_class[other])]
        return sets, odd

    def model() -> nn.Module:
        return nn.Sequential(Attender(64, 48, 1, 4, 2, positions=False), nn.Flatten())

    train, valid = rows(np.arange(1280), 3840, 0), rows(np.arange(1280, 1600), 512, 1)
    return Training(
        model=model,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, lr=1e-3),
        score=accuracy(valid),
        well=0.7,
        epochs=9,
        batch_size=64,
        valid=valid,
        fit=warmed(train, nn.cross_entropy, 9, 64, 2.0),
    )


class PatchTransformer(nn.Module):
    """Images as patches of 4 x 4, a class token before them, blocks that normalize first."""

    def __init__(self, classes: int, patches: int, width: int = 24, depth: int = 2) -> None:
        super().__init__()
        self.patch = nn.Linear(48, width)
        self.token = rg.Parameter(np.zeros((1, 1, width), np.float32))
        self.places = rg.Parameter(np.zeros((1, patches + 1, width), np.float32))
        nn.init.normal_(self.token)
        nn.init.normal_(self.places)
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, classes))

    def forward(self, x: Any) -> rg.Tensor:
        n, channels, height, width = x.shape
        x = rg.Tensor(x).reshape(n, channels, height // 4, 4, width // 4, 4)
        x = rg.permute(x, (0, 2, 4, 1, 3, 5)).reshape(n, height * width // 16, 16 * channels)
        token = rg.broadcast_to(self.token, (n, 1, self.token.shape[2]))
        x = rg.concatenate([token, self.patch(x)], 1) + self.places
        return self.head(self.encoder(self.dropout(x))[:, 0])


@healthy(
    "lightning-uvadlc-vision-transformer",
    source=f"{COURSE}/11-vision-transformer",
    shape="classes",
)
def vision_transformer() -> Training:
    """A small vision transformer by AdamW, a tenth of the rate for the last quarter."""
    (x, y), (x_valid, y_valid) = split(*drawn_shapes(2000))
    x, x_valid = (x - x.mean()) / x.std(), (x_valid - x.mean()) / x.std()

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        plan = optim.lr_scheduler.StepLR(optimizer, 14, gamma=0.1)

        @rg.compile
        def step(images: Array, classes: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(images), classes)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            return loss

        for _ in range(18):
            for (images,), classes in batches((x, y), 64, rng):
                step(images, classes)
            plan.step()

    return Training(
        model=lambda: PatchTransformer(4, 16),
        train=(x, y),
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.AdamW(parameters, lr=1e-3),
        score=accuracy((x_valid, y_valid)),
        well=0.75,
        epochs=18,
        batch_size=64,
        valid=(x_valid, y_valid),
        fit=fit,
    )
