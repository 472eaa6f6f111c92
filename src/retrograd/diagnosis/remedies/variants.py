"""The variants of a remedy: what is tried, of a Program or of the options of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from retrograd.diagnosis.finding import Finding

__all__ = ["Remedies", "Variants"]

Subject = TypeVar("Subject")

Variants = list[tuple[str, Subject]]
"""What is changed, in words, and the subject with the change; the likeliest to help first."""


@dataclass(frozen=True)
class Remedies(Generic[Subject]):
    """What applies each remedy to a subject, by `Remedy.change`."""

    by_change: Mapping[str, Callable[[Subject, Finding | None], Variants[Subject]]]

    def variants(
        self, change: str, subject: Subject, finding: Finding | None = None
    ) -> Variants[Subject]:
        """The variants that are worth a trial; none if the remedy does not apply."""
        apply = self.by_change.get(change)
        return [] if apply is None else apply(subject, finding)

    def random(self, subject: Subject, besides: str, seed: int) -> Variants[Subject]:
        """Any other remedy that applies, drawn at random: what a trial is compared with."""
        changes = [change for change in self.by_change if change != besides]
        for place in np.random.default_rng(seed).permutation(len(changes)):
            if found := self.variants(changes[place], subject):
                return found
        return []
