"""A remedy on trial: trained over several seeds beside what it changes, and beside a random change.

A subject is whatever can be trained with a seed and scored twice: on validation examples, by which
one of several ways to make a change is chosen, and on held-out ones, by which it is judged. Higher
is better.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from retrograd.diagnosis.catalogue import as_grave
from retrograd.diagnosis.finding import Finding, Remedy, Severity

__all__ = [
    "Attempt",
    "Fix",
    "FixInterrupted",
    "Progress",
    "Scored",
    "Trial",
    "bounded",
    "try_remedies",
]

Subject = TypeVar("Subject")

# Changes that undo each other.
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

    valid: float
    held: float


class Attempt(NamedTuple):
    """One remedy for one finding, with the ways to make its change: (words, changed subject)."""

    finding: Finding
    remedy: Remedy
    ways: Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Progress:
    """How far a fix has come: trainings done, at most how many there are, seconds left at most."""

    doing: str
    done: int
    most: int
    seconds_left: float | None


@dataclass(frozen=True)
class Trial:
    """A change and what it did: held-out scores by seed, before and after.

    `change` is in words ("lr 10 -> 1"); of a random change there is no finding.
    """

    change: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    finding: Finding | None = None
    remedy: Remedy | None = None

    @property
    def gain(self) -> float:
        """By how much the mean score is better."""
        return statistics.fmean(self._gains)

    @property
    def spread(self) -> float:
        """The standard deviation of the gain between seeds."""
        return statistics.stdev(self._gains) if len(self._gains) > 1 else 0.0

    @property
    def helped(self) -> bool:
        """Whether the score is better by more than the spread between seeds."""
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
    """What was tried and what came of it.

    `subject` is the changed one if a trial helped, else the one that was given. `random` is the
    random change of the same budget, None if none applied. `by_hand` are remedies that a person
    must apply. `interrupted` says that Ctrl-C came before all was tried.
    """

    subject: Subject
    scores: tuple[float, ...]
    trials: list[Trial] = field(default_factory=list)
    random: Trial | None = None
    by_hand: list[tuple[Finding, Remedy]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def kept(self) -> Trial | None:
        """The trial whose change is kept: the last one, if it helped."""
        return self.trials[-1] if self.trials and self.trials[-1].helped else None

    def __str__(self) -> str:
        if not (self.trials or self.by_hand or self.interrupted):
            return "Nothing was found that wants mending."
        lines = []
        for trial in self.trials:
            assert trial.finding is not None
            lines.append(f"{trial.finding.code} {trial.finding.name}: {trial}.")
        if self.random is not None:
            lines.append(f"A random change beside it: {self.random}.")
        for finding, remedy in self.by_hand:
            lines.append(f"{finding.code} {finding.name}, by hand: {remedy.text}")
        if self.kept is not None:
            lines.append(f"Kept: {self.kept.change}.")
        if self.interrupted:
            lines.append(
                "Interrupted before all was tried; what was in training then does not count."
            )
        elif self.trials and self.kept is None:
            lines.append("Nothing is changed: no remedy beat the spread between seeds.")
        return "\n".join(lines)


class FixInterrupted(KeyboardInterrupt):
    """Ctrl-C while remedies were tried; `so_far` has the trials that were whole by then."""

    def __init__(self, so_far: Fix[Any]) -> None:
        super().__init__(str(so_far))
        self.so_far = so_far


def try_remedies(
    subject: Subject,
    findings: Iterable[Finding],
    ways: Callable[[Finding, Remedy], Sequence[tuple[str, Subject]]],
    train: Callable[[Subject, int], Scored],
    *,
    random: Callable[[str], Sequence[tuple[str, Subject]]] | None,
    seeds: Sequence[int],
    tries: int,
    progress: Callable[[Progress], None] | None = None,
) -> Fix[Subject]:
    """Try remedies, the first finding's first remedy first, until one helps or `tries` did not.

    Each has the same budget: `train(changed, seed)` for every seed. Where a change can be made in
    several `ways`, the one with the best validation score on the first seed goes on. `random`
    gives a change that is no remedy; it has as many ways and seeds.

    Raises FixInterrupted at Ctrl-C.
    """
    attempts, by_hand = _attempts(findings, ways, tries)
    fix: Fix[Subject] = Fix(subject, (), by_hand=by_hand)
    if not attempts:
        return fix
    clock = _Clock(attempts, len(seeds), random is not None, progress)

    def timed(doing: str, changed: Subject, seed: int) -> Scored:
        clock.starts(doing)
        return train(changed, seed)

    try:
        _run_trials(fix, attempts, timed, random, seeds)
    except KeyboardInterrupt as stop:
        fix.interrupted = True
        raise FixInterrupted(fix) from stop
    clock.ends()
    return fix


def _run_trials(
    fix: Fix[Subject],
    attempts: Sequence[Attempt],
    train: Callable[[str, Subject, int], Scored],
    random: Callable[[str], Sequence[tuple[str, Subject]]] | None,
    seeds: Sequence[int],
) -> None:
    """Add to `fix` each trial when it is whole, up to the first that helps, and the random one."""
    before = tuple(train("as it is", fix.subject, seed).held for seed in seeds)
    fix.scores = before
    for attempt in attempts:
        change, changed, after = _best(attempt.ways, train, seeds)
        trial = Trial(change, before, after, attempt.finding, attempt.remedy)
        fix.trials.append(trial)
        if trial.helped:
            fix.subject, fix.scores = changed, after
            break
    if random is not None:
        other = random(attempts[len(fix.trials) - 1].remedy.change)
        if other:
            change, _, after = _best(other, train, seeds)
            fix.random = Trial(change, before, after)


def _attempts(
    findings: Iterable[Finding],
    ways: Callable[[Finding, Remedy], Sequence[tuple[str, Any]]],
    tries: int,
) -> tuple[list[Attempt], list[tuple[Finding, Remedy]]]:
    """The remedies that can be tried, each change once; and of findings for which none can be, the
    first one, which a person must apply.

    What a finding at least as grave wants moved the other way is left out.
    """
    attempts: list[Attempt] = []
    by_hand: list[tuple[Finding, Remedy]] = []
    seen: dict[str, Severity] = {}
    for finding in findings:
        if finding.severity == "note":
            continue
        tried = [each for each in finding.remedies if _settled(each, finding, seen)]
        for remedy in finding.remedies:
            if _settled(remedy, finding, seen) or len(attempts) == tries:
                continue
            if found := ways(finding, remedy):
                attempts.append(Attempt(finding, remedy, found))
                seen[remedy.change] = finding.severity
                tried.append(remedy)
        if not tried and len(attempts) < tries and finding.remedies:
            by_hand.append((finding, finding.remedies[0]))
    return attempts, by_hand


def _settled(remedy: Remedy, finding: Finding, seen: Mapping[str, Severity]) -> bool:
    """Whether the change is on trial already, or its opposite for a finding at least as grave."""
    opposite = seen.get(_OPPOSITES.get(remedy.change, ""))
    return remedy.change in seen or (opposite is not None and as_grave(opposite, finding.severity))


def _best(
    ways: Sequence[tuple[str, Any]],
    train: Callable[[str, Any, int], Scored],
    seeds: Sequence[int],
) -> tuple[str, Any, tuple[float, ...]]:
    """The way with the best validation score on the first seed, and its held-out score on all."""
    first = [train(change, changed, seeds[0]) for change, changed in ways]
    best = max(range(len(ways)), key=lambda place: first[place].valid)
    change, changed = ways[best]
    others = [train(change, changed, seed).held for seed in seeds[1:]]
    return change, changed, (first[best].held, *others)


class _Clock:
    """Counts trainings, and says how long those that are left may take."""

    def __init__(
        self,
        attempts: Sequence[Attempt],
        seeds: int,
        with_random: bool,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        each = [len(attempt.ways) + seeds - 1 for attempt in attempts]
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
            self._progress(Progress(doing, self.done, max(self.most, self.done), left))


def bounded(score: float, least: float) -> float:
    """A score that is at least `least`, which stands for "useless" however bad it is, or NaN."""
    return least if math.isnan(score) else max(score, least)
