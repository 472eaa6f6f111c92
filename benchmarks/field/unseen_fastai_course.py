"""Programs of fastai's book, course and tutorials: the unseen half."""

from __future__ import annotations

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
    train: Rows,
    loss: Callable[[Any, Any], Any],
    epochs: int,
    max_lr: float,
    batch_size: int = 64,
    *,
    shuffle: bool = True,
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
            for inputs, target in batches(train, batch_size, rng if shuffle else None):
                step(inputs, target)
                schedule.step()

    return fit


@healthy(
    "fastai-mnist-threes-sevens-net",
    source=f"{BOOK}/04_mnist_basics.ipynb",
    shape="one output",
)
def threes_and_sevens_net() -> Training:
    """Threes or sevens by a simple net, lr 0.1; the loss is the mean of 1 - p or p.

    The loader shuffles nothing, threes come first.
    """
    train, valid = data.threes_and_sevens()

    def loss(output: Any, target: Any) -> Any:
        p = rg.sigmoid(output)
        return rg.where(target == 1, 1 - p, p).mean()

    return Training(
        lambda: nn.Sequential(nn.Linear(784, 30), nn.ReLU(), nn.Linear(30, 1)),
        train,
        loss,
        lambda parameters: optim.SGD(parameters, lr=0.1),
        lambda predict: float(np.mean((predict(valid[0]) > 0) == valid[1])),
        well=0.95,
        epochs=80,
        batch_size=256,
        valid=valid,
        shuffle=False,
    )


def _titanic() -> tuple[Rows, Rows]:
    """The twelve columns of the course's notebook, each over its largest, and who survived."""
    table = data.csv_columns("titanic/titanic.csv")
    filled = {
        "age": np.where(table["age"] == "", "24", table["age"]),
        "embarked": np.where(table["embarked"] == "", "S", table["embarked"]),
    }
    numbers = [filled["age"], table["sibsp"], table["parch"]]
    x = [each.astype(np.float64) for each in numbers]
    x.append(np.log(table["fare"].astype(np.float64) + 1))
    x += [table["sex"] == each for each in ("male", "female")]
    x += [table["pclass"] == each for each in "123"]
    x += [filled["embarked"] == each for each in "CQS"]
    stacked = np.stack(x, 1).astype(np.float32)
    y = table["survived"].astype(np.float32)[:, None]
    return data.split(stacked / stacked.max(0), y, seed=42)


def _mean_absolute_error(output: Any, target: Any) -> Any:
    return rg.abs(output - target).mean()


def _survivors(model: Callable[[], nn.Module], lr: float, epochs: int = 30) -> Training:
    """Full batches, gradient descent on |p - y|, as in the notebook."""
    train, valid = _titanic()
    return Training(
        model,
        train,
        _mean_absolute_error,
        lambda parameters: optim.SGD(parameters, lr=lr),
        lambda predict: float(np.mean((predict(valid[0]) > 0.5) == (valid[1] == 1))),
        well=0.75,
        epochs=epochs,
        batch_size=len(train[1]),
        valid=valid,
    )


@healthy(
    "fastai-titanic-linear-from-scratch",
    source=f"{COURSE}/05-linear-model-and-neural-net-from-scratch.ipynb",
    shape="one output",
)
def titanic_linear() -> Training:
    """Survival by twelve coefficients and a sigmoid, without a bias, lr 100 on full batches."""

    def model() -> nn.Module:
        linear = nn.Linear(12, 1, bias=False)
        init.uniform_(linear.weight, 0.0, 0.1)
        return nn.Sequential(linear, nn.Sigmoid())

    return _survivors(model, lr=100.0)


class _DeepTitanic(nn.Module):
    """Two hidden layers of ten from scratch, each with one constant for all its units."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(a, b, bias=False) for a, b in ((12, 10), (10, 10), (10, 1))]
        )
        for layer in self.layers:
            scale = 4 / layer.weight.shape[0]
            init.uniform_(layer.weight, -0.3 * scale, 0.7 * scale)
        self.constants = rg.Parameter(np.zeros(3, np.float32))
        init.uniform_(self.constants, -0.05, 0.05)

    def forward(self, x: Any) -> Any:
        for i, layer in enumerate(self.layers):
            x = layer(x) + self.constants[i]
            x = rg.relu(x) if i < 2 else x
        return rg.sigmoid(x)


@healthy(
    "fastai-titanic-deep-from-scratch",
    source=f"{COURSE}/05-linear-model-and-neural-net-from-scratch.ipynb",
    shape="one output",
)
def titanic_deep() -> Training:
    """Survival by a deep net from scratch, lr 4 on full batches."""
    return _survivors(_DeepTitanic, lr=4.0)


class _Tabular(nn.Module):
    """fastai's tabular model: embeddings beside normed numbers, layers of 200 and 100."""

    def __init__(self, sizes: list[int], numbers: int) -> None:
        super().__init__()
        widths = [min(600, round(1.6 * size**0.56)) for size in sizes]
        self.embeddings = nn.ModuleList(
            [nn.Embedding(size, width) for size, width in zip(sizes, widths, strict=True)]
        )
        for embedding in self.embeddings:
            init.normal_(embedding.weight, std=0.01)
        self.norm = nn.BatchNorm1d(numbers)
        layers: list[nn.Module] = []
        for a, b in ((sum(widths) + numbers, 200), (200, 100)):
            layers += [nn.Linear(a, b, bias=False), nn.ReLU(), nn.BatchNorm1d(b)]
        self.layers = nn.Sequential(*layers, nn.Linear(100, 2))

    def forward(self, categories: Any, numbers: Any) -> Any:
        parts = [each(categories[:, i]) for i, each in enumerate(self.embeddings)]
        return self.layers(rg.concatenate([*parts, self.norm(numbers)], 1))


@healthy(
    "fastai-tabular-adult", source="https://docs.fast.ai/tutorial.tabular.html", shape="classes"
)
def adult_income() -> Training:
    """Income above 50,000 by the tabular learner, three epochs of one cycle at 1e-3."""
    table = data.csv_columns("adult_income/train.csv")
    names = ["workclass", "education", "marital_status", "occupation", "relationship", "race"]
    codes = [np.unique(table[name], return_inverse=True)[1][:6000] for name in names]
    numbers = np.stack(
        [table[name][:6000].astype(np.float64) for name in ("age", "fnlwgt", "education_num")], 1
    )
    numbers = ((numbers - numbers.mean(0)) / numbers.std(0)).astype(np.float32)
    categories = np.stack(codes, 1).astype(np.int64)
    y = np.char.startswith(table["income"][:6000], ">").astype(np.int64)
    train = (categories[:4800], numbers[:4800]), y[:4800]
    valid = (categories[4800:], numbers[4800:]), y[4800:]
    sizes = [int(code.max()) + 1 for code in codes]
    return Training(
        lambda: _Tabular(sizes, 3),
        train,
        nn.CrossEntropyLoss(),
        _adam(),
        lambda predict: float(np.mean(predict(*valid[0]).argmax(1) == valid[1])),
        well=0.8,
        epochs=3,
        batch_size=64,
        valid=valid,
        fit=_one_cycle(train, nn.CrossEntropyLoss(), 3, 1e-3),
    )


def _small_cnn(outputs: int, channels: int = 1, *last: nn.Module) -> nn.Module:
    """Three halving convolutions with batch norm, the largest and the mean, two layers."""
    widths = [channels, 16, 32, 64]
    layers: list[nn.Module] = []
    for i in range(3):
        layers += [
            nn.Conv2d(widths[i], widths[i + 1], 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(widths[i + 1]),
            nn.ReLU(),
        ]
    head = [nn.Linear(64 * 9, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, outputs)]
    return nn.Sequential(*layers, nn.Flatten(), *head, *last)


@healthy("fastai-multicat-images", source=f"{BOOK}/06_multicat.ipynb", shape="several labels")
def several_kinds() -> Training:
    """Which of five kinds of things does an image hold, or none? Made shapes, sigmoid threshold."""
    rng = np.random.default_rng(0)
    labels = (rng.random((2000, 5)) < 0.3).astype(np.float32)
    images = rng.normal(0, 0.1, (2000, 3, 24, 24))
    for image, there in zip(images, labels, strict=True):
        for kind in np.flatnonzero(there):
            shape = data.drawn_kind(int(kind), *rng.uniform(5, 19, 2), 24, rng.uniform(4, 6))
            image += rng.uniform(0.4, 1, (3, 1, 1)) * shape
    train, valid = data.split(images.astype(np.float32), labels)
    return Training(
        lambda: _small_cnn(5, 3),
        train,
        nn.BCEWithLogitsLoss(),
        _adam(),
        lambda predict: float(np.mean((predict(valid[0]) > 0) == valid[1])),
        well=0.85,
        epochs=8,
        batch_size=64,
        valid=valid,
        fit=_one_cycle(train, nn.BCEWithLogitsLoss(), 8, 3e-3),
    )


class _Range(nn.Module):
    """A sigmoid from -1 to 1: fastai's `y_range`."""

    def forward(self, x: Any) -> Any:
        return 2 * rg.sigmoid(x) - 1


@healthy("fastai-head-pose-points", source=f"{BOOK}/06_multicat.ipynb", shape="numbers")
def head_centers() -> Training:
    """Where is the middle of the head? Two coordinates from -1 to 1; made discs on a ground."""
    rng = np.random.default_rng(0)
    centers = rng.uniform(6, 18, (1500, 2))
    images = np.stack(
        [
            data.drawn_kind(0, *center, 24, rng.uniform(4, 6))
            + 0.5 * data.drawn_kind(1, *rng.uniform(0, 24, 2), 24, 4)
            + rng.normal(0, 0.1, (24, 24))
            for center in centers
        ]
    )
    points = (centers / 12 - 1).astype(np.float32)
    train, valid = data.split(images.astype(np.float32)[:, None], points)
    return Training(
        lambda: _small_cnn(2, 1, _Range()),
        train,
        nn.MSELoss(),
        _adam(),
        lambda predict: 1 - float(np.mean((predict(valid[0]) - valid[1]) ** 2) / valid[1].var()),
        well=0.9,
        epochs=8,
        batch_size=60,
        valid=valid,
        fit=_one_cycle(train, nn.MSELoss(), 8, 1e-2, 60),
    )
