"""A recommender of films by users' codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from collection import healthy
from training import Training

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]


class NeuMF(nn.Module):
    """A user and a film -> a logit: products of one pair of codes, layers over another."""

    def __init__(self, users: int, films: int, width: int = 8) -> None:
        super().__init__()
        self.user_product, self.film_product = (
            nn.Embedding(users, width),
            nn.Embedding(films, width),
        )
        self.user_layers = nn.Embedding(users, 2 * width)
        self.film_layers = nn.Embedding(films, 2 * width)
        layers: list[nn.Module] = []
        for size in (4 * width, 2 * width):
            layers += [nn.Dropout(0.1), nn.Linear(size, size // 2), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.predict = nn.Linear(2 * width, 1)
        for code in (self.user_product, self.film_product, self.user_layers, self.film_layers):
            nn.init.normal_(code.weight, std=0.01)
        for layer in self.layers[1::3]:
            nn.init.xavier_uniform_(layer.weight)
        nn.init.kaiming_uniform_(self.predict.weight, a=1, nonlinearity="leaky_relu")
        nn.init.zeros_(self.predict.bias)

    def forward(self, user: Any, film: Any) -> rg.Tensor:
        product = self.user_product(user) * self.film_product(film)
        codes = rg.concatenate([self.user_layers(user), self.film_layers(film)], 1)
        return self.predict(rg.concatenate([product, self.layers(codes)], 1)).reshape(-1)


@healthy(
    "guoyang9-neural-collaborative-filtering",
    source="https://github.com/guoyang9/NCF",
    shape="recommender",
)
def collaborative_filtering() -> Training:
    """Seen films of made users against four unseen ones for each, drawn anew in each epoch."""
    rng = np.random.default_rng(0)
    users, films = 300, 120
    taste = rng.integers(0, 6, users)[:, None] == rng.integers(0, 6, films)
    seen = rng.random((users, films)) < np.where(taste, 0.5, 0.02)
    user, film = np.nonzero(seen)
    hidden = rng.permutation(len(user))[: len(user) // 10]
    shown = np.delete(np.arange(len(user)), hidden)

    def sampled(rng: np.random.Generator) -> tuple[Array, Array, Array]:
        others = rng.integers(0, films, 4 * len(shown))
        who = np.concatenate([user[shown], np.repeat(user[shown], 4)])
        what = np.concatenate([film[shown], others])
        return who, what, np.repeat(np.array([1, 0], np.float32), [len(shown), 4 * len(shown)])

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(who: Array, what: Array, label: Array) -> rg.Tensor:
            optimizer.zero_grad()
            loss = nn.binary_cross_entropy_with_logits(model(who, what), label)
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(15):
            who, what, label = sampled(rng)
            order = rng.permutation(len(who) // 256 * 256)
            for rows in order.reshape(-1, 256):
                step(who[rows], what[rows], label[rows])

    def score(predict: Predict) -> float:
        """How often a hidden film is among the ten best of it and 60 unseen ones."""
        draw, hits = np.random.default_rng(1), []
        for row in hidden[:200]:
            others = draw.choice(np.flatnonzero(~seen[user[row]]), 60, replace=False)
            what = np.concatenate([film[row : row + 1], others])
            values = predict(np.full(61, user[row]), what)
            hits.append((values > values[0]).sum() < 10)
        return float(np.mean(hits))

    who, what, label = sampled(rng)
    return Training(
        model=lambda: NeuMF(users, films),
        train=((who, what), label),
        loss=nn.binary_cross_entropy_with_logits,
        optimizer=lambda parameters: optim.Adam(parameters, lr=0.001),
        score=score,
        well=0.7,
        epochs=15,
        batch_size=256,
        fit=fit,
    )
