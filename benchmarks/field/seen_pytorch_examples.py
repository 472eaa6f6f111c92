"""Programs of pytorch/examples, torchvision, skorch and DeepXDE, and of a well-known course."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from collection import healthy
from data import drawn_shapes, mixed_mnist, shakespeare, split
from sklearn.datasets import make_classification, make_regression
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]


def adam(lr: float, **options: Any) -> Callable[[Iterator[nn.Parameter]], optim.Optimizer]:
    """Adam, made for the parameters that come."""
    return lambda parameters: optim.Adam(parameters, lr=lr, **options)


def explained(output: Array, target: Array) -> float:
    """The share of the target's variance that the output explains."""
    return float(1 - ((output - target) ** 2).mean() / target.var())


class SuperResolution(nn.Module):
    """Small grey images -> images of twice the side: the last channels become neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, 1, 2)
        self.conv2 = nn.Conv2d(16, 16, 3, 1, 1)
        self.conv3 = nn.Conv2d(16, 8, 3, 1, 1)
        self.conv4 = nn.Conv2d(8, 4, 3, 1, 1)
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.orthogonal_(conv.weight, nn.init.calculate_gain("relu"))
        nn.init.orthogonal_(self.conv4.weight)

    def forward(self, x: Any) -> rg.Tensor:
        for conv in (self.conv1, self.conv2, self.conv3):
            x = rg.relu(conv(x))
        return nn.functional.pixel_shuffle(self.conv4(x), 2)


@healthy(
    "pytorch-examples-super-resolution",
    source="https://github.com/pytorch/examples/tree/main/super_resolution",
    shape="other",
)
def super_resolution() -> Training:
    """Images from their halves by sub-pixel convolution, on digits of 28 x 28."""
    (x, _), (x_valid, _) = mixed_mnist(1000)

    def halved(images: Array) -> tuple[Array, Array]:
        images = images[:, None, :, :]
        return images.reshape(len(images), 1, 14, 2, 14, 2).mean((3, 5)), images

    train, valid = halved(x), halved(x_valid)
    return Training(
        model=SuperResolution,
        train=train,
        loss=nn.mse_loss,
        optimizer=adam(0.01),
        score=lambda predict: explained(predict(valid[0]), valid[1]),
        well=0.9,
        epochs=6,
        batch_size=50,
        valid=valid,
    )


class WordLM(nn.Module):
    """Ids (rows, time) -> logits (rows, ids, time) by two LSTMs; may carry a state on."""

    def __init__(self, ids: int, width: int = 64) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.2)
        self.encoder = nn.Embedding(ids, width)
        self.rnn = nn.LSTM(width, width, 2, batch_first=True, dropout=0.2)
        self.decoder = nn.Linear(width, ids)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def carried(self, text: Any, state: Any) -> tuple[rg.Tensor, Any]:
        output, state = self.rnn(self.dropout(self.encoder(text)), state)
        return rg.transpose(self.decoder(self.dropout(output)), 1, 2), state

    def forward(self, text: Any) -> rg.Tensor:
        return self.carried(text, None)[0]


@healthy(
    "pytorch-examples-word-language-model",
    source="https://github.com/pytorch/examples/tree/main/word_language_model",
    shape="language model",
)
def word_language_model() -> Training:
    """An LSTM language model, here of characters: rate 20, clipped at 0.25, its state carried on.

    Without progress on the validation text the rate becomes a quarter.
    """
    text, characters = shakespeare()
    streams = text[: 20 * 2400].reshape(20, 2400)
    parts = [streams[:, i : i + 36] for i in range(0, 2400 - 36, 35)]
    x, y = (np.concatenate([part[:, i : 35 + i] for part in parts]) for i in (0, 1))
    rest = text[20 * 2400 :]
    x_valid, y_valid = (rest[i : i + 35 * 300].reshape(-1, 35) for i in (0, 1))

    def fit(model: Any, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(part: Array, state: Any) -> Any:
            optimizer.zero_grad()
            output, state = model.carried(part[:, :35], state)
            nn.cross_entropy(output, part[:, 1:]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.25)
            optimizer.step()
            return [each.detach() for each in state]

        @rg.compile
        def valid_loss() -> rg.Tensor:
            with rg.no_grad():
                return nn.cross_entropy(model(x_valid), y_valid)

        best = np.inf
        for _ in range(5):
            model.train()
            state = [np.zeros((2, 20, 64), np.float32)] * 2
            for part in parts:
                state = step(part, state)
            model.eval()
            now = valid_loss().item()
            if now < best:
                best = now
            else:
                optimizer.param_groups[0]["lr"] /= 4

    return Training(
        model=lambda: WordLM(characters),
        train=(x, y),
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.SGD(parameters, lr=20),
        score=lambda predict: float((predict(x_valid).argmax(1) == y_valid).mean()),
        well=0.35,
        epochs=5,
        batch_size=20,
        valid=(x_valid, y_valid),
        shuffle=False,
        fit=fit,
    )


def triplet_loss(output: Any, classes: Any) -> Any:
    """All triplets of a batch with margin 0.2; those that are far enough apart do not count."""
    apart = rg.sqrt(((rg.unsqueeze(output, 1) - rg.unsqueeze(output, 0)) ** 2).sum(2) + 1e-12)
    classes = rg.Tensor(classes)
    same = (rg.unsqueeze(classes, 1) == rg.unsqueeze(classes, 0)).astype("float32")
    counts = rg.unsqueeze(same, 2) * rg.unsqueeze(1 - same, 1)
    losses = rg.relu(rg.unsqueeze(apart, 2) - rg.unsqueeze(apart, 1) + 0.2) * counts
    return losses.sum() / ((losses > 1e-16).astype("float32").sum() + 1e-16)


class Directions(nn.Module):
    """Images -> points on a sphere."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, 32),
        )

    def forward(self, x: Any) -> rg.Tensor:
        return nn.functional.normalize(self.net(x))


@healthy(
    "torchvision-references-similarity-triplet",
    source="https://github.com/pytorch/vision/tree/main/references/similarity",
    shape="contrastive",
)
def similarity_triplet() -> Training:
    """Embeddings by the batch-all triplet loss, batches of 4 classes with 8 images each."""
    train, valid = split(*drawn_shapes(1200))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        of_class = [np.flatnonzero(train[1] == kind) for kind in range(4)]

        @rg.compile
        def step(x: Array, y: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = triplet_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(450):
            chosen = np.concatenate([rng.choice(rows, 8, replace=False) for rows in of_class])
            step(train[0][chosen], train[1][chosen])

    def score(predict: Predict) -> float:
        """The share of validation images whose nearest training image is of the same class."""
        nearest = (predict(valid[0]) @ predict(train[0]).T).argmax(1)
        return float((train[1][nearest] == valid[1]).mean())

    return Training(
        model=Directions,
        train=train,
        loss=triplet_loss,
        optimizer=adam(1e-4),
        score=score,
        well=0.85,
        epochs=15,
        batch_size=32,
        valid=valid,
        fit=fit,
    )


@healthy(
    "deepxde-function-approximation",
    source="https://github.com/lululxvi/deepxde/blob/master/examples/function/func.py",
    shape="one output",
)
def function_approximation() -> Training:
    """x sin(5x) from 16 points by three tanh layers, 10,000 steps on all of them."""

    def curve(rows: int) -> tuple[Array, Array]:
        x = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
        return x, x * np.sin(5 * x)

    def model() -> nn.Module:
        layers: list[nn.Module] = []
        for n_in, n_out in ((1, 20), (20, 20), (20, 20)):
            layers += [nn.Linear(n_in, n_out), nn.Tanh()]
        net = nn.Sequential(*layers, nn.Linear(20, 1))
        for layer in net[::2]:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        return net

    valid = curve(100)
    return Training(
        model=model,
        train=curve(16),
        loss=nn.mse_loss,
        optimizer=adam(0.001),
        score=lambda predict: explained(predict(valid[0]), valid[1]),
        well=0.99,
        epochs=10_000,
        batch_size=16,
        valid=valid,
    )


@healthy(
    "morvan-regression",
    source="https://github.com/MorvanZhou/PyTorch-Tutorial/blob/master/tutorial-contents/301_regression.py",
    shape="one output",
)
def morvan_regression() -> Training:
    """A noisy parabola of 100 points, ten hidden units, rate 0.2, 200 steps on all points."""
    x = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    y = x**2 + 0.2 * np.random.default_rng(0).random((100, 1)).astype(np.float32)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 1)),
        train=(x, y),
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.2),
        score=lambda predict: explained(predict(x), y),
        well=0.9,
        epochs=200,
        batch_size=100,
        shuffle=False,
    )


@healthy(
    "skorch-basic-usage-classifier",
    source="https://github.com/skorch-dev/skorch/blob/master/notebooks/Basic_Usage.ipynb",
    shape="classes",
)
def skorch_classifier() -> Training:
    """Two classes of made rows; softmax within the network, the logarithm before the loss."""
    x, y = make_classification(1000, 20, n_informative=10, random_state=0)
    train, valid = split(x.astype(np.float32), y.astype(np.int64))

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Linear(20, 10),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(10, 10),
            nn.ReLU(),
            nn.Linear(10, 2),
            nn.Softmax(dim=-1),
        )

    return Training(
        model=model,
        train=train,
        loss=lambda output, target: nn.nll_loss(rg.log(output), target),
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.1),
        score=lambda predict: float((predict(valid[0]).argmax(1) == valid[1]).mean()),
        well=0.7,
        epochs=30,
        batch_size=128,
        valid=valid,
    )


@healthy(
    "skorch-basic-usage-regressor",
    source="https://github.com/skorch-dev/skorch/blob/master/notebooks/Basic_Usage.ipynb",
    shape="one output",
)
def skorch_regressor() -> Training:
    """A made linear target over 100, two hidden layers of ten, rate 0.1."""
    x, y = make_regression(1000, 20, n_informative=10, bias=0, random_state=0)
    train, valid = split(x.astype(np.float32), (y / 100).astype(np.float32)[:, None])

    def model() -> nn.Module:
        layers = nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1)
        return nn.Sequential(*layers)

    return Training(
        model=model,
        train=train,
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.1),
        score=lambda predict: explained(predict(valid[0]), valid[1]),
        well=0.9,
        epochs=20,
        batch_size=128,
        valid=valid,
    )
