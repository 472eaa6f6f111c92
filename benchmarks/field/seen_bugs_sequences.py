"""Sequences whose axes or targets are mixed up: bugs of public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import every_place, hits
from collection import faulty
from data import made_names, split
from training import Training

from retrograd import nn, optim


class Writer(nn.Module):
    """Embedding, GRU and logits at each place."""

    def __init__(self, kinds, width=48):
        super().__init__()
        self.letters = nn.Embedding(kinds, 16)
        self.gru = nn.GRU(16, width, batch_first=True)
        self.last = nn.Linear(width, kinds)

    def forward(self, x):
        return self.last(self.gru(self.letters(x))[0])


@faulty(
    "transformers-git-labels-shifted-twice",
    source="https://github.com/huggingface/transformers/issues/47394",
    shape="language model",
    faults=("the labels are shifted twice: the model learns the letter after the next",),
    right=(),
)
def transformers_git_labels_shifted_twice() -> tuple[Training, Training]:
    """A model of invented names, letter by letter; both the model and its loss shift the labels."""
    (names, _), kinds = made_names(1200, 11)
    train, test = names[:1000], names[1000:]

    def score(predict):
        known = test[:, 1:-1] > 0
        return (predict(test[:, :-2]).argmax(-1) == test[:, 1:-1])[known].mean()

    fixed = Training(
        model=lambda: Writer(kinds),
        train=(train[:, :-2], train[:, 1:-1]),
        loss=every_place,
        optimizer=lambda parameters: optim.Adam(parameters, 0.005),
        score=score,
        well=0.4,
        epochs=15,
        batch_size=32,
    )
    return replace(fixed, train=(train[:, :-2], train[:, 2:])), fixed


@faulty(
    "molecule-generator-learns-padding",
    source="https://github.com/DaoyuanLi2816/Molecule-Generator/pull/20",
    shape="language model",
    faults=("padding counts in the loss and makes up nine tenths of it",),
    right=("RG306",),
)
def molecule_generator_learns_padding() -> tuple[Training, Training]:
    """Short strings in rows of 80 letters; the loss takes the padding behind them for letters."""
    (names, _), kinds = made_names(600, 8)
    wide = np.zeros((600, 80), np.int64)
    wide[:, :8] = names
    train, test = wide[:500], names[500:]

    def score(predict):
        known = test[:, 1:] > 0
        return (predict(test[:, :-1]).argmax(-1) == test[:, 1:])[known].mean()

    def letters_only(output, target):
        flat = output.reshape(-1, kinds)
        return nn.cross_entropy(flat, target.reshape(-1), ignore_index=0)

    fixed = Training(
        model=lambda: Writer(kinds, 32),
        train=(train[:, :-1], train[:, 1:]),
        loss=letters_only,
        optimizer=lambda parameters: optim.SGD(parameters, 0.3, momentum=0.9),
        score=score,
        well=0.35,
        epochs=8,
        batch_size=32,
    )
    return replace(fixed, loss=every_place), fixed


@faulty(
    "video-classification-lstm-batch-as-time",
    source="https://github.com/HHTseng/video-classification/issues/42",
    shape="sequence",
    faults=("the recurrent layer takes the first axis for time, and that holds the rows",),
    right=("RG408",),
)
def video_classification_lstm_batch_as_time() -> tuple[Training, Training]:
    """Clips as frame features; an LSTM runs over the clips of the batch instead of the frames."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 4, 900)
    turn = np.array([1, -1, 2, -2])[kind, None] * 2 * np.pi * np.arange(12) / 12
    start = rng.uniform(0, 2 * np.pi, (900, 1))
    wave = np.stack([np.cos(start + turn), np.sin(start + turn)], 2)
    frames = wave @ rng.normal(size=(2, 10)) + rng.normal(0, 0.3, (900, 12, 10))
    train, test = split(frames.astype(np.float32), kind)

    class Recurrent(nn.Module):
        def __init__(self, batch_first):
            super().__init__()
            self.lstm = nn.LSTM(10, 32, batch_first=batch_first)
            self.last = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4))

        def forward(self, x):
            return self.last(self.lstm(x)[0][:, -1])

    fixed = Training(
        model=lambda: Recurrent(True),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.005),
        score=hits(test),
        well=0.85,
        epochs=15,
        batch_size=30,
        valid=test,
    )
    return replace(fixed, model=lambda: Recurrent(False)), fixed
