"""Karpathy's teaching programs, and one of Andrew Trask's: the unseen half."""

from __future__ import annotations

import math
from typing import Any

import data
import numpy as np
from collection import healthy
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init

LECTURES = "https://github.com/karpathy/nn-zero-to-hero/blob/master/lectures"

Array = np.ndarray[Any, Any]


class _LetterMLP(nn.Module):
    """Three letters' embeddings beside each other, batch norm before tanh, small last weights."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.c = nn.Embedding(27, width)
        self.first = nn.Linear(3 * width, hidden, bias=False)
        init.normal_(self.first.weight, std=5 / 3 / math.sqrt(3 * width))
        self.norm = nn.BatchNorm1d(hidden, momentum=0.001)
        self.last = nn.Linear(hidden, 27)
        init.normal_(self.last.weight, std=0.01)
        init.zeros_(self.last.bias)

    def forward(self, x: Any) -> Any:
        inner = self.first(self.c(x).reshape(x.shape[0], -1))
        return self.last(rg.tanh(self.norm(inner)))


@healthy(
    "karpathy-makemore-mlp-batchnorm",
    source=f"{LECTURES}/makemore/makemore_part3_bn.ipynb",
    shape="language model",
)
def letter_mlp() -> Training:
    """The next letter of a word from three before it, batches drawn with return, lr 0.1 then 0.01.

    The batch norm's averages take a thousandth of each batch.
    """
    train, valid = data.next_letters(3, 5000)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        @rg.compile
        def step(x: Array, y: Array) -> None:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

        model.train()
        for i in range(8000):
            chosen = rng.integers(0, len(train[1]), 32)
            for group in optimizer.param_groups:
                group["lr"] = 0.1 if i < 6000 else 0.01
            step(train[0][chosen], train[1][chosen])

    def score(predict: Any) -> float:
        logits = predict(valid[0]).astype(np.float64)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        return float(np.take_along_axis(log_p, valid[1][:, None], 1).mean())

    return Training(
        lambda: _LetterMLP(10, 100),
        train,
        nn.CrossEntropyLoss(),
        lambda parameters: optim.SGD(parameters, lr=0.1),
        score,
        well=-2.35,
        epochs=8,
        batch_size=32,
        valid=valid,
        fit=fit,
    )


class _Block(nn.Module):
    """Causal attention and an MLP, each after a norm and with dropout, added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1)
        )
        self.drop = nn.Dropout(0.1)
        self.heads = heads

    def forward(self, x: Any) -> Any:
        n, length, width = x.shape
        q, k, v = (
            rg.transpose(part.reshape(n, length, self.heads, width // self.heads), 1, 2)
            for part in rg.chunk(self.c_attn(self.ln_1(x)), 3, 2)
        )
        scores = rg.matmul(q, rg.transpose(k, 2, 3)) / math.sqrt(width // self.heads)
        later = np.triu(np.ones((length, length), bool), 1)
        weights = self.drop(rg.softmax(rg.masked_fill(scores, later, -1e9), dim=-1))
        mixed = rg.transpose(rg.matmul(weights, v), 1, 2).reshape(n, length, width)
        x = x + self.drop(self.c_proj(mixed))
        return x + self.mlp(self.ln_2(x))


class _GPT(nn.Module):
    """minGPT: embeddings of digits and places, blocks, a norm and a head without a bias."""

    def __init__(self, length: int, layers: int, heads: int, width: int) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(10, width), nn.Embedding(length, width)
        self.drop = nn.Dropout(0.1)
        self.blocks = nn.Sequential(*[_Block(width, heads) for _ in range(layers)])
        self.ln_f = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                init.zeros_(module.bias)
        for block in self.blocks:
            for layer in (block.c_proj, block.mlp[2]):
                init.normal_(layer.weight, std=0.02 / math.sqrt(2 * layers))

    def forward(self, x: Any) -> Any:
        x = self.drop(self.wte(x) + self.wpe(np.arange(x.shape[1])))
        return self.head(self.ln_f(self.blocks(x)))


@healthy(
    "karpathy-mingpt-adder",
    source="https://github.com/karpathy/minGPT/blob/master/projects/adder/adder.py",
    shape="sequence",
)
def adder() -> Training:
    """minGPT learns to add numbers of two digits, the sum backwards; only its digits count.

    AdamW at 5e-4 with β₂ = 0.95, decay of the matrices only, gradients clipped at 1.
    """
    a, b = np.divmod(np.arange(10_000), 100)
    total = a + b
    table = np.stack(
        [a // 10, a % 10, b // 10, b % 10, total % 10, total // 10 % 10, total // 100], 1
    )
    (train_x, train_y), (test_x, test_y) = data.split(table[:, :-1], table[:, 1:], 0.95)
    train_y, test_y = (np.where(np.arange(6) < 3, -1, each) for each in (train_y, test_y))

    def loss(output: Any, target: Any) -> Any:
        return nn.functional.cross_entropy(
            output.reshape(-1, 10), target.reshape(-1), ignore_index=-1
        )

    def optimizer(parameters: Any) -> optim.Optimizer:
        parts: tuple[list[Any], list[Any]] = [], []
        for i, each in enumerate(parameters):
            parts[each.ndim == 2 and i > 1].append(each)
        groups = [{"params": parts[0], "weight_decay": 0.0}, {"params": parts[1]}]
        return optim.AdamW(groups, lr=5e-4, betas=(0.9, 0.95), weight_decay=0.1)

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        parameters = list(model.parameters())

        @rg.compile
        def step(x: Array, y: Array) -> None:
            optimizer.zero_grad()
            loss(model(x), y).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()

        model.train()
        for _ in range(16):
            for (x,), y in batches((train_x, train_y), 76, rng):
                step(x, y)

    def score(predict: Any) -> float:
        """The share of sums that are right when the model writes their digits one by one."""
        x = np.where(np.arange(6) < 4, test_x, 0)
        for place in (3, 4, 5):
            digit = predict(x)[:, place].argmax(-1)
            if place < 5:
                x[:, place + 1] = digit
        return float(np.mean((x[:, 4:] == test_y[:, 3:5]).all(1) & (digit == test_y[:, 5])))

    return Training(
        lambda: _GPT(6, 2, 4, 48),
        (train_x, train_y),
        loss,
        optimizer,
        score,
        well=0.8,
        epochs=16,
        batch_size=76,
        fit=fit,
    )


@healthy(
    "cs231n-spiral-net",
    source="https://cs231n.github.io/neural-networks-case-study/",
    shape="classes",
)
def spirals() -> Training:
    """Three spirals by a hidden layer of 100, all rows in each step, lr 1, weights from 0.01."""
    rng = np.random.default_rng(0)
    radius = np.tile(np.linspace(0, 1, 100), 3)
    turn = np.concatenate([np.linspace(4 * j, 4 * j + 4, 100) for j in range(3)])
    turn = turn + rng.normal(0, 0.2, 300)
    x = np.stack([radius * np.sin(turn), radius * np.cos(turn)], 1).astype(np.float32)
    y = np.repeat(np.arange(3), 100)

    def model() -> nn.Module:
        net = nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, 3))
        for layer in (net[0], net[2]):
            init.normal_(layer.weight, std=0.01)
            init.zeros_(layer.bias)
        return net

    def optimizer(parameters: Any) -> optim.Optimizer:
        w1, b1, w2, b2 = parameters
        groups = [{"params": [w1, w2], "weight_decay": 1e-3}, {"params": [b1, b2]}]
        return optim.SGD(groups, lr=1.0)

    def loss(output: Any, target: Any) -> Any:
        exps = rg.exp(output)
        p = exps / exps.sum(1, keepdim=True)
        return -rg.log(rg.take_along_axis(p, target[:, None], 1)).mean()

    return Training(
        model,
        (x, y),
        loss,
        optimizer,
        lambda predict: float(np.mean(predict(x).argmax(1) == y)),
        well=0.95,
        epochs=5000,
        batch_size=300,
    )


@healthy(
    "trask-eleven-lines",
    source="https://iamtrask.github.io/2015/07/12/basic-python-network/",
    shape="one output",
)
def eleven_lines() -> Training:
    """Four rows, three inputs, four hidden sigmoids and no bias: an exclusive or, lr 1."""
    x = np.float32([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    y = np.float32([[0], [1], [1], [0]])

    def model() -> nn.Module:
        net = nn.Sequential(
            nn.Linear(3, 4, bias=False), nn.Sigmoid(), nn.Linear(4, 1, bias=False), nn.Sigmoid()
        )
        for parameter in net.parameters():
            init.uniform_(parameter, -1, 1)
        return net

    return Training(
        model,
        (x, y),
        lambda output, target: ((target - output) ** 2).sum() / 2,
        lambda parameters: optim.SGD(parameters, lr=1.0),
        lambda predict: 1 - float(np.mean(np.abs(predict(x) - y))),
        well=0.95,
        epochs=10_000,
        batch_size=4,
    )
