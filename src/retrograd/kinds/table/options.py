"""The options for a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from retrograd.training.options import Options

__all__ = ["TableOptions"]


@dataclass(frozen=True, kw_only=True)
class TableOptions(Options):
    """The options for a table: those of every run, and those of its network.

    `sep` is what separates the fields of a text file, detected if it is None. `bins` is the largest
    number of pieces in a number's piecewise-linear curve, `members` the size of the ensemble that
    shares its weights.

    A cell of free text is read up to `max_tokens` tokens, by default as far as a training step has
    memory for. For networks that depend on the order of tokens, `tokens` is words, characters or
    bpe, and `vocabulary` the largest number of distinct ones. `text_dropout` defaults to the
    architecture's own.
    """

    target: str
    kinds: dict[str, str] = field(default_factory=dict)
    sep: str | None = None
    bins: int = 128
    width: int = 128
    depth: int = 2
    members: int = 8
    tokens: str = "words"
    max_tokens: int | None = None
    vocabulary: int = 20_000
    text_dropout: float | None = None

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Options.ranges,
        "bins": (1, 128),
        "width": (1, 100_000),
        "depth": (1, 1000),
        "members": (1, 1000),
        "max_tokens": (1, 1_000_000),
        "vocabulary": (100, 1_000_000),
        "text_dropout": (0, 0.99),
    }

    resumable: ClassVar[frozenset[str]] = Options.resumable | {"text_dropout"}
