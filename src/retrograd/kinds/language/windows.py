"""Windows of a long text, from each character to the one after it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd import nn, ops
from retrograd.tensor import Tensor
from retrograd.training.sources import Stack, in_calls
from retrograd.variable import Buffer

__all__ = ["NextCharacter", "TextWindows"]

Array = np.ndarray[Any, Any]

# The target of a position that does not count; `cross_entropy` ignores it by default.
_NOT_COUNTED = -100
# Characters per call when a text is scored, so that the logits of a call stay small.
_CHARACTERS_PER_PART = 1 << 16


@dataclass
class TextWindows:
    """Windows of `context` characters of a text, codes (n,): (batch, context) to the same, shifted.

    An epoch goes through the text once, in adjacent windows from a random start. The text is passed
    to the steps once; a call carries only the indices where its windows begin. For scoring, the
    windows overlap by half, and the second halves count, so that each character is predicted once
    with at least half a window before it, except in the first window. A training text must hold at
    least two windows and one more character.
    """

    codes: Array
    context: int
    _corpus: Buffer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._corpus = Buffer(self.codes)

    def __len__(self) -> int:
        """The number of adjacent windows in the text."""
        return (len(self.codes) - 1) // self.context

    def steps(self, batch_size: int) -> int:
        return max((len(self) - 1) // batch_size, 1)

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        first = rng.integers(self.context, dtype=np.int32)
        starts = first + self.context * np.arange(len(self) - 1, dtype=np.int32)
        order = np.resize(rng.permutation(starts), (self.steps(batch_size), batch_size))
        for each in in_calls(order):
            yield Stack(None, (each,))

    def batch(self, form: Hashable, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        (starts,) = arrays
        places = ops.unsqueeze(starts, 1) + np.arange(self.context + 1, dtype=np.int32)
        window = ops.take(self._corpus, places, 0)
        return (window[:, :-1],), window[:, 1:]

    def parts(self, rows: int) -> Iterator[tuple[tuple[Array, ...], Array]]:
        context, half = self.context, max(self.context // 2, 1)
        rows = min(rows, max(_CHARACTERS_PER_PART // context, 1))
        asked = len(self.codes) - 1
        starts = half * np.arange(max(math.ceil((asked - context) / half), 0) + 1)[:, None]
        padded = np.pad(self.codes, (0, context))
        for first in range(0, len(starts), rows):
            start = starts[first : first + rows]
            places = start + np.arange(context)
            counts = (places < asked) & ((places >= start + context - half) | (start == 0))
            yield (padded[places],), np.where(counts, padded[places + 1], _NOT_COUNTED)


class NextCharacter:
    """The probability of each character to be the next, at every position of a window."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean cross-entropy in nats: (batch, time, characters), (batch, time) codes."""
        batch, time, characters = output.shape
        return nn.cross_entropy(
            ops.reshape(output, shape=(batch * time, characters)),
            ops.reshape(target, shape=(batch * time,)),
        )

    def score(self, output: Array, target: Array) -> float:
        """The mean cross-entropy over the positions that count, in nats per character."""
        return float(next_character_losses(output, target).mean())


def next_character_losses(output: Array, target: Array) -> Array:
    """-log of the probability of each character that counts, (counted,): see `NextCharacter`."""
    counts = target != _NOT_COUNTED
    chosen = np.ascontiguousarray(output[counts])
    largest = chosen.max(-1)
    total = np.log(np.exp(chosen - largest[:, None]).sum(-1)) + largest
    return total - np.take_along_axis(chosen, target[counts][:, None], -1)[:, 0]
