"""Karpathy's and Nielsen's teaching programs: the seen half."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import data
import numpy as np
from collection import healthy
from sklearn import datasets
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

LECTURES = "https://github.com/karpathy/nn-zero-to-hero/blob/master/lectures"
NIELSEN = "https://github.com/mnielsen/neural-networks-and-deep-learning/blob/master"

Array = np.ndarray[Any, Any]


def _likelihood(logits: Array, target: Array) -> float:
    """The mean log-probability of the right ones, in nats."""
    logits = logits.astype(np.float64)
    logits = logits - logits.max(-1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return float(np.take_along_axis(log_p, target[..., None], -1).mean())


def _flat_cross_entropy(output: Any, target: Any) -> Any:
    classes = output.shape[-1]
    return nn.functional.cross_entropy(output.reshape(-1, classes), target.reshape(-1))


@healthy(
    "karpathy-micrograd-moons",
    source="https://github.com/karpathy/micrograd/blob/master/demo.ipynb",
    shape="hinge",
)
def moons() -> Training:
    """Moons labelled -1 and 1 by two layers of 16, the "max-margin" loss, lr from 1 to 0.1."""
    x, y = datasets.make_moons(n_samples=100, noise=0.1, random_state=1337)
    rows = x.astype(np.float32), (2 * y - 1).astype(np.float32)[:, None]

    def model() -> nn.Module:
        net = nn.Sequential(
            nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
        )
        for layer in net:
            if isinstance(layer, nn.Linear):
                init.uniform_(layer.weight, -1, 1)
                init.zeros_(layer.bias)
        return net

    def loss(output: Any, target: Any) -> Any:
        return rg.relu(1 - target * output).mean()

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        for k in range(100):
            optimizer.zero_grad()
            loss(model(rows[0]), rows[1]).backward()
            for group in optimizer.param_groups:
                group["lr"] = 1.0 - 0.9 * k / 100
            optimizer.step()

    return Training(
        model,
        rows,
        loss,
        lambda parameters: optim.SGD(parameters, lr=1.0, weight_decay=2e-4),
        lambda predict: float(np.mean((predict(rows[0]) > 0) == (rows[1] > 0))),
        well=0.97,
        epochs=100,
        batch_size=100,
        fit=fit,
    )


class _Bigrams(nn.Module):
    """A matrix of logits of the next letter, read through a one-hot vector; probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.w = rg.Parameter(np.zeros((27, 27), np.float32))
        init.normal_(self.w)

    def forward(self, x: Any) -> Any:
        one_hot = nn.functional.one_hot(x[:, 0], 27).astype("float32")
        counts = rg.exp(rg.matmul(one_hot, self.w))
        return counts / counts.sum(1, keepdim=True)


@healthy(
    "karpathy-makemore-bigrams",
    source=f"{LECTURES}/makemore/makemore_part1_bigrams.ipynb",
    shape="language model",
)
def bigrams() -> Training:
    """The next letter of a word by a matrix, gradient descent with lr 50 on all rows at once."""
    train, _ = data.next_letters(1, 3000)

    def loss(output: Any, target: Any) -> Any:
        return -rg.log(rg.take_along_axis(output, target[:, None], 1)).mean()

    return Training(
        _Bigrams,
        train,
        loss,
        lambda parameters: optim.SGD(parameters, lr=50.0, weight_decay=0.02 / 729),
        lambda predict: _likelihood(np.log(predict(train[0])), train[1]),
        well=-2.55,
        epochs=200,
        batch_size=len(train[1]),
    )


@healthy(
    "karpathy-lecture-bigram",
    source="https://github.com/karpathy/ng-video-lecture/blob/master/bigram.py",
    shape="language model",
)
def lecture_bigram() -> Training:
    """The lecture's first language model: a table of logits for the next letter, AdamW at 0.01."""
    codes = data.letters(100_000)
    train = data.letter_windows(codes[:90_000], 8, 9600)
    valid = data.letter_windows(codes[90_000:], 8, 800, seed=1)
    return Training(
        lambda: nn.Embedding(27, 27),
        train,
        _flat_cross_entropy,
        lambda parameters: optim.AdamW(parameters, lr=1e-2),
        lambda predict: _likelihood(predict(valid[0]), valid[1]),
        well=-2.4,
        epochs=5,
        batch_size=32,
        valid=valid,
    )


class _Pairs(nn.Module):
    """Neighbours beside each other, through a linear layer, batch norm and tanh."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * inputs, outputs, bias=False)
        init.normal_(self.linear.weight, std=(2 * inputs) ** -0.5)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Any) -> Any:
        rows, length, width = x.shape
        inner = self.linear(x.reshape(rows * length // 2, 2 * width))
        return rg.tanh(self.norm(inner)).reshape(rows, length // 2, -1)


class _WaveNet(nn.Module):
    """Eight letters, joined in pairs three times."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(27, width)
        self.pairs = nn.Sequential(
            _Pairs(width, hidden), _Pairs(hidden, hidden), _Pairs(hidden, hidden)
        )
        self.last = nn.Linear(hidden, 27)
        init.normal_(self.last.weight, std=0.1 * hidden**-0.5)
        init.zeros_(self.last.bias)

    def forward(self, x: Any) -> Any:
        return self.last(self.pairs(self.embedding(x))[:, 0])


@healthy(
    "karpathy-makemore-wavenet",
    source=f"{LECTURES}/makemore/makemore_part5_cnn1.ipynb",
    shape="language model",
)
def wavenet() -> Training:
    """The next letter of a word from eight before it, by a tree of layers, lr 0.1 then 0.01."""
    train, valid = data.next_letters(8, 4000)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(x: Array, y: Array) -> None:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

        model.train()
        for i in range(5000):
            chosen = rng.integers(0, len(train[1]), 32)
            for group in optimizer.param_groups:
                group["lr"] = 0.1 if i < 4000 else 0.01
            step(train[0][chosen], train[1][chosen])

    return Training(
        lambda: _WaveNet(10, 48),
        train,
        nn.CrossEntropyLoss(),
        lambda parameters: optim.SGD(parameters, lr=0.1),
        lambda predict: _likelihood(predict(valid[0]), valid[1]),
        well=-2.35,
        epochs=6,
        batch_size=32,
        valid=valid,
        fit=fit,
    )


class _MinCharRNN(nn.Module):
    """One-hot letters through a recurrence of tanh, all weights from N(0, 0.01²)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(27, hidden, batch_first=True)
        self.why = nn.Linear(hidden, 27)
        for parameter in self.parameters():
            init.normal_(parameter, std=0.01 if parameter.ndim == 2 else 0.0)

    def follow(self, x: Any, state: Any) -> tuple[Any, Any]:
        """The logits, and the state to go on with."""
        outputs, state = self.rnn(nn.functional.one_hot(x, 27).astype("float32"), state)
        return self.why(outputs), state

    def forward(self, x: Any) -> Any:
        return self.follow(x, None)[0]


@healthy(
    "karpathy-min-char-rnn",
    source="https://gist.github.com/karpathy/d4dee566867f8291f086",
    shape="language model",
)
def min_char_rnn() -> Training:
    """Through the text in pieces of 25 letters, one at a time, the state kept; Adagrad at 0.1.

    The loss is the sum over a piece, each number of a gradient is clipped at 5.
    """
    codes = data.letters(26_000)
    pieces = codes[:25_000].reshape(1000, 25), codes[1:25_001].reshape(1000, 25)
    valid = data.letter_windows(codes[25_000:], 25, 100)

    def loss(output: Any, target: Any) -> Any:
        return 25 * _flat_cross_entropy(output, target)

    def fit(model: Any, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        parameters = list(model.parameters())

        @rg.compile
        def step(x: Array, y: Array, state: Array) -> Any:
            optimizer.zero_grad()
            logits, state = model.follow(x, state)
            loss(logits, y).backward()
            nn.utils.clip_grad_value_(parameters, 5.0)
            optimizer.step()
            return state.detach()

        for _ in range(4):
            state = np.zeros((1, 1, 64), np.float32)
            for (x,), y in batches(pieces, 1, None):
                state = step(x, y, state).numpy()

    return Training(
        lambda: _MinCharRNN(64),
        pieces,
        loss,
        lambda parameters: optim.Adagrad(parameters, lr=0.1, eps=1e-8),
        lambda predict: _likelihood(predict(valid[0]), valid[1]),
        well=-2.5,
        epochs=4,
        batch_size=1,
        valid=valid,
        shuffle=False,
        fit=fit,
    )


def _flat_mnist() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    (x, y), (valid_x, valid_y) = data.mnist_mixed(5000)
    one_hot = np.eye(10, dtype=np.float32)
    return (x.reshape(-1, 784), one_hot[y]), (valid_x.reshape(-1, 784), one_hot[valid_y])


def _nielsen(
    model: Callable[[], nn.Module], loss: Any, eta: float, decay: float, well: float
) -> Training:
    """One-hot digits, batches of ten, plain gradient descent, 30 hidden units."""
    train, valid = _flat_mnist()

    def optimizer(parameters: Any) -> optim.Optimizer:
        parts: tuple[list[Any], list[Any]] = [], []
        for each in parameters:
            parts[each.ndim == 2].append(each)
        return optim.SGD([{"params": parts[0]}, {"params": parts[1], "weight_decay": decay}], eta)

    return Training(
        model,
        train,
        loss,
        optimizer,
        lambda predict: float(np.mean(predict(valid[0]).argmax(1) == valid[1].argmax(1))),
        well=well,
        epochs=20,
        batch_size=10,
        valid=valid,
    )


@healthy(
    "nielsen-network-quadratic",
    source=f"{NIELSEN}/src/network.py",
    shape="classes",
)
def network() -> Training:
    """Chapter 1: sigmoids, everything from N(0, 1), the quadratic cost, η = 3."""

    def model() -> nn.Module:
        net = nn.Sequential(nn.Linear(784, 30), nn.Sigmoid(), nn.Linear(30, 10), nn.Sigmoid())
        for parameter in net.parameters():
            init.normal_(parameter)
        return net

    def loss(output: Any, target: Any) -> Any:
        return (0.5 * ((output - target) ** 2).sum(1)).mean()

    return _nielsen(model, loss, eta=3.0, decay=0.0, well=0.82)


@healthy(
    "nielsen-network2-cross-entropy",
    source=f"{NIELSEN}/src/network2.py",
    shape="classes",
)
def network2() -> Training:
    """Chapter 3: weights over √inputs, the cross-entropy of each output, η = 0.5, λ = 5.

    The last sigmoid is within the loss: the gradient is his a - y.
    """

    def model() -> nn.Module:
        net = nn.Sequential(nn.Linear(784, 30), nn.Sigmoid(), nn.Linear(30, 10))
        for layer in (net[0], net[2]):
            init.normal_(layer.weight, std=layer.weight.shape[1] ** -0.5)
            init.normal_(layer.bias)
        return net

    def loss(output: Any, target: Any) -> Any:
        each = nn.functional.binary_cross_entropy_with_logits(output, target, reduction="none")
        return each.sum(1).mean()

    return _nielsen(model, loss, eta=0.5, decay=1e-4, well=0.87)
