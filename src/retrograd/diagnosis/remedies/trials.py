"""Trials of remedies, and what came of them.

A subject is anything that can be trained with a seed and scored twice: on validation examples, to
choose among a remedy's variants, and on test examples, to judge the remedy. Higher is better.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from retrograd.diagnosis.finding import Finding, Remedy

__all__ = ["Fix", "FixInterrupted", "FixProgress", "Scored", "Trial", "bounded"]

Subject = TypeVar("Subject")

# A thousandth of the rows, or of the variance, is not worth a change.
_WORTH = 1e-3


class Scored(NamedTuple):
    """The scores of one training, higher is better; `diagnose()` finds what is wrong with it."""

    validation: float
    test: float
    diagnose: Callable[[], Sequence[Finding]]


@dataclass(frozen=True)
class FixProgress:
    """The progress of a fix: trainings done, the most there can be, and the most seconds left."""

    doing: str
    done: int
    most: int
    seconds_left: float | None


@dataclass(frozen=True)
class Trial:
    """A remedy's best variant and its effect: test scores by seed, before and after.

    `change` describes what was changed ("lr 10 -> 1"). `before` is the score of what had been kept
    until then. A variant that gains nothing with the first seed is not trained with the others. A
    remedy that `mends` a fault for certain is kept without a gain. A random remedy has no finding.
    """

    change: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    finding: Finding | None = None
    remedy: Remedy | None = None
    mends: bool = False

    @property
    def gain(self) -> float:
        """The improvement of the mean score."""
        return statistics.fmean(self._gains)

    @property
    def spread(self) -> float:
        """The standard deviation of the gain between seeds."""
        return statistics.stdev(self._gains) if len(self._gains) > 1 else 0.0

    @property
    def helped(self) -> bool:
        """Whether the score improved by more than the spread between seeds, and worth mention."""
        return self.gain > max(self.spread, _WORTH)

    @property
    def _gains(self) -> list[float]:
        return [after - before for before, after in zip(self.before, self.after, strict=True)]

    def __str__(self) -> str:
        before, after = (statistics.fmean(each) for each in (self.before, self.after))
        verdict = "mends the fault" if self.mends else "does not help"
        spread = f" (± {self.spread:.2g} between {len(self.before)} seeds)"
        return (
            f"{self.change} {'helps' if self.helped else verdict}: {before:.4g} -> {after:.4g}, "
            f"{self.gain:+.4g}{spread if len(self.before) > 1 else ' with one seed'}"
        )


@dataclass
class Fix(Generic[Subject]):
    """What was tried, and the outcome.

    `subject` has every change that was kept; it is the original if none was. `scores` are its test
    scores by seed, `findings` what is still found wrong with it. `random` is the trial of a random
    remedy on the original, None if none applied. `by_hand` lists remedies that only a person can
    apply. `interrupted`: Ctrl-C came before the end.
    """

    subject: Subject
    scores: tuple[float, ...]
    trials: list[Trial] = field(default_factory=list)
    random: Trial | None = None
    by_hand: list[tuple[Finding, Remedy]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    interrupted: bool = False

    @property
    def kept(self) -> list[Trial]:
        """The trials whose remedies were adopted, each on top of those before it."""
        return [trial for trial in self.trials if trial.helped or trial.mends]

    def __str__(self) -> str:
        if not (self.trials or self.by_hand or self.interrupted):
            return "Found nothing to fix."
        lines = []
        for trial in self.trials:
            assert trial.finding is not None
            lines.append(f"{trial.finding.code} {trial.finding.name}: {trial}.")
        if self.random is not None:
            lines.append(f"For comparison, a random change: {self.random}.")
        for finding, remedy in self.by_hand:
            lines.append(f"{finding.code} {finding.name}, by hand: {remedy.text}")
        if self.kept:
            lines.append(f"Kept: {'; '.join(trial.change for trial in self.kept)}.")
        if self.interrupted:
            lines.append(
                "Interrupted before all remedies were tried; the unfinished trial does not count."
            )
        elif self.trials and not self.kept:
            lines.append("Nothing was changed: no remedy beat the spread between seeds.")
        return "\n".join(lines)


class FixInterrupted(KeyboardInterrupt):
    """Ctrl-C while remedies were tried; `so_far` has the completed trials."""

    def __init__(self, so_far: Fix[Any]) -> None:
        super().__init__(str(so_far))
        self.so_far = so_far


def bounded(score: float, least: float) -> float:
    """The score, but at least `least`; NaN and everything below count as equally useless."""
    return least if math.isnan(score) else max(score, least)
