"""Questions of users about wiring: axes, shapes that broadcast, gradients kept or cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from building import accuracy, adam, explained, sgd
from collection import faulty
from data import (
    drawn_shapes,
    house_prices,
    mnist_images,
    split,
)
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]
Pair = tuple[Training, Training]


def kept_gradients(training: Training) -> Training:
    """The same training in a loop of its own that never clears the gradients."""

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(inputs: tuple[Array, ...], target: Array) -> Any:
            loss = training.loss(model(*inputs), target)
            loss.backward()
            optimizer.step()
            return loss

        model.train()
        for _ in range(training.epochs):
            for inputs, target in batches(training.train, training.batch_size, rng):
                step(inputs, target)

    return replace(training, fit=fit)


@faulty(
    "aihwkit-446-no-zero-grad",
    source="https://github.com/IBM/aihwkit/issues/446",
    shape="own loop",
    faults=("the gradients are never cleared",),
    right=("RG212",),
)
def simple_layer_no_zero_grad() -> Pair:
    """One linear layer and two rows, whose loss falls for five steps and rises again."""
    x = np.array([[0.1, 0.2, 0.4, 0.3], [0.2, 0.1, 0.1, 0.3]], np.float32)
    y = np.array([[1.0, 0.5], [0.7, 0.3]], np.float32)
    right = Training(
        model=lambda: nn.Linear(4, 2),
        train=(x, y),
        loss=nn.mse_loss,
        optimizer=sgd(0.1),
        score=lambda predict: float(1 - ((predict(x) - y) ** 2).mean() / (y**2).mean()),
        well=0.9,
        epochs=20,
        batch_size=2,
    )
    return kept_gradients(right), right


@faulty(
    "tennis-court-7-no-zero-grad",
    source="https://github.com/yastrebksv/TennisCourtDetector/issues/7",
    shape="dense targets",
    faults=("the gradients are never cleared",),
    right=("RG212",),
)
def key_points_no_zero_grad() -> Pair:
    """Heatmaps of two corners of a court by convolutions and the mean squared error."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[:16, :16]
    low, high = rng.integers(2, 7, (300, 2, 1, 1)), rng.integers(9, 14, (300, 2, 1, 1))
    in_rows = (down >= low[:, 0]) & (down <= high[:, 0])
    court = in_rows & (across >= low[:, 1]) & (across <= high[:, 1])
    x = (court[:, None] + rng.normal(0, 0.1, (300, 1, 16, 16))).astype(np.float32)
    heat = [
        np.exp(-((down - point[:, 0]) ** 2 + (across - point[:, 1]) ** 2) / 4.0)
        for point in (low, high)
    ]
    train, valid = split(x, np.stack(heat, 1).astype(np.float32))
    right = Training(
        model=lambda: nn.Sequential(
            *(nn.Conv2d(1, 12, 5, padding=2), nn.ReLU()),
            *(nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 2, 3, padding=1)),
        ),
        train=train,
        valid=valid,
        loss=nn.mse_loss,
        optimizer=adam(0.01),
        score=explained(*valid),
        well=0.7,
        epochs=10,
        batch_size=16,
    )
    return kept_gradients(right), right


class Options(nn.Module):
    """A question (rows, 24) and its possible answers (rows, 10, 16): the answers' log-shares."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.question = nn.Sequential(nn.Linear(24, 32), nn.Tanh(), nn.Linear(32, 16))
        self.answer = nn.Linear(16, 16)
        self.axis = axis

    def forward(self, question: Any, answers: Any) -> Any:
        asked = rg.unsqueeze(self.question(question), 1)
        return rg.log_softmax((asked * self.answer(answers)).sum(2), dim=self.axis)


@faulty(
    "visdial-1-softmax-over-rows",
    source="https://github.com/batra-mlp-lab/visdial-challenge-starter-pytorch/issues/1",
    shape="classes",
    faults=("log-softmax over the rows of the batch instead of the options",),
    right=("RG408",),
)
def softmax_over_rows() -> Pair:
    """Which of ten answers belongs to a question; scores are normalized along the batch."""
    rng = np.random.default_rng(0)
    questions = rng.normal(size=(1200, 24)).astype(np.float32)
    fitting = np.tanh(questions @ rng.normal(0, 0.3, (24, 16)))
    y = rng.integers(0, 10, 1200)
    answers = 0.8 * rng.normal(size=(1200, 10, 16))
    answers[np.arange(1200), y] = fitting + 0.3 * rng.normal(size=(1200, 16))
    answers = (answers * rng.uniform(0.3, 3, (1200, 1, 1))).astype(np.float32)
    train, valid = (questions[:1000], answers[:1000]), (questions[1000:], answers[1000:])
    wrong = Training(
        model=lambda: Options(0),
        train=(train, y[:1000]),
        valid=(valid, y[1000:]),
        loss=nn.nll_loss,
        optimizer=adam(0.003),
        score=lambda predict: float((predict(*valid).argmax(1) == y[1000:]).mean()),
        well=0.9,
        epochs=15,
        batch_size=12,
    )
    return wrong, replace(wrong, model=lambda: Options(1))


@faulty(
    "world-models-10-mixture-over-rows",
    source="https://github.com/ctallec/world-models/issues/10",
    shape="numbers",
    faults=("the mixture's shares are normalized over the rows instead of the Gaussians",),
    right=("RG408",),
)
def mixture_over_rows() -> Pair:
    """A mixture of five Gaussians for the next latent state, which has several branches."""
    rng = np.random.default_rng(0)
    branch, noise = rng.uniform(0, 1, 1500), rng.uniform(-0.1, 0.1, 1500)
    x = (branch + 0.3 * np.sin(2 * np.pi * branch) + noise)[:, None].astype(np.float32)
    train, valid = split(x, branch[:, None].astype(np.float32))

    def likelihood(output: Any, target: Any, axis: int) -> Any:
        mean, log_width, share = output[:, :5], output[:, 5:10], output[:, 10:]
        z = (target - mean) / rg.exp(log_width)
        density = -0.5 * z**2 - log_width - 0.9189
        return rg.logsumexp(rg.log_softmax(share, dim=axis) + density, 1).mean()

    def score(predict: Predict) -> float:
        output = rg.Tensor(predict(valid[0]))
        return float(likelihood(output, valid[1], 1).numpy())

    wrong = Training(
        model=lambda: nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 15)),
        train=train,
        valid=valid,
        loss=lambda output, target: -likelihood(output, target, -2),
        optimizer=adam(0.01),
        score=score,
        well=0.6,
        epochs=40,
    )
    return wrong, replace(wrong, loss=lambda output, target: -likelihood(output, target, -1))


@faulty(
    "coursera-7-reshaped-images",
    source="https://github.com/abdur75648/Deep-Learning-Specialization-Coursera/issues/7",
    shape="one output",
    faults=("images are reshaped into columns without a transpose, which mixes their pixels",),
    right=("RG307",),
)
def reshaped_images() -> Pair:
    """Logistic regression on 209 images, cats or not, from zero weights, by the whole batch."""
    (x, y), _ = mnist_images(2500, 14)
    chosen = np.flatnonzero(y < 2)[:259]
    paint = np.random.default_rng(0).uniform(0.5, 1, (259, 1, 1, 3))
    images = (x[chosen].transpose(0, 2, 3, 1) * paint).astype(np.float32)
    answer = y[chosen].astype(np.float32)

    def flat(rows: Array, mixed: bool) -> Array:
        return rows.reshape(-1, len(rows)).T.copy() if mixed else rows.reshape(len(rows), -1)

    def model() -> nn.Module:
        built = nn.Sequential(nn.Linear(588, 1), nn.Sigmoid())
        for parameter in built.parameters():
            nn.init.zeros_(parameter)
        return built

    def regression(mixed: bool) -> Training:
        valid = flat(images[209:], mixed), answer[209:]
        return Training(
            model=model,
            train=(flat(images[:209], mixed), answer[:209]),
            valid=valid,
            loss=lambda output, target: (
                -(target * rg.log(output[:, 0]) + (1 - target) * rg.log(1 - output[:, 0])).mean()
            ),
            optimizer=sgd(0.01),
            score=lambda predict: float(((predict(valid[0])[:, 0] > 0.5) == valid[1]).mean()),
            well=0.9,
            epochs=1500,
            batch_size=209,
        )

    return regression(True), regression(False)


@faulty(
    "micro-expression-7-reshaped-frames",
    source="https://github.com/IcedDoggie/Micro-Expression-with-Deep-Learning/issues/7",
    shape="classes",
    faults=("channels are brought to the front by a reshape, which scrambles the images",),
    right=(),
)
def reshaped_frames() -> Pair:
    """Frames with channels last, reshaped to channels first for the convolutions."""
    x, y = drawn_shapes(1000)
    frames = x.transpose(0, 2, 3, 1)

    def network(images: Array) -> Training:
        train, valid = split(images, y)
        return Training(
            model=lambda: nn.Sequential(
                *(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU()),
                *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 32), nn.ReLU()),
                nn.Linear(32, 4),
            ),
            train=train,
            valid=valid,
            loss=nn.cross_entropy,
            optimizer=adam(0.003),
            score=accuracy(valid),
            well=0.85,
            epochs=25,
        )

    return network(frames.reshape(x.shape)), network(x)


class TransposedTokens(nn.Module):
    """Token vectors, time first as a recurrent layer wants them, flattened for dense layers."""

    def __init__(self, length: int, transposed: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(80, 16)
        self.dense = nn.Sequential(nn.Linear(16 * length, 32), nn.ReLU(), nn.Linear(32, 2))
        self.transposed = transposed

    def forward(self, tokens: Any) -> Any:
        x = self.embedding(tokens)
        x = rg.transpose(x, 0, 1) if self.transposed else x
        return self.dense(rg.reshape(x, (len(tokens), -1)))


@faulty(
    "hip-pop-8-transposed-tokens",
    source="https://github.com/TobiasLee/Chinese-Hip-pop-Generation/pull/8",
    shape="classes",
    faults=("a batch with time first is reshaped to rows, which mixes the rows",),
    right=("RG408",),
)
def transposed_tokens() -> Pair:
    """A discriminator of sentences whose recurrent encoder was replaced by dense layers."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 80, (2000, 12))
    train, valid = split(words, (rng.normal(size=80)[words].sum(1) > 0).astype(np.int64))
    wrong = Training(
        model=lambda: TransposedTokens(12, True),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(0.002),
        score=accuracy(valid),
        well=0.85,
        epochs=20,
        batch_size=64,
    )
    return wrong, replace(wrong, model=lambda: TransposedTokens(12, False))


@faulty(
    "solofox-housing-broadcast",
    source="https://solofox.github.io/torch/broadcasting/2025/12/07/torch-broadcasting-trap.html",
    shape="one output",
    faults=("outputs (n, 1) against prices (n,) in the mean squared error",),
    right=("RG405",),
)
def housing_broadcast() -> Pair:
    """A straight line through a house's size and its price; the slope becomes 0."""
    x, price = house_prices()
    size, price = x[:, 2:3] / 1000, price / 10_000
    wrong = Training(
        model=lambda: nn.Linear(1, 1),
        train=(size, price),
        loss=lambda output, target: ((output - target) ** 2).mean(),
        optimizer=lambda parameters: optim.AdamW(parameters, lr=0.05),
        score=explained(size, price),
        well=0.35,
        epochs=1500,
        batch_size=len(price),
        shuffle=False,
    )
    return wrong, replace(wrong, loss=lambda output, target: ((output[:, 0] - target) ** 2).mean())


@faulty(
    "farm-229-text-regression-broadcast",
    source="https://github.com/deepset-ai/FARM/issues/229",
    shape="one output",
    faults=("squeezed outputs (n,) against labels (n, 1) in the mean squared error",),
    right=("RG405",),
)
def text_regression_broadcast() -> Pair:
    """Texts that are graded from 0 to 16 by a mean of word vectors and a linear head."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 200, (1200, 12))
    grade = 8 + 3 * rng.normal(size=200)[words].sum(1) / np.sqrt(12)
    grade = np.clip(grade + 0.3 * rng.normal(size=1200), 0, 16)[:, None].astype(np.float32)
    (x, y), valid = split(words, grade)
    wrong = Training(
        model=lambda: nn.Sequential(
            nn.EmbeddingBag(200, 32), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0)
        ),
        train=(x, y),
        valid=valid,
        loss=lambda output, target: ((output - target) ** 2).mean(),
        optimizer=lambda parameters: optim.AdamW(parameters, lr=0.003),
        score=explained(*valid),
        well=0.6,
        epochs=20,
    )
    return wrong, replace(wrong, loss=lambda output, target: ((output - target[:, 0]) ** 2).mean())
