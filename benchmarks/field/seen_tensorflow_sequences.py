"""Healthy programs after TensorFlow's tutorials: text, sound, series and segmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import Turned
from collection import healthy
from data import (
    FOLDER,
    Rows,
    beijing_weather,
    keras_start,
    made_sounds,
    sentences,
    shape_images,
    split,
    trained,
    windows,
)
from sklearn.metrics import r2_score
from training import Training

import retrograd as rg
from retrograd import nn, optim

Predict = Callable[..., np.ndarray]


def adam(lr: float = 1e-3) -> Callable[..., optim.Optimizer]:
    """Keras's Adam, on what is not frozen."""
    return lambda all_: optim.Adam([p for p in all_ if p.requires_grad], lr, eps=1e-7)


def accuracy(rows: Rows) -> Callable[[Predict], float]:
    """The share of rows whose highest output, along axis 1, is the class."""
    return lambda predict: np.mean(predict(rows[0]).argmax(1) == rows[1])


@healthy(
    "tf-load-text-stackoverflow-conv",
    source="https://www.tensorflow.org/tutorials/load_data/text",
    shape="classes",
)
def four_topics() -> Training:
    """Titles of four topics: word vectors, dropout, one strided convolution, its maximum."""
    train, valid = sentences("ag_news_7600", 6000, 3000, 16)
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Embedding(3000, 64, padding_idx=0), nn.Dropout(0.5), Turned()),
                *(nn.Conv1d(64, 64, 5, 2), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten()),
                nn.Linear(64, 4),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.68,
        epochs=5,
    )


class TextReader(nn.Module):
    """Word vectors, an LSTM in both directions over the words that count, a layer and a logit."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(1000, 64)
        self.lstm = nn.LSTM(64, 48, batch_first=True, bidirectional=True)
        self.out = nn.Sequential(nn.Linear(96, 64), nn.ReLU(), nn.Linear(64, 1))
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        x = rg.Tensor(x)
        _, (last, _) = self.lstm(self.words(x), lengths=(x > 0).sum(1))
        return self.out(rg.concatenate([last[0], last[1]], 1))


@healthy(
    "tf-text-classification-rnn",
    source="https://www.tensorflow.org/text/tutorials/text_classification_rnn",
    shape="one output",
)
def text_reader() -> Training:
    """A bidirectional LSTM on masked texts; logits, Adam at 0.0001."""
    train, valid = (
        (x, y.astype(np.float32)[:, None]) for x, y in sentences("subjectivity", 4000, 1000, 20)
    )
    return Training(
        model=TextReader,
        train=train,
        valid=valid,
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=adam(1e-4),
        score=lambda predict: np.mean((predict(valid[0]) > 0) == valid[1]),
        well=0.75,
        epochs=8,
        batch_size=32,
    )


class SkipGram(nn.Module):
    """How well each of five words fits to one: products of two tables' vectors."""

    def __init__(self, words: int, size: int) -> None:
        super().__init__()
        self.target, self.context = nn.Embedding(words, size), nn.Embedding(words, size)
        keras_start(self)

    def forward(self, target: Any, context: Any) -> rg.Tensor:
        return rg.einsum("be,bce->bc", self.target(target), self.context(context))


@healthy(
    "tf-word2vec-skipgram",
    source="https://www.tensorflow.org/text/tutorials/word2vec",
    shape="language model",
)
def skip_gram() -> Training:
    """Skip-grams of Shakespeare with four negative words; the label is one-hot, in front."""
    text = (FOLDER / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8").lower()[:90_000]
    words = np.array("".join(c if c.isalpha() else " " for c in text).split())
    _, codes, counts = np.unique(words, return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(-counts))[codes]  # 0 is the most frequent
    kept = rank[rank < 600]
    rng = np.random.default_rng(0)
    kept = kept[rng.random(len(kept)) < np.sqrt(20 / (kept + 20))]  # frequent words more rarely
    pairs = np.concatenate([np.stack([kept[: -k or None], kept[k:]]) for k in (1, 2)], 1)
    negative = (np.exp(rng.uniform(0, np.log(601), (pairs.shape[1], 4))) - 1).astype(np.int64)
    context = np.concatenate([pairs[1][:, None], np.minimum(negative, 599)], 1)
    label = np.tile(np.array([1, 0, 0, 0, 0], np.float32), (len(context), 1))
    return Training(
        model=lambda: SkipGram(600, 64),
        train=((pairs[0], context), label),
        loss=nn.cross_entropy,
        optimizer=adam(),
        score=lambda predict: np.mean(predict(pairs[0], context).argmax(1) == 0),
        well=0.4,
        epochs=20,
        batch_size=256,
        task="classification",
    )


class NotePredictor(nn.Module):
    """From the last notes: logits of the next pitch, its step and its duration, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.out = nn.LSTM(3, 64, batch_first=True), nn.Linear(64, 130)
        keras_start(self)

    def forward(self, x: Any) -> rg.Tensor:
        return self.out(self.lstm(x)[0][:, -1])


@healthy(
    "tf-music-generation",
    source="https://www.tensorflow.org/tutorials/audio/music_generation",
    shape="other",
)
def music() -> Training:
    """The next note's pitch, step and duration: three losses with weights, Adam at 0.005."""
    rng = np.random.default_rng(0)
    motifs = [np.array(m) for m in ([0, 4, 7, 4], [7, 5, 4, 2], [0, 2, 4, 5], [12, 7, 4, 0])]
    played = np.concatenate([60 + motifs[rng.integers(0, 4)] for _ in range(500)])
    step = np.tile([0.5, 0.25, 0.25, 0.5], 500) + rng.normal(0, 0.02, 2000)
    length = np.tile([0.4, 0.2, 0.2, 0.8], 500) * rng.uniform(0.9, 1.1, 2000)
    notes = np.stack([played, abs(step), length], 1).astype(np.float32)
    x, after = windows(notes, 12)
    x = x / np.array([128, 1, 1], np.float32)

    def positive(output: rg.Tensor, target: Any) -> rg.Tensor:
        return (rg.square(target - output) + 10 * rg.relu(-output)).mean()

    def loss(output: rg.Tensor, target: Any) -> rg.Tensor:
        target = rg.Tensor(target)
        pitch = nn.cross_entropy(output[:, :128], target[:, 0].astype("int64"))
        rest = positive(output[:, 128], target[:, 1]) + positive(output[:, 129], target[:, 2])
        return 0.05 * pitch + rest

    target = after[:, 0]
    return Training(
        model=NotePredictor,
        train=(x, target),
        loss=loss,
        optimizer=adam(0.005),
        score=lambda predict: np.mean(predict(x)[:, :128].argmax(1) == target[:, 0]),
        well=0.6,
        epochs=25,
        batch_size=64,
    )


def spectrograms(rows: Rows) -> Rows:
    """Sounds as pictures (rows, 1, 16, 16) of time and frequency, standardized as a whole."""
    sound = rows[0][:, 0]
    frames = sound[:, np.arange(32)[:, None] * 48 + np.arange(64)]
    picture = abs(np.fft.rfft(frames * np.hanning(64)))[:, :, :32]
    picture = picture.reshape(-1, 1, 16, 2, 16, 2).mean((3, 5))
    return ((picture - picture.mean()) / picture.std()).astype(np.float32), rows[1]


@healthy(
    "tf-simple-audio-spectrogram",
    source="https://www.tensorflow.org/tutorials/audio/simple_audio",
    shape="classes",
)
def simple_audio() -> Training:
    """Short sounds as spectrograms through a convnet with dropout."""
    train, valid = split(*spectrograms(made_sounds(1000)))
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU()),
                *(nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()),
                *(nn.Linear(1152, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 5)),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.85,
        epochs=10,
        batch_size=64,
    )


class Flat(nn.Module):
    """(rows, 1, time) to (rows, time)."""

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return rg.squeeze(x, 1)


@healthy(
    "tf-timeseries-wide-conv",
    source="https://www.tensorflow.org/tutorials/structured_data/time_series",
    shape="numbers",
)
def wide_convolution() -> Training:
    """The temperature three hours on, at each of 24 times, from the last three of each; MSE."""
    series = beijing_weather()
    end = int(0.7 * len(series))
    scaled = ((series - series[:end].mean(0)) / series[:end].std(0)).astype(np.float32)

    def rows(part: np.ndarray) -> Rows:
        every = windows(part, 27)[0]
        x = np.ascontiguousarray(every[:, :-1].transpose(0, 2, 1))
        return x, every[:, 3:, 0]

    train, valid = rows(scaled[:end:1]), rows(scaled[end:])
    return Training(
        model=lambda: keras_start(
            nn.Sequential(
                *(nn.Conv1d(6, 32, 3), nn.ReLU(), nn.Conv1d(32, 32, 1), nn.ReLU()),
                *(nn.Conv1d(32, 1, 1), Flat()),
            )
        ),
        train=train,
        valid=valid,
        loss=nn.mse_loss,
        optimizer=adam(),
        score=lambda predict: r2_score(valid[1].ravel(), predict(valid[0]).ravel()),
        well=0.93,
        epochs=6,
    )


class OnFrozenEncoder(nn.Module):
    """A frozen encoder's stages, and transposed convolutions that join them on the way up."""

    def __init__(self, stages: list[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages).requires_grad_(False)
        self.ups = nn.ModuleList([self.up(48, 32), self.up(64, 16)])
        self.last = nn.ConvTranspose2d(32, 3, 3, 2, 1, 1)
        for layer in (self.ups[0][0], self.ups[1][0]):
            nn.init.normal_(layer.weight, std=0.02)
        keras_start(self.last)

    @staticmethod
    def up(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, 1, bias=False),
            nn.BatchNorm2d(outputs, 1e-3, 0.03),
            nn.ReLU(),
        )

    def forward(self, x: Any) -> rg.Tensor:
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        for up, skip in zip(self.ups, skips[-2::-1], strict=True):
            x = rg.concatenate([up(x), skip], 1)
        return self.last(x)


@healthy(
    "tf-pets-segmentation-frozen-encoder",
    source="https://www.tensorflow.org/tutorials/images/segmentation",
    shape="fine-tuning",
)
def pets_segmentation() -> Training:
    """A U-Net whose encoder was trained to classify and is frozen; a class for each pixel."""
    images, _, masks = shape_images(400)
    train, valid = split(images, masks)

    def model() -> nn.Module:
        stages: list[nn.Module] = [
            nn.Sequential(nn.Conv2d(n, m, 3, 2, 1), nn.ReLU6())
            for n, m in ((3, 16), (16, 32), (32, 48))
        ]
        classifier = nn.Sequential(*stages, nn.Flatten(), nn.Linear(432, 5))
        others = shape_images(600, seed=5)
        trained(keras_start(classifier), others[:2], nn.cross_entropy, 5)
        return OnFrozenEncoder(stages)

    return Training(
        model=model,
        train=train,
        valid=valid,
        loss=nn.cross_entropy,
        optimizer=adam(),
        score=accuracy(valid),
        well=0.85,
        epochs=12,
    )
