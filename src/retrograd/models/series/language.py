"""Networks that read a text and say, at each place, which character comes next."""

from __future__ import annotations

from typing import Any

from retrograd import nn, ops
from retrograd.nn import init
from retrograd.tensor import Tensor

__all__ = ["CausalTransformer", "CharacterLSTM"]


class CausalBlock(nn.Module):
    """Attention over the places so far, and a feed-forward network: (n, time, width) -> the same.

    Each is normalized before and added to what came in (Xiong et al. 2020). Queries and keys are
    rotated by their place (Su et al. 2021); the activation is the square of ReLU (So et al. 2021).
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.positions = nn.RotaryPositions(width // heads)
        self.out = nn.Linear(width, width, bias=False)
        self.norm2 = nn.RMSNorm(width)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.dropout = nn.Dropout(dropout)
        init.zeros_(self.out.weight)  # so that a block starts as the identity
        init.zeros_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.out(self.attended(self.norm1(x))))
        return x + self.dropout(self.down(ops.square(ops.relu(self.up(self.norm2(x))))))

    def attended(self, x: Tensor) -> Tensor:
        n, time, width = x.shape
        apart = ops.reshape(self.qkv(x), shape=(n, time, 3, self.heads, width // self.heads))
        q, k, v = ops.unbind(ops.permute(apart, dims=(2, 0, 3, 1, 4)))  # (n, heads, time, size)
        q, k = self.positions(q), self.positions(k)
        seen = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return ops.reshape(ops.permute(seen, dims=(0, 2, 1, 3)), shape=(n, time, width))


class CausalTransformer(nn.Module):
    """Characters (n, time) -> logits (n, time, characters) of the one after each.

    Raises ValueError unless `width` is an even multiple of `heads`.
    """

    def __init__(
        self, characters: int, width: int = 128, depth: int = 4, heads: int = 4, dropout: float = 0
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, width)
        self.blocks = nn.ModuleList([CausalBlock(width, heads, dropout) for _ in range(depth)])
        self.norm = nn.RMSNorm(width)
        self.head = nn.Linear(width, characters)

    def forward(self, text: Any) -> Tensor:
        x = self.embedding(text)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x))
        return logits


class CharacterLSTM(nn.Module):
    """Characters (n, time) -> logits (n, time, characters) of the one after each, by an LSTM."""

    def __init__(
        self, characters: int, width: int = 256, depth: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, width)
        self.lstm = nn.LSTM(width, width, depth, batch_first=True, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, characters)

    def forward(self, text: Any) -> Tensor:
        states, _ = self.lstm(self.embedding(text))
        logits: Tensor = self.head(self.dropout(states))
        return logits
