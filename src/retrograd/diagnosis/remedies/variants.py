"""The variants of a remedy, for a Program or for the options of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from retrograd.diagnosis.finding import Finding

__all__ = ["Remedies", "Variants"]

Subject = TypeVar("Subject")

Variants = list[tuple[str, Subject]]
"""(description of the change, changed subject) pairs; the likeliest to help first."""


@dataclass(frozen=True)
class Remedies(Generic[Subject]):
    """The functions that apply each remedy to a subject, by `Remedy.change`."""

    by_change: Mapping[str, Callable[[Subject, Finding | None], Variants[Subject]]]

    def variants(
        self, change: str, subject: Subject, finding: Finding | None = None
    ) -> Variants[Subject]:
        """The variants that are worth a trial; empty if the remedy does not apply."""
        apply = self.by_change.get(change)
        return [] if apply is None else apply(subject, finding)

    def random(self, subject: Subject, besides: str, seed: int) -> Variants[Subject]:
        """Another remedy that applies, drawn at random, to compare a trial with."""
        changes = [change for change in self.by_change if change != besides]
        for place in np.random.default_rng(seed).permutation(len(changes)):
            try:
                found = self.variants(changes[place], subject)
            except Exception:  # a user's model may be built like no other; it does not apply
                continue
            if found:
                return found
        return []
