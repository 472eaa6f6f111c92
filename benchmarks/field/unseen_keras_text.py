"""Healthy programs after Keras's code examples: text, sequences and generation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import MeanOverTime
from collection import healthy
from data import Rows, keras_start, mnist_images, sentences
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn.functional import nll_loss

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam."""
    return lambda parameters: optim.Adam(parameters, lr, eps=1e-7)


class Positioned(nn.Module):
    """Word vectors plus those of their places."""

    def __init__(self, words: int, length: int, size: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, size), nn.Embedding(length, size)

    def forward(self, x: Any) -> rg.Tensor:
        return self.words(x) + self.places.weight


@healthy(
    "keras-text-transformer",
    source="https://keras.io/examples/nlp/text_classification_with_transformer/",
    shape="classes",
)
def text_transformer() -> Training:
    """One transformer block, the mean over all words, and a softmax of two classes."""
    train, valid = sentences("subjectivity", 4000)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                Positioned(2000, 24, 32),
                nn.TransformerEncoderLayer(32, 2, 32, layer_norm_eps=1e-6, batch_first=True),
                *(MeanOverTime(), nn.Dropout(0.1), nn.Linear(32, 20), nn.ReLU()),
                *(nn.Dropout(0.1), nn.Linear(20, 2), nn.Softmax(1)),
            )
        ),
        train=train,
        valid=valid,
        loss=lambda output, y: nll_loss(rg.log(rg.clip(output, 1e-7, 1.0)), y),
        optimizer=adam(),
        score=lambda predict: np.mean(predict(valid[0]).argmax(1) == valid[1]),
        well=0.8,
        epochs=4,
    )


def named_entities(rows: int, seed: int) -> Rows:
    """Made sentences (rows, 14) and a tag for each word: 0 padding, 1 other, then B-/I- of three
    kinds. Names come in two words, of which the second also occurs alone as no name.
    """
    rng = np.random.default_rng(seed)
    words = rng.integers(2, 120, (rows, 14))
    tags = np.ones((rows, 14), np.int64)
    length = rng.integers(6, 15, rows)
    for row, tag in zip(words, tags, strict=True):
        for start in (rng.integers(0, 3), rng.integers(4, 8)):
            kind = rng.integers(0, 3)
            row[start : start + 2] = (
                120 + 30 * kind + rng.integers(0, 30),
                rng.integers(210, 240) if rng.random() < 0.7 else rng.integers(2, 120),
            )
            tag[start : start + 2] = 2 + 2 * kind, 3 + 2 * kind
    lone = (rng.random((rows, 14)) < 0.08) & (tags == 1)
    words[lone] = rng.integers(210, 240, lone.sum())
    beyond = np.arange(14) >= length[:, None]
    words[beyond], tags[beyond] = 0, 0
    return words, tags


@healthy(
    "keras-ner-transformer",
    source="https://keras.io/examples/nlp/ner_transformers/",
    shape="sequence",
)
def entity_tagger() -> Training:
    """A tag for every word by a transformer; a hand-written loss leaves the padding out."""
    train, valid = named_entities(1500, 0), named_entities(300, 1)

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        log_p = rg.log(rg.clip(output, 1e-7, 1.0))
        picked = rg.squeeze(rg.take_along_dim(log_p, rg.unsqueeze(target, 2), 2), 2)
        mask = (target > 0).astype(np.float32)
        return -(picked * mask).sum() / mask.sum()

    real = valid[1] > 0
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                Positioned(240, 14, 32),
                nn.TransformerEncoderLayer(32, 4, 64, layer_norm_eps=1e-6, batch_first=True),
                *(nn.Dropout(0.1), nn.Linear(32, 64), nn.ReLU(), nn.Dropout(0.1)),
                *(nn.Linear(64, 8), nn.Softmax(2)),
            )
        ),
        train=train,
        loss=lambda output, target: loss(output, rg.Tensor(target)),
        optimizer=adam(),
        score=lambda predict: np.mean((predict(valid[0]).argmax(2) == valid[1])[real]),
        well=0.93,
        epochs=10,
    )


def captchas(rows: Rows, count: int, seed: int) -> Rows:
    """Four digits of five kinds in an image (count, 1, 14, 64), at places that vary."""
    rng = np.random.default_rng(seed)
    usable = np.flatnonzero(rows[1] < 5)
    chosen = usable[rng.integers(0, len(usable), (count, 4))]
    images = rng.uniform(0, 0.15, (count, 1, 14, 64)).astype(np.float32)
    for image, digits in zip(images, chosen, strict=True):
        for i, digit in enumerate(digits):
            left = 16 * i + rng.integers(0, 3)
            image[0, :, left : left + 14] += rows[0][digit, 0]
    return images.clip(0, 1), rows[1][chosen]


class CaptchaReader(nn.Module):
    """Convolutions, then LSTMs in both directions along the width, then a softmax with a blank."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        )
        self.narrow = nn.Sequential(nn.Linear(72, 48), nn.ReLU(), nn.Dropout(0.2))
        self.lstm = nn.LSTM(48, 48, 1, batch_first=True, bidirectional=True)
        self.second = nn.LSTM(96, 24, 1, batch_first=True, bidirectional=True)
        self.out = nn.Linear(48, 6)
        keras_start(self)
        for layer in (self.body[0], self.body[3]):
            nn.init.kaiming_normal_(layer.weight)

    def forward(self, x: Any) -> rg.Tensor:
        columns = rg.permute(self.body(x), (0, 3, 1, 2))  # (rows, width, channels, height)
        states, _ = self.lstm(self.narrow(rg.flatten(columns, 2)))
        return rg.softmax(self.out(self.second(states)[0]), 2)


@healthy(
    "keras-captcha-ocr-ctc",
    source="https://keras.io/examples/vision/captcha_ocr/",
    shape="sequence",
)
def captcha_reader() -> Training:
    """Captchas read with the CTC loss; the blank is the last class."""
    digits, more = mnist_images(5000, 14)
    train, valid = captchas(digits, 800, 0), captchas(more, 150, 1)

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        log_p = rg.log(rg.transpose(output, 0, 1) + 1e-7)
        rows = output.shape[0]
        steps, lengths = np.full(rows, 16), np.full(rows, 4)
        return nn.ctc_loss(log_p, target, steps, lengths, blank=5, reduction="none").mean()

    def read(predict: Predict) -> float:
        best = predict(valid[0]).argmax(2)
        right = 0
        for path, label in zip(best, valid[1], strict=True):
            kept = path[np.r_[True, path[1:] != path[:-1]] & (path != 5)]
            right += np.array_equal(kept, label)
        return right / len(best)

    return Training(
        model=CaptchaReader,
        train=train,
        valid=valid,
        loss=loss,
        optimizer=adam(),
        score=read,
        well=0.6,
        epochs=24,
        batch_size=16,
    )


class Crop(nn.Module):
    """(rows, 1, 16, 16) to (rows, 1, 14, 14)."""

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return x[:, :, 1:-1, 1:-1]


class Shaped(nn.Module):
    """(rows, c · side · side) to (rows, c, side, side)."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return x.reshape(x.shape[0], -1, self.side, self.side)


def generator() -> nn.Module:
    """(rows, 32) noise to (rows, 1, 14, 14) images from -1 to 1."""
    return keras_start(
        nn.Sequential(
            *(nn.Linear(32, 32 * 16, bias=False), nn.BatchNorm1d(512, 1e-3), nn.LeakyReLU(0.2)),
            *(Shaped(4), nn.Upsample(scale_factor=2), nn.Conv2d(32, 24, 3, 1, 1, bias=False)),
            *(nn.BatchNorm2d(24, 1e-3), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(24, 1, 3, 1, 1, bias=False), nn.BatchNorm2d(1, 1e-3), nn.Tanh(), Crop()),
        )
    )


def critic() -> nn.Module:
    """Images to one number each, without a normalization of batches."""
    return keras_start(
        nn.Sequential(
            *(nn.Conv2d(1, 16, 5, 2, 2), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(16, 32, 5, 2, 2), nn.LeakyReLU(0.2), nn.Dropout(0.3)),
            *(nn.Flatten(), nn.Dropout(0.2), nn.Linear(512, 1)),
        )
    )


@healthy("keras-wgan-gp", source="https://keras.io/examples/generative/wgan_gp/", shape="GAN")
def wasserstein_gan() -> Training:
    """A Wasserstein GAN with a gradient penalty of 10 and three critic's steps for each other."""
    (digits, kind), _ = mnist_images(2500, 14)
    real = 2 * digits[kind < 3] - 1
    noise = np.random.default_rng(3).normal(size=(len(real), 32)).astype(np.float32)
    critics: list[nn.Module] = []

    def model() -> nn.Module:
        critics[:] = [critic()]
        return generator()

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        critic = critics[0]
        critic_optimizer = optim.Adam(critic.parameters(), 2e-4, (0.5, 0.9), 1e-7)

        @rg.compile
        def critic_step(images: Any) -> None:
            rows = images.shape[0]
            with rg.no_grad():
                fake = model(rg.random.normal((rows, 32)))
            mixed = images + rg.random.normal((rows, 1, 1, 1)) * (fake - images)
            slope = rg.grad(lambda x: critic(x).sum())(mixed)
            norm = rg.sqrt(rg.square(slope).sum((1, 2, 3)))
            critic_optimizer.zero_grad()
            cost = critic(fake).mean() - critic(images).mean()
            (cost + 10 * rg.square(norm - 1).mean()).backward()
            critic_optimizer.step()

        @rg.compile
        def generator_step() -> None:
            optimizer.zero_grad()
            (-critic(model(rg.random.normal((64, 32)))).mean()).backward()
            optimizer.step()

        model.train()
        for _ in range(30):
            for (_,), images in batches((noise, real), 64, rng):
                if len(images) == 64:
                    for _ in range(3):
                        critic_step(images)
                    generator_step()

    def likeness(predict: Predict) -> float:
        """R² of the generated images' mean and deviation, pixel by pixel, as the real ones'."""
        fake = predict(noise)
        wanted = np.stack([real.mean(0), real.std(0)])
        off = np.stack([fake.mean(0), fake.std(0)]) - wanted
        spread = wanted - wanted.mean((1, 2, 3), keepdims=True)
        return 1 - np.square(off).sum() / np.square(spread).sum()

    return Training(
        model=model,
        train=(noise, real),
        loss=lambda output, _: -critics[0](output).mean(),
        optimizer=lambda parameters: optim.Adam(parameters, 2e-4, (0.5, 0.9), 1e-7),
        score=likeness,
        well=0.5,
        batch_size=64,
        fit=fit,
    )
