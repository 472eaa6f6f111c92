"""Recurrent programs of Dive into Deep Learning: the unseen half."""

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

BOOK = "https://d2l.ai"

Array = np.ndarray[Any, Any]


def _clipped(
    rows: Rows, loss: Callable[[Any, Any], Any], epochs: int, batch_size: int
) -> Callable[..., None]:
    """The usual loop with gradients of a norm of at most 1."""

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        parameters = list(model.parameters())

        @rg.compile
        def step(inputs: tuple[Array, ...], target: Array) -> None:
            optimizer.zero_grad()
            loss(model(*inputs), target).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()

        model.train()
        for _ in range(epochs):
            for inputs, target in batches(rows, batch_size, rng):
                step(inputs, target)

    return fit


def _cross_entropy(output: Any, target: Any) -> Any:
    classes = output.shape[-1]
    return nn.functional.cross_entropy(output.reshape(-1, classes), target.reshape(-1))


def _character_model(
    model: Callable[[], nn.Module], lr: float, epochs: int, length: int, well: float
) -> Training:
    """Characters of a play by a language model; the score is minus the mean loss in nats."""
    codes = data.letters(40_000)
    train = data.letter_windows(codes[:32_000], length, 1280)
    valid = data.letter_windows(codes[32_000:], length, 256, seed=1)

    def score(predict: Any) -> float:
        logits = predict(valid[0]).astype(np.float64)
        logits -= logits.max(-1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        return float(np.take_along_axis(log_p, valid[1][..., None], -1).mean())

    return Training(
        model,
        train,
        _cross_entropy,
        lambda parameters: optim.SGD(parameters, lr=lr),
        score,
        well=well,
        epochs=epochs,
        batch_size=128,
        valid=valid,
        fit=_clipped(train, _cross_entropy, epochs, 128),
    )


def _one_hot(x: Any) -> Any:
    return nn.functional.one_hot(x, 27).astype("float32")


class _RNNFromScratch(nn.Module):
    """One-hot characters through a recurrence of tanh, all weights from N(0, 0.01²)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        shapes = {"w_xh": (27, hidden), "w_hh": (hidden, hidden), "w_hq": (hidden, 27)}
        for name, shape in shapes.items():
            setattr(self, name, init.normal_(rg.Parameter(np.zeros(shape, np.float32)), std=0.01))
        self.b_h = rg.Parameter(np.zeros(hidden, np.float32))
        self.b_q = rg.Parameter(np.zeros(27, np.float32))

    def forward(self, x: Any) -> Any:
        x = _one_hot(x)
        state = np.zeros((x.shape[0], self.b_h.shape[0]), np.float32)
        outputs = []
        for t in range(x.shape[1]):
            inner = rg.matmul(x[:, t], self.w_xh) + rg.matmul(state, self.w_hh) + self.b_h
            state = rg.tanh(inner)
            outputs.append(rg.matmul(state, self.w_hq) + self.b_q)
        return rg.stack(outputs, 1)


@healthy(
    "d2l-rnn-scratch",
    source=f"{BOOK}/chapter_recurrent-neural-networks/rnn-scratch.html",
    shape="language model",
)
def rnn_from_scratch() -> Training:
    """A recurrent language model from scratch, lr 1, gradients clipped at 1."""
    return _character_model(lambda: _RNNFromScratch(32), lr=1.0, epochs=80, length=16, well=-2.45)


class _GRUModel(nn.Module):
    """One-hot characters through a GRU."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(27, hidden, batch_first=True)
        self.linear = nn.Linear(hidden, 27)

    def forward(self, x: Any) -> Any:
        return self.linear(self.rnn(_one_hot(x))[0])


@healthy(
    "d2l-gru-concise",
    source=f"{BOOK}/chapter_recurrent-modern/gru.html",
    shape="language model",
)
def gru() -> Training:
    """The same by a GRU, lr 4."""
    return _character_model(lambda: _GRUModel(32), lr=4.0, epochs=50, length=32, well=-2.35)


ENGLISH = ["i", "you", "we", "they", "he", "she"]
FRENCH = {"i": "je", "you": "tu", "we": "nous", "they": "ils", "he": "il", "she": "elle"}
VERBS = {"see": "vois", "take": "prends", "want": "veux", "hear": "entends", "paint": "peins"}
THINGS = {
    "the dog": "le chien",
    "the house": "la maison",
    "the red house": "la maison rouge",
    "the old dog": "le vieux chien",
    "a book": "un livre",
    "the blue book": "le livre bleu",
    "water": "de l' eau",
    "a green tree": "un arbre vert",
}
WHEN = {"": "", "today": "aujourd' hui", "now": "maintenant", "often": "souvent"}


def _translations() -> tuple[Array, Array, int, int]:
    """Ids of English and French sentences, filled up with 0; the French begin with 1, end with 2.

    Made from all subjects, verbs, things and times: 960 pairs.
    """
    pairs = [
        (f"{who} {does} {thing} {when} .", f"{FRENCH[who]} {fait} {chose} {quand} .")
        for who in ENGLISH
        for does, fait in VERBS.items()
        for thing, chose in THINGS.items()
        for when, quand in WHEN.items()
    ]
    sides = []
    for side, starts in ((0, ()), (1, ("<bos>", "<eos>"))):
        texts = [pair[side].split() for pair in pairs]
        words = ["<pad>", *starts, *sorted({word for text in texts for word in text})]
        ids = {word: i for i, word in enumerate(words)}
        full = [["<bos>", *text, "<eos>"] if side else text for text in texts]
        rows = np.zeros((len(full), 11 if side else 8), np.int64)
        for row, text in zip(rows, full, strict=True):
            row[: len(text)] = [ids[word] for word in text]
        sides.append((rows, len(words)))
    (source, sources), (target, targets) = sides
    return source, target, sources, targets


class _Seq2Seq(nn.Module):
    """A GRU reads, another writes, and sees the reader's last output at each step."""

    def __init__(self, sources: int, targets: int, width: int, hidden: int) -> None:
        super().__init__()
        self.reads = nn.Embedding(sources, width)
        self.encoder = nn.GRU(width, hidden, num_layers=2, dropout=0.2, batch_first=True)
        self.writes = nn.Embedding(targets, width)
        self.decoder = nn.GRU(width + hidden, hidden, num_layers=2, dropout=0.2, batch_first=True)
        self.dense = nn.Linear(hidden, targets)
        for parameter in (*self.encoder.parameters(), *self.decoder.parameters()):
            if parameter.ndim == 2:
                init.xavier_uniform_(parameter)
        init.xavier_uniform_(self.dense.weight)

    def forward(self, source: Any, target: Any) -> Any:
        outputs, state = self.encoder(self.reads(source))
        words = self.writes(target)
        context = outputs[:, -1:].expand(-1, words.shape[1], -1)
        return self.dense(self.decoder(rg.concatenate([words, context], 2), state)[0])


@healthy("d2l-seq2seq", source=f"{BOOK}/chapter_recurrent-modern/seq2seq.html", shape="sequence")
def translation() -> Training:
    """English to French by an encoder and a decoder; filled places do not count in the loss."""
    source, target, sources, targets = _translations()
    (train_x, train_y), (valid_x, valid_y) = data.split(source, target, 0.8)
    train = (train_x, train_y[:, :-1]), train_y[:, 1:]
    valid = (valid_x, valid_y[:, :-1]), valid_y[:, 1:]

    def loss(output: Any, target: Any) -> Any:
        return nn.functional.cross_entropy(
            output.reshape(-1, targets), target.reshape(-1), ignore_index=0
        )

    def score(predict: Any) -> float:
        there = valid[1] > 0
        return float(np.mean((predict(*valid[0]).argmax(-1) == valid[1])[there]))

    return Training(
        lambda: _Seq2Seq(sources, targets, 32, 48),
        train,
        loss,
        lambda parameters: optim.Adam(parameters, lr=0.005),
        score,
        well=0.9,
        epochs=15,
        batch_size=64,
        valid=valid,
        fit=_clipped(train, loss, 15, 64),
    )
