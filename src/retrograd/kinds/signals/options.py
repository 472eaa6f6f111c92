"""The options for signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from retrograd.training.options import Options

__all__ = ["SignalsOptions"]


@dataclass(frozen=True, kw_only=True)
class SignalsOptions(Options):
    """The options for signals: those of every run, and how a signal is augmented in training.

    `shift` is the largest shift, as a share of the length; `scale` is the largest deviation from 1
    of a random factor; `noise` is the deviation of the noise added to the standardized signal.
    """

    dropout: float = 0.2
    average: float = 0.99
    shift: float = 0.1
    scale: float = 0.1
    noise: float = 0.1

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Options.ranges,
        "shift": (0, 1),
        "scale": (0, 1),
        "noise": (0, 10),
    }

    resumable: ClassVar[frozenset[str]] = Options.resumable | {"shift", "scale", "noise"}
