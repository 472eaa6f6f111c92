"""Sequences whose axes or targets are mixed up: bugs of public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import every_place, hits
from collection import faulty
from data import shakespeare
from training import Training

from retrograd import nn, optim


class Decoder(nn.Module):
    """A small transformer over characters, causal or not: logits at each place."""

    def __init__(self, kinds, causal=True):
        super().__init__()
        self.causal = causal
        self.letters, self.places = nn.Embedding(kinds, 32), nn.LearnedPositions(24, 32)
        self.block = nn.TransformerEncoderLayer(
            32, 4, 64, dropout=0.0, batch_first=True, norm_first=True
        )
        self.last = nn.Linear(32, kinds)

    def forward(self, x):
        mask = np.triu(np.ones((x.shape[1], x.shape[1]), bool), 1) if self.causal else None
        return self.last(self.block(self.places(self.letters(x)), mask))


def pieces(length=24, rows=1300):
    """Windows of Tiny Shakespeare for training and for a test, and the number of characters."""
    ids, kinds = shakespeare(60_000)
    starts = np.random.default_rng(0).permutation(len(ids) - length - 1)
    windows = ids[starts[: rows + 400, None] + np.arange(length + 1)]
    return windows[:rows], windows[rows:], kinds


@faulty(
    "transformers-mbart-labels-not-shifted",
    source="https://github.com/huggingface/transformers/issues/27517",
    shape="language model",
    faults=("the labels are the inputs themselves: nobody shifts them by one",),
    right=("RG305",),
)
def transformers_mbart_labels_not_shifted() -> tuple[Training, Training]:
    """A causal language model of characters; its labels are copies of its inputs."""
    train, test, kinds = pieces()
    fixed = Training(
        model=lambda: Decoder(kinds),
        train=(train[:, :-1], train[:, 1:]),
        loss=every_place,
        optimizer=lambda parameters: optim.AdamW(parameters, 0.003),
        score=hits((test[:, :-1], test[:, 1:])),
        well=0.28,
        epochs=5,
        batch_size=32,
    )
    return replace(fixed, train=(train[:, :-1], train[:, :-1])), fixed


@faulty(
    "transformers-roformer-sees-the-future",
    source="https://github.com/huggingface/transformers/issues/48745",
    shape="language model",
    faults=("attention reaches later places, where the label stands",),
    right=("RG305",),
)
def transformers_roformer_sees_the_future() -> tuple[Training, Training]:
    """A language model of characters whose attention is not causal; judged at the last place."""
    train, test, kinds = pieces()
    fixed = Training(
        model=lambda: Decoder(kinds),
        train=(train[:, :-1], train[:, 1:]),
        loss=every_place,
        optimizer=lambda parameters: optim.AdamW(parameters, 0.003),
        score=lambda predict: (predict(test[:, :-1])[:, -1].argmax(1) == test[:, -1]).mean(),
        well=0.28,
        epochs=6,
        batch_size=32,
    )
    return replace(fixed, model=lambda: Decoder(kinds, causal=False)), fixed
