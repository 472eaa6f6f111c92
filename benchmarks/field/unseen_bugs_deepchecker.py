"""Real and seeded bugs of TheDeepChecker's collection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import drawn, fit_of, flat_mnist, he
from collection import faulty
from data import mnist_images, split
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init


def hits(rows):
    """The share of right classes; the target holds class numbers or one-hot rows."""
    x, y = rows
    classes = y if y.ndim == 1 else y.argmax(1)
    return lambda predict: (predict(x).argmax(-1) == classes).mean()


@faulty(
    "deepchecker-ips17-parabola-summed-squares",
    source="https://github.com/thedeepchecker/thedeepchecker/blob/master/SO_buggy_examples/IPS_17.py",
    shape="one output",
    faults=("the squares are summed, which makes the learning rate of 0.01 too high",),
    right=("RG201", "RG202"),
)
def deepchecker_ips17_parabola_summed_squares() -> tuple[Training, Training]:
    """A parabola with three coefficients from 0 through four points, gradient descent at 0.01."""

    class Parabola(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = (rg.Parameter(np.zeros(1, np.float32)) for _ in range(3))

        def forward(self, x):
            return self.a * x**2 + self.b * x + self.c

    x = np.arange(4, dtype=np.float32)[:, None]
    fixed = Training(
        model=Parabola,
        train=(x, x**2),
        loss=lambda output, target: ((output - target) ** 2).mean(),
        optimizer=lambda parameters: optim.SGD(parameters, 0.01),
        score=fit_of((x, x**2)),
        well=0.99,
        epochs=1000,
        batch_size=4,
    )
    return replace(fixed, loss=lambda output, target: ((output - target) ** 2).sum()), fixed


@faulty(
    "deepchecker-ips11-relu-on-logits",
    source="https://github.com/thedeepchecker/thedeepchecker/blob/master/SO_buggy_examples/IPS_11.py",
    shape="classes",
    faults=("the layer of the logits ends in a ReLU as well",),
    right=("RG404", "RG103"),
)
def deepchecker_ips11_relu_on_logits() -> tuple[Training, Training]:
    """The TensorBoard tutorial's MNIST network, each layer with ReLU, even that of the logits."""
    train, test = mnist_images(2000, 14)

    def start(*last):
        return drawn(
            nn.Sequential(
                *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2, ceil_mode=True)),
                *(nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10), *last),
            ),
            0.1,
            0.1,
        )

    fixed = Training(
        model=start,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=hits(test),
        well=0.9,
        epochs=7,
        batch_size=50,
    )
    return replace(fixed, model=lambda: start(nn.ReLU())), fixed


@faulty(
    "deepchecker-ips13-heart-unscaled-fast-decayed",
    source="https://github.com/thedeepchecker/thedeepchecker/blob/master/SO_buggy_examples/IPS_13.py",
    shape="classes",
    faults=(
        "nine measurements as they come",
        "Adam at 0.5",
        "a penalty of weight 1 on the weights",
    ),
    right=("RG301", "RG201", "RG202", "RG215"),
)
def deepchecker_ips13_heart_unscaled_fast_decayed() -> tuple[Training, Training]:
    """Softmax regression of heart disease on nine measurements in batches of 7, Adam at 0.5."""
    rng = np.random.default_rng(0)
    sick = rng.random(462) < 0.35
    means = np.array([138, 3.6, 4.7, 25, 0.4, 53, 26, 17, 43])
    spreads = np.array([20, 4.6, 2, 7.8, 0.5, 10, 4.2, 24, 15])
    pull = np.array([0.4, 0.9, 0.8, 0.6, 0.8, 0.3, 0.2, 0.2, 1.2])
    raw = means + spreads * (rng.normal(size=(462, 9)) + 1.2 * pull * (sick[:, None] - 0.35))
    raw, labels = raw.astype(np.float32), sick.astype(np.int64)
    scaled = (raw - raw.mean(0)) / raw.std(0)

    def start():
        return drawn(nn.Sequential(nn.Linear(9, 2)), 1.0)

    def heart(inputs, lr, decay):
        train, test = split(inputs, labels)
        return Training(
            model=start,
            train=train,
            loss=nn.cross_entropy,
            optimizer=lambda parameters: optim.Adam(parameters, lr, weight_decay=decay),
            score=hits(test),
            well=0.75,
            epochs=20,
            batch_size=7,
        )

    return heart(raw, 0.5, 1.0), heart(scaled, 0.01, 0.0)


@faulty(
    "deepchecker-tfe-368-mlp-without-activation",
    source="https://github.com/aymericdamien/TensorFlow-Examples/issues/368",
    shape="classes",
    faults=("no activation between the layers", "standard normal weights", "Adam at 0.1"),
    right=("RG109", "RG107", "RG406", "RG201", "RG202"),
)
def deepchecker_tfe_368_mlp_without_activation() -> tuple[Training, Training]:
    """Two hidden layers on MNIST without any activation, standard normal weights, Adam at 0.1."""
    train, test = flat_mnist()

    def start(std, *activation):
        layers = (
            *(nn.Linear(784, 128), *activation, nn.Linear(128, 128), *activation),
            nn.Linear(128, 10),
        )
        return drawn(nn.Sequential(*layers), std)

    fixed = Training(
        model=lambda: start(0.06, nn.ReLU()),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=hits(test),
        well=0.88,
        epochs=10,
        batch_size=128,
    )
    wrong = replace(
        fixed,
        model=lambda: start(1.0),
        optimizer=lambda parameters: optim.Adam(parameters, 0.1),
    )
    return wrong, fixed


@faulty(
    "deepchecker-basecnn-over-regularized",
    source="https://github.com/thedeepchecker/thedeepchecker/blob/master/buggy_synthetic_programs/over_regulariaztion/baseCNN_over_reg.py",
    shape="classes",
    faults=("a penalty on squared weights that hinders the learning",),
    right=("RG215",),
)
def deepchecker_basecnn_over_regularized() -> tuple[Training, Training]:
    """A small convolutional network on MNIST by SGD with a penalty on squared weights."""
    train, test = mnist_images(2000, 14)

    def start():
        return he(
            nn.Sequential(
                *(nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
                *(nn.Flatten(), nn.Linear(216, 128), nn.ReLU(), nn.Linear(128, 10)),
            )
        )

    fixed = Training(
        model=start,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, 0.1, weight_decay=2e-5),
        score=hits(test),
        well=0.9,
        epochs=6,
        batch_size=32,
    )
    wrong = replace(fixed, optimizer=lambda p: optim.SGD(p, 0.1, weight_decay=0.2))
    return wrong, fixed


@faulty(
    "neuralint-lenet-constant-weights",
    source="https://github.com/neuralint/neuralint/blob/master/DNN-metamodel.gps/TF_lenet_constant_init.gst",
    shape="classes",
    faults=("all weights start at one value",),
    right=("RG106", "RG105"),
)
def neuralint_lenet_constant_weights() -> tuple[Training, Training]:
    """LeNet on MNIST whose weights all start at the same constant."""
    train, test = mnist_images(2000, 14)

    def start():
        return nn.Sequential(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.Flatten(), nn.Linear(144, 84), nn.ReLU()),
            nn.Linear(84, 10),
        )

    def constant():
        model = start()
        for parameter in model.parameters():
            init.constant_(parameter, 0.01 if parameter.ndim > 1 else 0.0)
        return model

    fixed = Training(
        model=start,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=hits(test),
        well=0.85,
        epochs=11,
        batch_size=32,
    )
    return replace(fixed, model=constant), fixed


@faulty(
    "neuralint-lenet-binary-missing-sigmoid",
    source="https://github.com/neuralint/neuralint/blob/master/DNN-metamodel.gps/TF_lenet_bin_missing_sigmoid.gst",
    shape="one output",
    faults=("the one output goes into the binary cross-entropy without a sigmoid",),
    right=("RG402",),
)
def neuralint_lenet_binary_missing_sigmoid() -> tuple[Training, Training]:
    """LeNet that tells odd digits from even ones; the loss clips its input as Keras does."""
    (x, y), (test_x, test_y) = mnist_images(2000, 14)
    odd, test_odd = (digit[:, None] % 2 for digit in (y, test_y))

    def start(*last):
        return nn.Sequential(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.Flatten(), nn.Linear(144, 84), nn.ReLU()),
            *(nn.Linear(84, 1), *last),
        )

    def clipped(output, target):
        p = rg.clip(output, 1e-7, 1 - 1e-7)
        return -(target * rg.log(p) + (1 - target) * rg.log(1 - p)).mean()

    fixed = Training(
        model=lambda: start(nn.Sigmoid()),
        train=(x, odd.astype(np.float32)),
        loss=clipped,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=lambda predict: ((predict(test_x) > 0.5) == test_odd).mean(),
        well=0.9,
        epochs=8,
        batch_size=32,
    )
    return replace(fixed, model=start), fixed
