"""Language models of fastai's book, on numbers written out: the unseen half."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from training import Rows, Training, batches

import retrograd as rg
from retrograd import nn, optim

BOOK = "https://github.com/fastai/fastbook/blob/master"

Array = np.ndarray[Any, Any]

SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def _words(number: int) -> list[str]:
    """An English number below 10,000, as the data set writes it: without "and"."""
    if number < 20:
        return [SMALL[number]] if number else []
    if number < 100:
        return [TENS[number // 10 - 2], *_words(number % 10)]
    for unit, name in ((1000, "thousand"), (100, "hundred")):
        if number >= unit:
            return [*_words(number // unit), name, *_words(number % unit)]
    raise AssertionError


def _human_numbers(last: int, length: int = 16) -> tuple[Rows, Rows, int]:
    """The numbers from 1 to `last`, counted up, in pieces, and how many words there are."""
    tokens = [word for number in range(1, last + 1) for word in [*_words(number), "."]]
    vocabulary = sorted(set(tokens))
    ids = {word: i for i, word in enumerate(vocabulary)}
    codes = np.array([ids[word] for word in tokens], np.int64)
    pieces = (len(codes) - 1) // length
    x = codes[: pieces * length].reshape(pieces, length)
    y = codes[1 : pieces * length + 1].reshape(pieces, length)
    cut = pieces * 4 // 5 // 64 * 64
    return (x[:cut], y[:cut]), (x[cut:], y[cut:]), len(vocabulary)


def _flat_cross_entropy(output: Any, target: Any) -> Any:
    classes = output.shape[-1]
    return nn.functional.cross_entropy(output.reshape(-1, classes), target.reshape(-1))


def _language_model(
    model: Callable[[int], nn.Module], max_lr: float, weight_decay: float, well: float
) -> Training:
    """Fifteen epochs of one cycle, the pieces in their order."""
    train, valid, words = _human_numbers(2500)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        steps = 15 * (len(train[1]) // 64)
        schedule = optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr, steps, pct_start=0.25, final_div_factor=4000
        )

        @rg.compile
        def step(x: Array, y: Array) -> None:
            optimizer.zero_grad()
            _flat_cross_entropy(model(x), y).backward()
            optimizer.step()

        model.train()
        for _ in range(15):
            for (x,), y in batches(train, 64, None):
                step(x, y)
                schedule.step()

    return Training(
        lambda: model(words),
        train,
        _flat_cross_entropy,
        lambda parameters: optim.AdamW(
            parameters, lr=1e-3, betas=(0.9, 0.99), eps=1e-5, weight_decay=weight_decay
        ),
        lambda predict: float(np.mean(predict(valid[0]).argmax(-1) == valid[1])),
        well=well,
        epochs=15,
        batch_size=64,
        valid=valid,
        shuffle=False,
        fit=fit,
    )


class _PlainRecurrence(nn.Module):
    """The book's fourth language model: a recurrence of ReLUs, an output at each word.

    The state starts anew in each piece.
    """

    def __init__(self, words: int, hidden: int) -> None:
        super().__init__()
        self.i_h = nn.Embedding(words, hidden)
        self.h_h = nn.Linear(hidden, hidden)
        self.h_o = nn.Linear(hidden, words)

    def forward(self, x: Any) -> Any:
        state, outputs = 0.0, []
        for i in range(x.shape[1]):
            state = rg.relu(self.h_h(state + self.i_h(x[:, i])))
            outputs.append(self.h_o(state))
        return rg.stack(outputs, 1)


@healthy("fastai-human-numbers-lm", source=f"{BOOK}/12_nlp_dive.ipynb", shape="language model")
def human_numbers() -> Training:
    """The next word of numbers that are counted up, by a recurrence from scratch."""
    return _language_model(lambda words: _PlainRecurrence(words, 64), 3e-3, 0.01, well=0.5)


class _TiedLSTM(nn.Module):
    """The book's last language model: two LSTMs, dropout, the embedding's weights once more."""

    def __init__(self, words: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.i_h = nn.Embedding(words, hidden)
        self.rnn = nn.LSTM(hidden, hidden, num_layers=2, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.bias = rg.Parameter(np.zeros(words, np.float32))

    def forward(self, x: Any) -> Any:
        raw, _ = self.rnn(self.i_h(x))
        return rg.linear(self.drop(raw), self.i_h.weight, self.bias)


@healthy(
    "fastai-human-numbers-tied-lstm", source=f"{BOOK}/12_nlp_dive.ipynb", shape="language model"
)
def human_numbers_lstm() -> Training:
    """The same by a regularized LSTM with tied weights, lr 1e-2, weight decay 0.1."""
    return _language_model(lambda words: _TiedLSTM(words, 64, 0.4), 1e-2, 0.1, well=0.5)
