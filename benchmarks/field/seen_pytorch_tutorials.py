"""Programs of the official PyTorch tutorials: polynomials, random rows, images, a teacher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import accuracy, sgd
from collection import healthy
from data import digits, mixed_mnist
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]

TUTORIALS = "https://pytorch.org/tutorials"


def r_squared(rows: tuple[Any, Array]) -> Callable[[Predict], float]:
    """The share of the target's variance in `rows` that the output explains."""
    return lambda predict: float(1 - ((predict(rows[0]) - rows[1]) ** 2).mean() / rows[1].var())


@healthy(
    "pytorch-tutorials-polynomial-sine",
    source=f"{TUTORIALS}/beginner/pytorch_with_examples.html",
    shape="one output",
)
def polynomial_sine() -> Training:
    """A polynomial of the third degree fitted to a sine: 2,000 steps on all points."""
    x = np.linspace(-np.pi, np.pi, 2000)
    rows = np.stack([x, x**2, x**3], 1).astype(np.float32), np.sin(x).astype(np.float32)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1)),
        train=rows,
        loss=nn.MSELoss(reduction="sum"),
        optimizer=sgd(1e-6),
        score=r_squared(rows),
        well=0.95,
        epochs=2000,
        batch_size=2000,
        shuffle=False,
    )


@healthy(
    "pytorch-tutorials-two-layer-net-random-data",
    source="https://github.com/jcjohnson/pytorch-examples",
    shape="numbers",
)
def two_layer_net() -> Training:
    """A two-layer network that fits 64 rows of random numbers to random numbers, 500 steps."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(64, 1000)), rng.normal(size=(64, 10))
    rows = rows[0].astype(np.float32), rows[1].astype(np.float32)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(1000, 100), nn.ReLU(), nn.Linear(100, 10)),
        train=rows,
        loss=nn.MSELoss(reduction="sum"),
        optimizer=sgd(1e-4),
        score=r_squared(rows),
        well=0.9,
        epochs=500,
        batch_size=64,
        shuffle=False,
    )


@healthy(
    "pytorch-tutorials-what-is-torch-nn-cnn",
    source=f"{TUTORIALS}/beginner/nn_tutorial.html",
    shape="classes",
)
def what_is_torch_nn_cnn() -> Training:
    """Three strided convolutions, each before a ReLU, also the last, and the mean over places."""
    train, valid = ((x[:, None], y) for x, y in mixed_mnist(4000))

    def model() -> nn.Module:
        layers: list[nn.Module] = []
        for n_in, n_out in ((1, 16), (16, 16), (16, 10)):
            layers += [nn.Conv2d(n_in, n_out, 3, stride=2, padding=1), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    return Training(
        model=model,
        train=train,
        loss=nn.cross_entropy,
        optimizer=sgd(0.1, momentum=0.9),
        score=accuracy(valid),
        well=0.8,
        epochs=12,
        batch_size=64,
        valid=valid,
    )


@healthy(
    "pytorch-tutorials-knowledge-distillation",
    source=f"{TUTORIALS}/beginner/knowledge_distillation_tutorial.html",
    shape="dense targets",
)
def knowledge_distillation() -> Training:
    """A small network learns the classes and a trained teacher's softened outputs, 3 parts of 4."""
    (x, y), (x_valid, y_valid) = digits()
    rg.manual_seed(7)
    teacher = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    tutor = optim.Adam(teacher.parameters(), lr=0.001)

    @rg.compile
    def teach(rows: Array, classes: Array) -> None:
        tutor.zero_grad()
        nn.cross_entropy(teacher(rows), classes).backward()
        tutor.step()

    for start in list(range(0, 1408, 128)) * 15:
        teach(x[start : start + 128], y[start : start + 128])
    with rg.no_grad():
        logits = teacher(x).numpy()
    target = np.hstack([np.eye(10, dtype=np.float32)[y], logits])

    def loss(output: Any, target: Any) -> Any:
        target = rg.Tensor(target)
        soft = rg.softmax(target[:, 10:] / 2, dim=1)
        apart = (soft * (rg.log(soft) - rg.log_softmax(output / 2, dim=1))).sum() / len(output)
        hard = -(target[:, :10] * rg.log_softmax(output, dim=1)).sum(1).mean()
        return 0.25 * apart * 2**2 + 0.75 * hard

    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10)),
        train=(x, target),
        loss=loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.001),
        score=accuracy((x_valid, y_valid)),
        well=0.9,
        epochs=60,
        batch_size=128,
    )
