"""The options for a language model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from retrograd.training.options import Options

__all__ = ["LanguageOptions"]


@dataclass(frozen=True, kw_only=True)
class LanguageOptions(Options):
    """The options for a language model: those of every run, and those of its network.

    `context` is the number of characters the network looks back over; `width` and `depth` are the
    size of its layers and their number. The last share `valid` of the text is for validation.
    """

    valid: float = 0.1
    learning_rate: float = 0.006
    dropout: float = 0.2
    average: float = 0.99
    context: int = 64
    width: int | None = None
    depth: int | None = None

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Options.ranges,
        "context": (2, 100_000),
        "width": (1, 100_000),
        "depth": (1, 1000),
    }
