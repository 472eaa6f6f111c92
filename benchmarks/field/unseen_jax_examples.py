"""Programs of the examples of JAX, Flax, Haiku and Equinox: the unseen half."""

from __future__ import annotations

import itertools
from typing import Any

import data
import numpy as np
from collection import healthy
from training import Training

import retrograd as rg
from retrograd import nn, optim, random
from retrograd.nn import init

JAX = "https://github.com/jax-ml/jax/blob/main/examples"
FLAX = "https://github.com/google/flax/blob/main/examples"

Array = np.ndarray[Any, Any]


@healthy("jax-mnist-fromscratch", source=f"{JAX}/mnist_classifier_fromscratch.py", shape="classes")
def mnist_from_scratch() -> Training:
    """MNIST by tanh layers, all weights and biases from N(0, 0.1²), log-probabilities, one-hot.

    The learning rate is 0.001 as in the original; as many steps in smaller batches.
    """
    (x, y), (valid_x, valid_y) = (
        (x.reshape(-1, 784), np.eye(10, dtype=np.float32)[y]) for x, y in data.mnist_mixed(5000)
    )

    def model() -> nn.Module:
        net = nn.Sequential(
            nn.Linear(784, 256), nn.Tanh(), nn.Linear(256, 256), nn.Tanh(), nn.Linear(256, 10)
        )
        for parameter in net.parameters():
            init.normal_(parameter, std=0.1)
        return nn.Sequential(net, nn.LogSoftmax(dim=1))

    return Training(
        model,
        (x, y),
        lambda output, target: -(output * target).sum(1).mean(),
        lambda parameters: optim.SGD(parameters, lr=0.001),
        lambda predict: float(np.mean(predict(valid_x).argmax(1) == valid_y.argmax(1))),
        well=0.8,
        epochs=40,
        batch_size=40,
        valid=(valid_x, valid_y),
    )


class _VAE(nn.Module):
    """Logits of the pixels, then the code's means and deviations, side by side."""

    def __init__(self, hidden: list[int], latent: int, *, softplus: bool) -> None:
        super().__init__()
        widths = [784, *hidden]
        pairs = list(itertools.pairwise(widths))
        self.encoder = nn.Sequential(
            *[layer for a, b in pairs for layer in (nn.Linear(a, b), nn.ReLU())]
        )
        self.mean = nn.Linear(hidden[-1], latent)
        self.spread = nn.Linear(hidden[-1], latent)
        back = [(latent, hidden[-1]), *[(b, a) for a, b in reversed(pairs[1:])]]
        self.decoder = nn.Sequential(
            *[layer for a, b in back for layer in (nn.Linear(a, b), nn.ReLU())],
            nn.Linear(hidden[0], 784),
        )
        self.softplus = softplus

    def forward(self, x: Any) -> Any:
        inner = self.encoder(x)
        mean, spread = self.mean(inner), self.spread(inner)
        std = rg.sqrt(rg.softplus(spread)) if self.softplus else rg.exp(spread)
        code = mean + std * random.normal(mean.shape) if self.training else mean
        return rg.concatenate([self.decoder(code), mean, std], 1)


def _vae(model: Any, loss: Any, optimizer: Any, epochs: int, well: float) -> Training:
    """On black and white digits; the score is 1 - squared error over the pixels' variance."""
    (x, _), (valid, _) = data.mnist_mixed(4000)
    x, valid = ((each.reshape(-1, 784) > 0.5).astype(np.float32) for each in (x, valid))

    def score(predict: Any) -> float:
        made = 1 / (1 + np.exp(-predict(valid)[:, :784].astype(np.float64)))
        return 1 - float(np.mean((made - valid) ** 2) / np.mean((valid - valid.mean(0)) ** 2))

    return Training(
        model,
        (x, x),
        loss,
        optimizer,
        score,
        well,
        epochs=epochs,
        batch_size=64,
        valid=(valid, valid),
    )


@healthy("jax-mnist-vae", source=f"{JAX}/mnist_vae.py", shape="autoencoder")
def vae_with_momentum() -> Training:
    """A variational autoencoder: the bound of a digit in nats, momentum at 0.001."""

    def loss(output: Any, target: Any) -> Any:
        logits, mean, std = output[:, :784], output[:, 784:794], output[:, 794:]
        likelihood = -rg.softplus(rg.where(target > 0.5, -1.0, 1.0) * logits).sum(1)
        divergence = -0.5 * (1 + 2 * rg.log(std) - mean**2 - std**2).sum(1)
        return -(likelihood - divergence).mean()

    return _vae(
        lambda: _VAE([256, 256], 10, softplus=True),
        loss,
        lambda parameters: optim.SGD(parameters, lr=0.001, momentum=0.9),
        epochs=30,
        well=0.35,
    )


@healthy("jax-flax-nnx-vae", source=f"{FLAX}/nnx_toy_examples/05_vae.py", shape="autoencoder")
def vae_of_means() -> Training:
    """A variational autoencoder whose losses are means, a tenth for the divergence."""

    def loss(output: Any, target: Any) -> Any:
        logits, mean, std = output[:, :784], output[:, 784:816], output[:, 816:]
        divergence = (0.5 * (-rg.log(std**2) - 1.0 + std**2 + mean**2).mean(1)).mean()
        made = nn.functional.binary_cross_entropy_with_logits(logits, target)
        return made + 0.1 * divergence

    return _vae(
        lambda: _VAE([256], 32, softplus=False),
        loss,
        lambda parameters: optim.Adam(parameters, lr=1e-3),
        epochs=20,
        well=0.35,
    )


@healthy(
    "jax-equinox-mnist-cnn",
    source="https://docs.kidger.site/equinox/examples/mnist/",
    shape="classes",
)
def cnn_of_three_filters() -> Training:
    """MNIST from -1 to 1: three filters, a sigmoid layer, a ReLU layer, 300 steps of AdamW."""
    train, valid = ((2 * x[:, None] - 1, y) for x, y in data.mnist_mixed(6000))

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 3, 4),
            nn.MaxPool2d(2, stride=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(1728, 256),
            nn.Sigmoid(),
            nn.Linear(256, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
            nn.LogSoftmax(dim=1),
        )

    return Training(
        model,
        train,
        lambda output, target: -rg.take_along_axis(output, target[:, None], 1).mean(),
        lambda parameters: optim.AdamW(parameters, lr=3e-4, weight_decay=1e-4),
        lambda predict: float(np.mean(predict(valid[0]).argmax(1) == valid[1])),
        well=0.84,
        epochs=4,
        batch_size=64,
        valid=valid,
    )


class _BiLSTMWithAttention(nn.Module):
    """Words through two LSTMs and attention by keys alone, then an MLP without a last bias."""

    def __init__(self, words: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        init.normal_(self.embedding.weight, std=0.1)
        self.dropout = nn.Dropout(0.5)
        self.encoder = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.keys = nn.Linear(2 * hidden, hidden, bias=False)
        self.energy = nn.Linear(hidden, 1, bias=False)
        self.hidden = nn.Linear(2 * hidden, hidden)
        self.output = nn.Linear(hidden, 1, bias=False)

    def forward(self, x: Any) -> Any:
        encoded = self.dropout(self.encoder(self.dropout(self.embedding(x)))[0])
        scores = self.energy(rg.tanh(self.keys(encoded)))[:, :, 0]
        attention = rg.softmax(rg.where(x > 0, scores, -1e9), dim=1)
        context = self.dropout(rg.einsum("nl,nlw->nw", attention, encoded))
        return self.output(self.dropout(rg.tanh(self.hidden(context))))


@healthy("jax-flax-sst2-bilstm", source=f"{FLAX}/sst2/train.py", shape="one output")
def reviews_by_attention() -> Training:
    """The sentiment of reviews by a bidirectional LSTM with attention, SGD with momentum at 0.1."""
    (x, y), (valid_x, valid_y) = data.review_ids(20, 2500, 6000)
    train = x, y.astype(np.float32)[:, None]
    valid = valid_x, valid_y.astype(np.float32)[:, None]
    return Training(
        lambda: _BiLSTMWithAttention(2500, 32, 24),
        train,
        nn.BCEWithLogitsLoss(),
        lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=3e-6),
        lambda predict: float(np.mean((predict(valid[0]) > 0) == valid[1])),
        well=0.68,
        epochs=6,
        batch_size=60,
        valid=valid,
    )


@healthy(
    "jax-flax-nnx-toy-regression",
    source=f"{FLAX}/nnx_toy_examples/02_lifted_transforms.py",
    shape="one output",
)
def toy_regression() -> Training:
    """A noisy parabola by an MLP whose weights start between 0 and 1, SGD at 0.001."""
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 100)[:, None]
    y = 0.8 * x**2 + 0.1 + rng.normal(0, 0.1, x.shape)
    x, y = x.astype(np.float32), y.astype(np.float32)

    def model() -> nn.Module:
        net = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
        for layer in (net[0], net[2]):
            init.uniform_(layer.weight)
            init.zeros_(layer.bias)
        return net

    return Training(
        model,
        (x, y),
        lambda output, target: ((target - output) ** 2).mean(),
        lambda parameters: optim.SGD(parameters, lr=1e-3),
        lambda predict: 1 - float(np.mean((predict(x) - y) ** 2) / y.var()),
        well=0.7,
        epochs=2500,
        batch_size=25,
    )


class _NeuralODE(nn.Module):
    """A start (n, 2) followed along a learned field: (n, steps, 2), by Heun's method."""

    def __init__(self, width: int, steps: int, step: float) -> None:
        super().__init__()
        self.out_scale = rg.Parameter(np.ones((), np.float32))
        self.field = nn.Sequential(
            nn.Linear(2, width),
            nn.Softplus(),
            nn.Linear(width, width),
            nn.Softplus(),
            nn.Linear(width, 2),
            nn.Tanh(),
        )
        self.steps, self.step = steps, step

    def forward(self, start: Any) -> Any:
        place, path = start, []
        for _ in range(self.steps):
            slope = self.out_scale * self.field(place)
            ahead = self.out_scale * self.field(place + self.step * slope)
            place = place + self.step / 2 * (slope + ahead)
            path.append(place)
        return rg.stack(path, 1)


@healthy(
    "jax-diffrax-neural-ode",
    source="https://docs.kidger.site/diffrax/examples/neural_ode/",
    shape="sequence",
)
def neural_ode() -> Training:
    """A neural ODE learns the paths of damped oscillators from 256 of them.

    With a fixed step, and Adam for AdaBelief.
    """
    rng = np.random.default_rng(0)
    start = rng.uniform(-0.6, 1, (320, 2))
    place, path = start, []
    for i in range(240):  # small steps of x' = y / (1 + y), y' = -x / (1 + x)
        x, y = place.T
        place = place + 0.025 * np.stack([y / (1 + y), -x / (1 + x)], 1)
        if i % 12 == 11:
            path.append(place)
    start, paths = start.astype(np.float32), np.stack(path, 1).astype(np.float32)
    return Training(
        lambda: _NeuralODE(32, 20, 0.3),
        (start[:256], paths[:256]),
        lambda output, target: ((output - target) ** 2).mean(),
        lambda parameters: optim.Adam(parameters, lr=3e-3),
        lambda predict: 1 - float(np.mean((predict(start[256:]) - paths[256:]) ** 2) / paths.var()),
        well=0.9,
        epochs=60,
        batch_size=32,
    )


@healthy(
    "jax-haiku-mnist-lenet-300-100",
    source="https://github.com/google-deepmind/dm-haiku/blob/main/examples/mnist.py",
    shape="classes",
)
def lenet_300_100() -> Training:
    """LeNet-300-100 in large batches, Adam, half of 1e-4 times the squared weights."""
    (x, y), valid = ((x.reshape(-1, 784), y) for x, y in data.mnist_mixed(6000))
    return Training(
        lambda: nn.Sequential(
            nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
        ),
        (x, np.eye(10, dtype=np.float32)[y]),
        lambda output, target: -(target * rg.log_softmax(output, dim=-1)).sum() / len(target),
        lambda parameters: optim.Adam(parameters, lr=1e-3, weight_decay=1e-4),
        lambda predict: float(np.mean(predict(valid[0]).argmax(1) == valid[1])),
        well=0.9,
        epochs=40,
        batch_size=480,
        valid=(valid[0], np.eye(10, dtype=np.float32)[valid[1]]),
    )
