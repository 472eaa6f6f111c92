"""Programs of the official PyTorch tutorials on texts: names, tags, translation, language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import accuracy, sgd
from collection import healthy
from data import made_names, made_sentences, shakespeare, split
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]

TUTORIALS = "https://pytorch.org/tutorials"


class NameRNN(nn.Module):
    """One-hot letters of a name -> log-probabilities of its language, from the last state."""

    def __init__(self, letters: int, hidden: int, languages: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(letters, hidden, batch_first=True)
        self.out = nn.Linear(hidden, languages)
        self.letters = letters

    def forward(self, x: Any) -> rg.Tensor:
        ids = rg.Tensor(x)
        lengths = (ids > 0).astype(np.int64).sum(1)
        _, last = self.rnn(
            nn.functional.one_hot(ids, self.letters).astype("float32"), None, lengths
        )
        return rg.log_softmax(self.out(last[0]), dim=1)


@healthy(
    "pytorch-tutorials-char-rnn-classification",
    source=f"{TUTORIALS}/intermediate/char_rnn_classification_tutorial.html",
    shape="sequence",
)
def char_rnn_classification() -> Training:
    """Names to languages by a recurrent network over letters, gradients clipped to a norm of 3."""
    (x, y), letters = made_names()
    train, valid = split(x, y, 0.85)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(names: Array, language: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = nn.nll_loss(model(names), language)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 3)
            optimizer.step()
            return loss

        for _ in range(27):
            for inputs, target in batches(train, 64, rng):
                step(*inputs, target)

    return Training(
        model=lambda: NameRNN(letters, 128, 4),
        train=train,
        loss=nn.nll_loss,
        optimizer=sgd(0.15),
        score=accuracy(valid),
        well=0.85,
        epochs=27,
        batch_size=64,
        valid=valid,
        fit=fit,
    )


# "The dog ate the apple" and "Everybody read that book"; -100 behind the end of the second.
WORDS = np.array([[0, 1, 2, 3, 4], [5, 6, 7, 8, 0]])
TAGS = np.array([[0, 1, 2, 0, 1], [1, 2, 0, 1, -100]])


class Tagger(nn.Module):
    """Words (rows, time) -> log-probabilities (rows, tags, time)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 6)
        self.lstm = nn.LSTM(6, 6, batch_first=True)
        self.tag = nn.Linear(6, 3)

    def forward(self, words: Any) -> rg.Tensor:
        states, _ = self.lstm(self.embedding(words))
        return rg.transpose(rg.log_softmax(self.tag(states), dim=2), 1, 2)


@healthy(
    "pytorch-tutorials-lstm-pos-tagger",
    source=f"{TUTORIALS}/beginner/nlp/sequence_models_tutorial.html",
    shape="sequence",
)
def lstm_pos_tagger() -> Training:
    """Word classes of two sentences by an LSTM of width 6: one sentence a step, 300 epochs."""

    def score(predict: Predict) -> float:
        return float((predict(WORDS).argmax(1) == TAGS)[TAGS >= 0].mean())

    return Training(
        model=Tagger,
        train=(WORDS, TAGS),
        loss=nn.nll_loss,
        optimizer=sgd(0.1),
        score=score,
        well=1.0,
        epochs=300,
        batch_size=1,
        shuffle=False,
    )


class Potentials(nn.Module):
    """Words (rows, time) -> how well tag i follows tag j at each place (rows, time, i, j).

    The scores of a bidirectional LSTM for i, and a matrix of transitions that is learned.
    """

    def __init__(self, words: int, tags: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, 5)
        self.lstm = nn.LSTM(5, 2, batch_first=True, bidirectional=True)
        self.tag = nn.Linear(4, tags)
        self.transitions = rg.Parameter(np.zeros((tags, tags), np.float32))
        nn.init.normal_(self.transitions)

    def forward(self, words: Any) -> rg.Tensor:
        states, _ = self.lstm(self.embedding(words))
        return rg.unsqueeze(self.tag(states), 3) + self.transitions


def crf_loss(potentials: Any, tags: Any) -> Any:
    """The log-sum over all paths less the score of the right one, averaged over the rows."""
    length, kinds = potentials.shape[1:3]
    every = nn.functional.one_hot(rg.Tensor(tags), kinds).astype("float32")
    alpha, right = potentials[:, 0, :, 0], (potentials[:, 0, :, 0] * every[:, 0]).sum(1)
    for t in range(1, length):
        alpha = rg.logsumexp(rg.unsqueeze(alpha, 1) + potentials[:, t], dim=2)
        right = right + rg.einsum("nij,ni,nj->n", potentials[:, t], every[:, t], every[:, t - 1])
    return (rg.logsumexp(alpha, dim=1) - right).mean()


@healthy(
    "pytorch-tutorials-bilstm-crf",
    source=f"{TUTORIALS}/beginner/nlp/advanced_tutorial.html",
    shape="sequence",
)
def bilstm_crf() -> Training:
    """Named entities of two sentences: a bidirectional LSTM of width 4 under a CRF, 300 epochs."""
    words = np.array([[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 8, 14]])
    tags = np.array([[0, 1, 1, 1, 2, 2, 2, 0], [0, 1, 2, 2, 2, 2, 0, 1]])

    def best_path(potentials: Array) -> list[int]:
        best, back = potentials[0, :, 0], []
        for each in potentials[1:]:
            back.append((best + each).argmax(1))
            best = (best + each).max(1)
        path = [int(best.argmax())]
        for pointers in reversed(back):
            path.append(int(pointers[path[-1]]))
        return path[::-1]

    def score(predict: Predict) -> float:
        return float(np.mean([best_path(each) for each in predict(words)] == tags))

    return Training(
        model=lambda: Potentials(15, 3),
        train=(words, tags),
        loss=crf_loss,
        optimizer=sgd(0.01, weight_decay=1e-4),
        score=score,
        well=0.9,
        epochs=300,
        batch_size=1,
        shuffle=False,
    )


class Translator(nn.Module):
    """A GRU reads a sentence; another, with additive attention, writes (rows, words, time).

    It is told the right word before each place, as in teacher forcing; 1 starts the sentence.
    """

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.read = nn.Embedding(words, width)
        self.encoder = nn.GRU(width, width, batch_first=True)
        self.write = nn.Embedding(words, width)
        self.of_state = nn.Linear(width, width)
        self.of_place = nn.Linear(width, width)
        self.energy = nn.Linear(width, 1)
        self.decoder = nn.GRU(2 * width, width, batch_first=True)
        self.out = nn.Linear(width, words)
        self.dropout = nn.Dropout(0.1)

    def forward(self, source: Any, before: Any) -> rg.Tensor:
        places, state = self.encoder(self.dropout(self.read(source)))
        told, keys, written = self.dropout(self.write(before)), self.of_place(places), []
        for t in range(told.shape[1]):
            query = rg.transpose(self.of_state(state), 0, 1)
            weights = rg.softmax(self.energy(rg.tanh(query + keys)), dim=1)
            context = (weights * places).sum(1, keepdim=True)
            output, state = self.decoder(rg.concatenate([told[:, t : t + 1], context], 2), state)
            written.append(self.out(output)[:, 0])
        return rg.log_softmax(rg.stack(written, 2), dim=1)


@healthy(
    "pytorch-tutorials-seq2seq-attention",
    source=f"{TUTORIALS}/intermediate/seq2seq_translation_tutorial.html",
    shape="sequence",
)
def seq2seq_attention() -> Training:
    """Sentence to sentence by GRUs with attention, all places told the right word before."""
    source, target, words = made_sentences()
    before = np.hstack([np.ones((len(target), 1), np.int64), target[:, :-1]])
    return Training(
        model=lambda: Translator(words, 64),
        train=((source, before), target),
        loss=nn.nll_loss,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.001),
        score=lambda predict: float((predict(source, before).argmax(1) == target).mean()),
        well=0.95,
        epochs=16,
        batch_size=30,
    )


class TransformerLM(nn.Module):
    """Characters (rows, time) -> logits (rows, characters, time); each sees those before it."""

    def __init__(self, characters: int, width: int = 48, time: int = 32) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, width)
        self.positions = nn.SinusoidalPositions(width)
        self.dropout = nn.Dropout(0.2)
        layer = nn.TransformerEncoderLayer(width, 2, 2 * width, 0.2, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.decoder = nn.Linear(width, characters)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        self.mask = np.triu(np.full((time, time), -np.inf, np.float32), 1)
        self.width = width

    def forward(self, text: Any) -> rg.Tensor:
        x = self.dropout(self.positions(self.embedding(text) * self.width**0.5))
        return rg.transpose(self.decoder(self.encoder(x, mask=self.mask)), 1, 2)


@healthy(
    "pytorch-tutorials-transformer-language-model",
    source=f"{TUTORIALS}/beginner/transformer_tutorial.html",
    shape="language model",
)
def transformer_language_model() -> Training:
    """The next character by a transformer: rate 5, less by 5 % an epoch, gradients clipped."""
    text, characters = shakespeare()
    starts = np.arange(0, len(text) - 32, 32)
    x = np.stack([text[i : i + 32] for i in starts])
    y = np.stack([text[i + 1 : i + 33] for i in starts])
    middle = 1600
    train, valid = (x[:middle], y[:middle]), (x[middle:], y[middle:])

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        schedule = optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.95)

        @rg.compile
        def step(part: Array, following: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(part), following)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            return loss

        for _ in range(5):
            for inputs, target in batches(train, 20, None):
                step(*inputs, target)
            schedule.step()

    def score(predict: Predict) -> float:
        return float((predict(valid[0]).argmax(1) == valid[1]).mean())

    return Training(
        model=lambda: TransformerLM(characters),
        train=train,
        loss=nn.cross_entropy,
        optimizer=sgd(5.0),
        score=score,
        well=0.28,  # the likeliest character after the one before is right in 0.286
        epochs=5,
        batch_size=20,
        valid=valid,
        shuffle=False,
        fit=fit,
    )
