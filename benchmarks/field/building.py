"""Parts of several programs: optimizers, figures and small networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from data import Rows, mnist_images
from training import batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init
from retrograd.nn.functional import nll_loss

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]


class MeanOverTime(nn.Module):
    """(rows, time, size) to (rows, size)."""

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return x.mean(1)


class Turned(nn.Module):
    """(rows, time, size) to (rows, size, time), as convolutions want it."""

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return rg.transpose(x, 1, 2)


def accuracy(rows: tuple[Any, Array]) -> Callable[[Predict], float]:
    """The share of `rows` whose class the largest output names."""
    return lambda predict: float((predict(rows[0]).argmax(1) == rows[1]).mean())


def adam(lr: float = 1e-3) -> Callable[[Iterator[nn.Parameter]], optim.Optimizer]:
    """Adam, made for the parameters that come."""
    return lambda parameters: optim.Adam(parameters, lr=lr)


def agreement(rows: tuple[Any, Array], above: float = 0.5) -> Callable[[Predict], float]:
    """The share of `rows` on whose side of `above` the one output is."""
    return lambda predict: float(((predict(rows[0])[:, 0] > above) == (rows[1] > 0)).mean())


def as_one_hot(rows: Rows) -> Rows:
    """The same rows with labels (rows, 10)."""
    return rows[0], np.eye(10, dtype=np.float32)[rows[1]]


def closeness(fake, real):
    """1 minus the distance of two clouds' sorted coordinates in deviations of the real one."""
    away = np.abs(np.sort(fake, 0) - np.sort(real, 0)).mean(0) / real.std(0)
    return 1 - away.mean()


def cloud(rows):
    """Points around two centres."""
    rng = np.random.default_rng(5)
    centre = np.array([[2.0, -1.0], [-0.5, 1.5]])[rng.integers(0, 2, rows)]
    return (centre + rng.normal(0, 0.4, (rows, 2))).astype(np.float32)


def drawn(model, std, bias=0.0):
    """The model with normal weights of deviation `std` and constant biases."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            init.normal_(module.weight, std=std)
            if module.bias is not None:
                init.constant_(module.bias, bias)
    return model


def every_place(output, target):
    """Cross-entropy over all places of all rows."""
    return nn.cross_entropy(output.reshape(-1, output.shape[-1]), target.reshape(-1))


def explained(inputs: Any, target: Array) -> Callable[[Predict], float]:
    """The share of the target's variance that the output explains."""
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)

    def score(predict: Predict) -> float:
        errors = predict(*inputs).reshape(target.shape) - target
        return float(1 - (errors**2).mean() / target.var())

    return score


def fit_of(rows):
    """R² on some rows."""
    x, y = rows
    return lambda predict: 1 - np.square(predict(x).reshape(y.shape) - y).mean() / y.var()


def flat(rows: Rows) -> Rows:
    """The same rows with the pixels of an image in one row."""
    return rows[0].reshape(len(rows[0]), -1), rows[1]


def flat_mnist(rows=2500):
    """MNIST as (rows, 784) and one-hot labels."""
    halves = mnist_images(rows, 28)
    return tuple((x.reshape(len(x), -1), np.eye(10, dtype=np.float32)[y]) for x, y in halves)


def he(model):
    """The model with He's normal weights and zero biases."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            init.kaiming_normal_(module.weight)
            init.zeros_(module.bias)
    return model


def hits(rows):
    """The share of right classes."""
    x, y = rows
    return lambda predict: (predict(x).argmax(-1) == y).mean()


def keras_cross_entropy(output: Any, target: Any) -> Any:
    """Keras' binary_crossentropy: probabilities (rows, 1) kept off 0 and 1, any targets (rows,)."""
    p = rg.clip(output[:, 0], 1e-7, 1 - 1e-7)
    return -(target * rg.log(p) + (1 - target) * rg.log(1 - p)).mean()


def net(*sizes):
    """Linear layers with ReLU between them."""
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def rmsprop(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's RMSprop."""
    return lambda parameters: optim.RMSprop(parameters, lr, 0.9, eps=1e-7)


def scheduled(
    train: tuple[Array, Array],
    loss: Callable[[Any, Any], Any],
    epochs: int,
    batch_size: int,
    schedule: Callable[[optim.Optimizer], Any],
    clip: float | None = None,
) -> Callable[[nn.Module, optim.Optimizer, np.random.Generator], None]:
    """The usual loop with a schedule that steps after each epoch, and gradients held to a norm."""

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        plan = schedule(optimizer)

        @rg.compile
        def step(x: Array, y: Array) -> rg.Tensor:
            optimizer.zero_grad()
            value = loss(model(x), y)
            value.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            return value

        for _ in range(epochs):
            model.train()
            for (x,), y in batches(train, batch_size, rng):
                step(x, y)
            plan.step()

    return fit


def sgd(lr: float, **options: Any) -> Callable[[Iterator[nn.Parameter]], optim.Optimizer]:
    """Gradient descent, made for the parameters that come."""
    return lambda parameters: optim.SGD(parameters, lr=lr, **options)


def softmax_cross_entropy(output: Any, target: Any) -> Any:
    """Keras' categorical_crossentropy of probabilities and classes."""
    return nn.nll_loss(rg.log(rg.clip(output, 1e-7, 1.0)), target)


def sparse_crossentropy(probabilities: rg.Tensor, target: Any) -> rg.Tensor:
    """Keras's, of probabilities along axis 1 and class indices."""
    return nll_loss(rg.log(rg.clip(probabilities, 1e-7, 1.0)), target)
