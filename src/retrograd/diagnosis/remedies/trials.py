"""Trials of remedies: train each with several seeds, compare with the original and a random one.

A subject is anything that can be trained with a seed and scored twice: on validation examples, to
choose among a remedy's variants, and on test examples, to judge the remedy. Higher is better.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.remedies.variants import Variants

__all__ = [
    "Fix",
    "FixInterrupted",
    "FixProgress",
    "Scored",
    "Trial",
    "bounded",
    "try_remedies",
]

Subject = TypeVar("Subject")

# Remedies that undo each other.
_PAIRS = (
    ("lower_learning_rate", "raise_learning_rate"),
    ("clip_gradients", "raise_clip"),
    ("larger_batch", "smaller_batch"),
    ("more_epochs", "fewer_epochs"),
    ("add_weight_decay", "lower_weight_decay"),
    ("raise_dropout", "lower_dropout"),
    ("larger_model", "smaller_model"),
)
_OPPOSITES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}


class Scored(NamedTuple):
    """The scores of one training, higher is better."""

    validation: float
    test: float


class Planned(NamedTuple):
    """A planned trial: a remedy for a finding, with its variants."""

    finding: Finding
    remedy: Remedy
    variants: Variants[Any]


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

    `change` describes what was changed ("lr 10 -> 1"). A random remedy has no finding.
    """

    change: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    finding: Finding | None = None
    remedy: Remedy | None = None

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
        """Whether the score improved by more than the spread between seeds."""
        return self.gain > max(self.spread, 1e-9)

    @property
    def _gains(self) -> list[float]:
        return [after - before for before, after in zip(self.before, self.after, strict=True)]

    def __str__(self) -> str:
        before, after = (statistics.fmean(each) for each in (self.before, self.after))
        verdict = "helps" if self.helped else "does not help"
        return (
            f"{self.change} {verdict}: {before:.4g} -> {after:.4g}, {self.gain:+.4g} "
            f"(± {self.spread:.2g} between {len(self.before)} seeds)"
        )


@dataclass
class Fix(Generic[Subject]):
    """What was tried, and the outcome.

    `subject` is the changed subject if a trial helped, else the original. `random` is the trial of
    a random remedy with the same budget, None if none applied. `by_hand` lists remedies that only a
    person can apply. `interrupted`: Ctrl-C came before all remedies were tried.
    """

    subject: Subject
    scores: tuple[float, ...]
    trials: list[Trial] = field(default_factory=list)
    random: Trial | None = None
    by_hand: list[tuple[Finding, Remedy]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def kept(self) -> Trial | None:
        """The trial whose remedy was adopted: the last one, if it helped."""
        return self.trials[-1] if self.trials and self.trials[-1].helped else None

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
        if self.kept is not None:
            lines.append(f"Kept: {self.kept.change}.")
        if self.interrupted:
            lines.append(
                "Interrupted before all remedies were tried; the unfinished trial does not count."
            )
        elif self.trials and self.kept is None:
            lines.append("Nothing was changed: no remedy beat the spread between seeds.")
        return "\n".join(lines)


class FixInterrupted(KeyboardInterrupt):
    """Ctrl-C while remedies were tried; `so_far` has the completed trials."""

    def __init__(self, so_far: Fix[Any]) -> None:
        super().__init__(str(so_far))
        self.so_far = so_far


def try_remedies(
    subject: Subject,
    findings: Iterable[Finding],
    variants: Callable[[Finding, Remedy], Variants[Subject]],
    train: Callable[[Subject, int], Scored],
    *,
    random: Callable[[str], Variants[Subject]] | None,
    seeds: Sequence[int],
    tries: int,
    progress: Callable[[FixProgress], None] | None = None,
) -> Fix[Subject]:
    """Try remedies, beginning with the first finding's, until one helps or `tries` have failed.

    Each has the same budget: `train(changed, seed)` for every seed. Among a remedy's `variants`,
    the one with the best validation score on the first seed is trained with the other seeds.
    `random(besides)` gives a remedy for none of the findings, trained with as many seeds.

    Raises FixInterrupted at Ctrl-C.
    """
    trials, by_hand = _planned(findings, variants, tries)
    fix: Fix[Subject] = Fix(subject, (), by_hand=by_hand)
    if not trials:
        return fix
    clock = _Clock(trials, len(seeds), random is not None, progress)

    def timed(doing: str, changed: Subject, seed: int) -> Scored:
        clock.starts(doing)
        return train(changed, seed)

    try:
        _run_trials(fix, trials, timed, random, seeds)
    except KeyboardInterrupt as stop:
        fix.interrupted = True
        raise FixInterrupted(fix) from stop
    clock.ends()
    return fix


def _run_trials(
    fix: Fix[Subject],
    planned: Sequence[Planned],
    train: Callable[[str, Subject, int], Scored],
    random: Callable[[str], Variants[Subject]] | None,
    seeds: Sequence[int],
) -> None:
    """Add each completed trial to `fix`, up to the first that helps, and the random one."""
    before = tuple(train("as it is", fix.subject, seed).test for seed in seeds)
    fix.scores = before
    for each in planned:
        change, changed, after = _best(each.variants, train, seeds)
        trial = Trial(change, before, after, each.finding, each.remedy)
        fix.trials.append(trial)
        if trial.helped:
            fix.subject, fix.scores = changed, after
            break
    if random is not None:
        other = random(planned[len(fix.trials) - 1].remedy.change)
        if other:
            change, _, after = _best(other, train, seeds)
            fix.random = Trial(change, before, after)


def _planned(
    findings: Iterable[Finding],
    variants: Callable[[Finding, Remedy], Variants[Any]],
    tries: int,
) -> tuple[list[Planned], list[tuple[Finding, Remedy]]]:
    """The remedies that can be tried, each once; and for each finding without such a remedy, its
    first one, which a person must apply.

    A remedy is left out if a finding that is at least as severe has the opposite one.
    """
    planned: list[Planned] = []
    by_hand: list[tuple[Finding, Remedy]] = []
    wanted_by: dict[str, Finding] = {}
    for finding in findings:
        if finding.severity == "note":
            continue
        tried = [each for each in finding.remedies if _settled(each, finding, wanted_by)]
        for remedy in finding.remedies:
            if _settled(remedy, finding, wanted_by) or len(planned) == tries:
                continue
            if found := variants(finding, remedy):
                planned.append(Planned(finding, remedy, found))
                wanted_by[remedy.change] = finding
                tried.append(remedy)
        if not tried and len(planned) < tries and finding.remedies:
            by_hand.append((finding, finding.remedies[0]))
    return planned, by_hand


def _settled(remedy: Remedy, finding: Finding, wanted_by: Mapping[str, Finding]) -> bool:
    """Whether the remedy is already planned, or its opposite for a finding at least as severe."""
    opposite = wanted_by.get(_OPPOSITES.get(remedy.change, ""))
    is_opposed = opposite is not None and opposite.gravity <= finding.gravity
    return remedy.change in wanted_by or is_opposed


def _best(
    variants: Variants[Any],
    train: Callable[[str, Any, int], Scored],
    seeds: Sequence[int],
) -> tuple[str, Any, tuple[float, ...]]:
    """The variant with the best validation score on the first seed, and its test score per seed."""
    first = [train(change, changed, seeds[0]) for change, changed in variants]
    best = max(range(len(variants)), key=lambda place: first[place].validation)
    change, changed = variants[best]
    others = [train(change, changed, seed).test for seed in seeds[1:]]
    return change, changed, (first[best].test, *others)


class _Clock:
    """Counts trainings and estimates the remaining time."""

    def __init__(
        self,
        planned: Sequence[Planned],
        seeds: int,
        with_random: bool,
        progress: Callable[[FixProgress], None] | None,
    ) -> None:
        each = [len(trial.variants) + seeds - 1 for trial in planned]
        self.most = seeds + sum(each) + (max(each) if with_random else 0)
        self.done = -1
        self._progress = progress
        self._started = time.monotonic()

    def starts(self, doing: str) -> None:
        self.done += 1
        left = None
        if self.done:
            left = (time.monotonic() - self._started) / self.done * (self.most - self.done)
        self._tell(doing, left)

    def ends(self) -> None:
        self.done = self.most
        self._tell("done", 0.0)

    def _tell(self, doing: str, left: float | None) -> None:
        if self._progress is not None:
            self._progress(FixProgress(doing, self.done, max(self.most, self.done), left))


def bounded(score: float, least: float) -> float:
    """The score, but at least `least`; NaN and everything below count as equally useless."""
    return least if math.isnan(score) else max(score, least)
