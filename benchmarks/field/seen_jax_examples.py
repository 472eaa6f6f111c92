"""Programs of the examples of JAX, Haiku and Equinox: the seen half."""

from __future__ import annotations

from typing import Any

import numpy as np
from collection import healthy
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

Array = np.ndarray[Any, Any]


class _SpiralGRU(nn.Module):
    """A GRU reads a spiral, its last state says which way round, as a probability."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRU(2, 16, batch_first=True)
        self.linear = nn.Linear(16, 1, bias=False)
        self.bias = rg.Parameter(np.zeros(1, np.float32))

    def forward(self, x: Any) -> Any:
        return rg.sigmoid(self.linear(self.cell(x)[1][0]) + self.bias)


@healthy(
    "jax-equinox-spiral-rnn",
    source="https://docs.kidger.site/equinox/examples/train_rnn/",
    shape="one output",
)
def spirals() -> Training:
    """Clockwise or not? 200 steps on 10,000 spirals, the cross-entropy written out.

    The first half is of one class; the loader shuffles.
    """
    rng = np.random.default_rng(0)
    time = np.linspace(0, 2 * np.pi, 16)
    phase = rng.uniform(0, 2 * np.pi, (10_000, 1))
    x = np.stack([np.sin(time + phase), np.cos(time + phase)], -1) / (1 + time[:, None])
    x[:5000, :, 0] *= -1
    y = np.repeat(np.float32([0, 1]), 5000)[:, None]
    x = x.astype(np.float32)

    def loss(output: Any, target: Any) -> Any:
        return -(target * rg.log(output) + (1 - target) * rg.log(1 - output)).mean()

    return Training(
        _SpiralGRU,
        (x[::2], y[::2]),
        loss,
        lambda parameters: optim.Adam(parameters, lr=3e-3),
        lambda predict: float(np.mean((predict(x) > 0.5) == y)),
        well=0.99,
        epochs=2,
        batch_size=40,
    )


@healthy(
    "jax-equinox-frozen-layer",
    source="https://docs.kidger.site/equinox/examples/frozen_layer/",
    shape="fine-tuning",
)
def frozen_layer() -> Training:
    """y = 5 x - 2 by a small network of which only the last layer is trained."""
    x = np.random.default_rng(0).normal(0, 1, (10_000, 1)).astype(np.float32)
    y = 5 * x - 2

    def model() -> nn.Module:
        first = nn.Linear(1, 8).requires_grad_(False)
        return nn.Sequential(first, nn.ReLU(), nn.Linear(8, 1))

    return Training(
        model,
        (x, y),
        lambda output, target: ((target - output) ** 2).mean(),
        lambda parameters: optim.SGD([p for p in parameters if p.requires_grad], lr=3e-3),
        lambda predict: 1 - float(np.mean((predict(x) - y) ** 2) / y.var()),
        well=0.9,
        epochs=25,
        batch_size=256,
    )


class _SineLSTM(nn.Module):
    """An LSTM of 32 and a linear layer at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.core = nn.LSTM(1, 32, batch_first=True)
        self.linear = nn.Linear(32, 1)

    def forward(self, x: Any) -> Any:
        return self.linear(self.core(x)[0])


@healthy(
    "jax-haiku-lstm-sine",
    source="https://github.com/google-deepmind/dm-haiku/blob/main/examples/haiku_lstms.ipynb",
    shape="sequence",
)
def sine_waves() -> Training:
    """The next value of a sine wave at each of 64 steps, batches of 8, Adam at 1e-3."""
    rng = np.random.default_rng(0)
    time = np.arange(65) * (2 * np.pi / 48)
    waves = np.sin(time + rng.uniform(0, 2 * np.pi, (4128, 1)))[:, :, None].astype(np.float32)
    x, y = waves[:, :-1], waves[:, 1:]
    return Training(
        _SineLSTM,
        (x[128:], y[128:]),
        lambda output, target: ((output - target) ** 2).mean(),
        lambda parameters: optim.Adam(parameters, lr=1e-3),
        lambda predict: 1 - float(np.mean((predict(x[:128]) - y[:128]) ** 2) / y.var()),
        well=0.95,
        epochs=3,
        batch_size=8,
        valid=(x[:128], y[:128]),
        shuffle=False,
    )


@healthy(
    "jax-kernel-lsq",
    source="https://github.com/jax-ml/jax/blob/main/examples/kernel_lsq.py",
    shape="one output",
)
def kernel_least_squares() -> Training:
    """Kernel least squares: a weight for each of 100 rows, found with momentum from 0.

    The inputs are the rows of the Gram matrix, the loss a sum, the learning rate 1e-6.
    """
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 1, (100, 20))
    y = (rows @ rng.normal(0, 1, (20, 1))).astype(np.float32)
    gram = (rows @ rows.T).astype(np.float32)

    def model() -> nn.Module:
        weights = nn.Linear(100, 1, bias=False)
        init.zeros_(weights.weight)
        return weights

    return Training(
        model,
        (gram, y),
        lambda output, target: 0.5 * ((output - target) ** 2).sum(),
        lambda parameters: optim.SGD(parameters, lr=1e-6, momentum=0.9, weight_decay=0.02),
        lambda predict: 1 - float(np.mean((predict(gram) - y) ** 2) / y.var()),
        well=0.95,
        epochs=5000,
        batch_size=100,
    )
