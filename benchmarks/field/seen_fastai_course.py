"""Programs of fastai's book, course and tutorials: the seen half."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import data
import numpy as np
from collection import healthy
from training import Rows, Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

BOOK = "https://github.com/fastai/fastbook/blob/master"
COURSE = "https://github.com/fastai/course22/blob/master"

Array = np.ndarray[Any, Any]


def _adam(weight_decay: float = 0.01) -> Callable[[Any], optim.Optimizer]:
    """fastai's default: Adam with decoupled weight decay, β₂ = 0.99 and ε = 1e-5."""
    return lambda parameters: optim.AdamW(
        parameters, lr=1e-3, betas=(0.9, 0.99), eps=1e-5, weight_decay=weight_decay
    )


def _one_cycle(
    train: Rows, loss: Callable[[Any, Any], Any], epochs: int, max_lr: float, batch_size: int = 64
) -> Callable[..., None]:
    """fit_one_cycle: a quarter of the steps up to `max_lr`, the rest down, both along a cosine."""

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        steps = epochs * -(-len(train[1]) // batch_size)
        schedule = optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr, steps, pct_start=0.25, final_div_factor=4000
        )

        @rg.compile
        def step(inputs: tuple[Array, ...], target: Array) -> None:
            optimizer.zero_grad()
            loss(model(*inputs), target).backward()
            optimizer.step()

        model.train()
        for _ in range(epochs):
            for inputs, target in batches(train, batch_size, rng):
                step(inputs, target)
                schedule.step()

    return fit


def _right(predict: Callable[..., Array], rows: Rows) -> float:
    """The share of rows whose largest output is their class."""
    inputs = rows[0] if isinstance(rows[0], tuple) else (rows[0],)
    return float(np.mean(predict(*inputs).argmax(1) == rows[1]))


@healthy(
    "fastai-mnist-threes-sevens-linear",
    source=f"{BOOK}/04_mnist_basics.ipynb",
    shape="one output",
)
def threes_and_sevens_linear() -> Training:
    """Threes or sevens by a linear model from scratch: standard normal weights, lr 1.

    The loss is the mean of 1 - p or p; the loader shuffles nothing, threes come first.
    """
    train, valid = data.threes_and_sevens()

    def model() -> nn.Module:
        linear = nn.Linear(784, 1)
        init.normal_(linear.weight)
        init.normal_(linear.bias)
        return linear

    def loss(output: Any, target: Any) -> Any:
        p = rg.sigmoid(output)
        return rg.where(target == 1, 1 - p, p).mean()

    return Training(
        model,
        train,
        loss,
        lambda parameters: optim.SGD(parameters, lr=1.0),
        lambda predict: float(np.mean((predict(valid[0]) > 0) == valid[1])),
        well=0.95,
        epochs=40,
        batch_size=256,
        valid=valid,
        shuffle=False,
    )


class _DotProductBias(nn.Module):
    """A user's and a movie's factors multiplied, and a bias for each; from 0 to 5.5."""

    def __init__(self, users: int, movies: int, factors: int) -> None:
        super().__init__()
        self.user_factors = nn.Embedding(users, factors)
        self.user_bias = nn.Embedding(users, 1)
        self.movie_factors = nn.Embedding(movies, factors)
        self.movie_bias = nn.Embedding(movies, 1)
        for part in self.children():
            init.normal_(part.weight, std=0.01)

    def forward(self, x: Any) -> Any:
        user, movie = x[:, 0], x[:, 1]
        match = (self.user_factors(user) * self.movie_factors(movie)).sum(1, keepdim=True)
        return 5.5 * rg.sigmoid(match + self.user_bias(user) + self.movie_bias(movie))


class _CollabNet(nn.Module):
    """A user's and a movie's factors beside each other through two layers; from 0 to 5.5."""

    def __init__(self, users: int, movies: int) -> None:
        super().__init__()
        self.user_factors = nn.Embedding(users, 32)
        self.movie_factors = nn.Embedding(movies, 28)
        for part in self.children():
            init.normal_(part.weight, std=0.01)
        self.layers = nn.Sequential(nn.Linear(60, 100), nn.ReLU(), nn.Linear(100, 1))

    def forward(self, x: Any) -> Any:
        factors = self.user_factors(x[:, 0]), self.movie_factors(x[:, 1])
        return 5.5 * rg.sigmoid(self.layers(rg.concatenate(factors, 1)))


def _collab(model: Callable[[], nn.Module], weight_decay: float) -> Training:
    train, valid = data.movie_ratings()
    return Training(
        model,
        train,
        nn.MSELoss(),
        _adam(weight_decay),
        lambda predict: 1 - float(np.mean((predict(valid[0]) - valid[1]) ** 2) / valid[1].var()),
        well=0.3,
        epochs=5,
        batch_size=64,
        valid=valid,
        fit=_one_cycle(train, nn.MSELoss(), 5, 5e-3),
    )


@healthy("fastai-collab-dot-product-bias", source=f"{BOOK}/08_collab.ipynb", shape="recommender")
def collab_dot_product() -> Training:
    """Ratings by factors and biases in a range, one cycle with weight decay 0.1."""
    return _collab(lambda: _DotProductBias(200, 150, 50), 0.1)


@healthy("fastai-collab-nn", source=f"{BOOK}/08_collab.ipynb", shape="recommender")
def collab_network() -> Training:
    """Ratings by a network over a user's and a movie's embeddings."""
    return _collab(lambda: _CollabNet(200, 150), 0.01)


def _halving(inputs: int, outputs: int, size: int = 3, *after: nn.Module) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, size, stride=2, padding=size // 2), *after]


@healthy("fastai-first-cnn-threes-sevens", source=f"{BOOK}/13_convolutions.ipynb", shape="classes")
def first_cnn() -> Training:
    """Threes or sevens by convolutions alone, each halving the image, down to one pixel."""
    train, valid = (
        (x.reshape(-1, 1, 28, 28), y[:, 0].astype(np.int64)) for x, y in data.threes_and_sevens()
    )
    widths = [1, 4, 8, 16, 32]

    def model() -> nn.Module:
        body = [
            layer
            for inputs, outputs in itertools.pairwise(widths)
            for layer in _halving(inputs, outputs, 3, nn.ReLU())
        ]
        return nn.Sequential(*body, *_halving(32, 2), nn.Flatten())

    return Training(
        model,
        train,
        nn.CrossEntropyLoss(),
        _adam(),
        lambda predict: _right(predict, valid),
        well=0.96,
        epochs=4,
        batch_size=64,
        valid=valid,
        fit=_one_cycle(train, nn.CrossEntropyLoss(), 4, 0.01),
    )


@healthy("fastai-cnn-batchnorm-one-cycle", source=f"{BOOK}/13_convolutions.ipynb", shape="classes")
def cnn_with_batch_norm() -> Training:
    """MNIST by five convolutions with batch norm behind each ReLU, one cycle up to 0.1."""
    (train_x, train_y), (valid_x, valid_y) = data.mnist_mixed(3000)
    mean, std = train_x.mean(), train_x.std()
    train, valid = (
        (((x - mean) / std)[:, None], y) for x, y in ((train_x, train_y), (valid_x, valid_y))
    )

    def model() -> nn.Module:
        widths = [1, 8, 16, 32, 64]
        layers: list[nn.Module] = []
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            size = 5 if i == 0 else 3
            layers += _halving(inputs, outputs, size, nn.ReLU(), nn.BatchNorm2d(outputs))
        return nn.Sequential(*layers, *_halving(64, 10, 3, nn.BatchNorm2d(10)), nn.Flatten())

    return Training(
        model,
        train,
        nn.CrossEntropyLoss(),
        _adam(),
        lambda predict: _right(predict, valid),
        well=0.93,
        epochs=4,
        batch_size=100,
        valid=valid,
        fit=_one_cycle(train, nn.CrossEntropyLoss(), 4, 0.1, 100),
    )


class _Quadratic(nn.Module):
    """a x² + b x + c, from a = b = c = 1.1 on."""

    def __init__(self) -> None:
        super().__init__()
        self.abc = rg.Parameter(np.full(3, 1.1, np.float32))

    def forward(self, x: Any) -> Any:
        a, b, c = self.abc[0], self.abc[1], self.abc[2]
        return a * x**2 + b * x + c


@healthy(
    "fastai-quadratic-mae",
    source=f"{COURSE}/04-how-does-a-neural-net-really-work.ipynb",
    shape="one output",
)
def quadratic() -> Training:
    """Three numbers of a quadratic by gradient descent on the mean absolute error of 20 points.

    The notebook shows ten steps of 0.01; here it goes on until the curve fits.
    """
    rng = np.random.default_rng(42)
    x = np.linspace(-2, 2, 20)[:, None]
    y = (3 * x**2 + 2 * x + 1) * (1 + rng.normal(0, 0.15, x.shape)) + rng.normal(0, 1.5, x.shape)
    rows = x.astype(np.float32), y.astype(np.float32)
    return Training(
        _Quadratic,
        rows,
        lambda output, target: rg.abs(output - target).mean(),
        lambda parameters: optim.SGD(parameters, lr=0.01),
        lambda predict: 1 - float(np.mean((predict(rows[0]) - rows[1]) ** 2) / rows[1].var()),
        well=0.7,
        epochs=600,
        batch_size=20,
    )


class _Siamese(nn.Module):
    """Two images through one encoder, both codes beside each other through a head."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *_halving(1, 12, 3, nn.BatchNorm2d(12), nn.ReLU()),
            *_halving(12, 32, 3, nn.BatchNorm2d(32), nn.ReLU()),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Sequential(
            nn.Linear(64, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Dropout(0.25), nn.Linear(64, 2)
        )

    def forward(self, first: Any, second: Any) -> Any:
        return self.head(rg.concatenate([self.encoder(first), self.encoder(second)], 1))


@healthy(
    "fastai-siamese-pairs", source="https://docs.fast.ai/tutorial.siamese.html", shape="contrastive"
)
def siamese() -> Training:
    """Do two images show the same kind of thing? Half of the pairs do; made shapes."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 4, (2500, 2))
    kinds[::2, 1] = kinds[::2, 0]
    images = np.stack(
        [
            data.drawn_kind(int(kind), *rng.uniform(5, 10, 2), 16, rng.uniform(3.5, 5))
            + rng.normal(0, 0.1, (16, 16))
            for kind in kinds.ravel()
        ]
    ).astype(np.float32)
    pairs = images.reshape(2500, 2, 1, 16, 16)
    same = (kinds[:, 0] == kinds[:, 1]).astype(np.int64)
    train = (pairs[:2000, 0], pairs[:2000, 1]), same[:2000]
    valid = (pairs[2000:, 0], pairs[2000:, 1]), same[2000:]
    return Training(
        _Siamese,
        train,
        nn.CrossEntropyLoss(),
        _adam(),
        lambda predict: _right(predict, valid),
        well=0.85,
        epochs=10,
        batch_size=50,
        valid=valid,
        fit=_one_cycle(train, nn.CrossEntropyLoss(), 10, 3e-3, 50),
    )


def _backbone() -> nn.Module:
    return nn.Sequential(
        *_halving(1, 8, 3, nn.BatchNorm2d(8), nn.ReLU()),
        *_halving(8, 16, 3, nn.BatchNorm2d(16), nn.ReLU()),
        *_halving(16, 32, 3, nn.BatchNorm2d(32), nn.ReLU()),
        nn.Flatten(),
    )


@functools.cache
def _pretrained() -> dict[str, Array]:
    """The backbone's state after learning the digits 0 to 4."""
    (x, y), _ = data.mnist_mixed(3000)
    rows = x[y < 5][:, None], y[y < 5]
    rg.manual_seed(7)
    body, head = _backbone(), nn.Linear(512, 5)
    model = nn.Sequential(body, head)
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    _one_cycle(rows, nn.CrossEntropyLoss(), 3, 3e-3)(model, optimizer, np.random.default_rng(7))
    return body.state_dict()


@healthy(
    "fastai-fine-tune-discriminative", source=f"{BOOK}/05_pet_breeds.ipynb", shape="fine-tuning"
)
def fine_tuned() -> Training:
    """A backbone that knows other digits: first the new head alone, then all, early layers slower.

    The rates of the second part go from 1e-6 for the first layer to 1e-4 for the head.
    """
    state = _pretrained()
    train, valid = ((x[y >= 5][:, None], y[y >= 5] - 5) for x, y in data.mnist_mixed(3000))
    loss = nn.CrossEntropyLoss()

    def model() -> nn.Module:
        body = _backbone()
        body.load_state_dict(state)
        return nn.Sequential(
            body, nn.Linear(512, 64, bias=False), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 5)
        )

    def optimizer(parameters: Any) -> optim.Optimizer:
        layers = list(parameters)
        parts = layers[:4], layers[4:12], layers[12:]
        return optim.AdamW(
            [{"params": part} for part in parts], lr=1e-3, betas=(0.9, 0.99), eps=1e-5
        )

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(inputs: tuple[Array, ...], target: Array) -> None:
            optimizer.zero_grad()
            loss(model(*inputs), target).backward()
            optimizer.step()

        model.train()
        for rates, epochs in (((0.0, 0.0, 3e-3), 3), ((1e-6, 1e-5, 1e-4), 5)):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate
            for _ in range(epochs):
                for inputs, target in batches(train, 64, rng):
                    step(inputs, target)

    return Training(
        model,
        train,
        loss,
        optimizer,
        lambda predict: _right(predict, valid),
        well=0.9,
        epochs=8,
        batch_size=64,
        valid=valid,
        fit=fit,
    )
