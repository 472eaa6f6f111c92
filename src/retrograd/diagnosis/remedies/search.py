"""The search for remedies: what is shown to help is kept, and the next one tried on top of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from retrograd.diagnosis.catalogue import catalogue
from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.remedies.planning import Apply, Planned, for_a_person, plans
from retrograd.diagnosis.remedies.trials import Fix, FixInterrupted, FixProgress, Scored, Trial
from retrograd.diagnosis.remedies.variants import Variants

__all__ = ["try_remedies"]

Subject = TypeVar("Subject")
Train = Callable[[Subject, int], Scored]

# The maximum number of variants of a remedy.
_VARIANTS = 3
# Useless scores differ by this much from one training to the next (an accuracy at chance).
_NOISE = 0.05
# These faults make the held-out score look better than it is; without them it may well be lower.
_FLATTERS = frozenset({"RG304", "RG305"})


def try_remedies(
    subject: Subject,
    findings: Iterable[Finding] | None,
    apply: Apply[Subject],
    train: Train[Subject],
    *,
    random: Callable[[str], Variants[Subject]] | None,
    seeds: Sequence[int],
    budget: int,
    can_do: Callable[[Finding, Remedy], bool] = lambda finding, remedy: True,
    progress: Callable[[FixProgress], None] | None = None,
) -> Fix[Subject]:
    """Try remedies, the likeliest first, and keep what helps, until `budget` trainings are done.

    `train(changed, seed)` is one training. `findings` are the subject's; None diagnoses its first
    training. Among a remedy's variants, the one with the best validation score on the first seed is
    trained with the other seeds, if it gained with the first. A remedy is kept if it gains more
    than the spread between seeds, or if it ends a fault that is certain and costs nothing; then
    what was kept is diagnosed anew, and the next remedies are for what is still found. `random`
    gives a remedy for none of the findings, trained with as many seeds. Remedies for a person are
    offered where `can_do(finding, remedy)`.

    Raises FixInterrupted at Ctrl-C.
    """
    search = _Search(Fix(subject, ()), apply, train, seeds, _Clock(budget, progress))
    try:
        search.run(None if findings is None else list(findings), random)
    except KeyboardInterrupt as stop:
        search.fix.interrupted = True
        raise FixInterrupted(search.fix) from stop
    fix = search.fix
    fix.by_hand = for_a_person(fix.subject, fix.findings, search.untried, can_do)
    search.clock.ends()
    return fix


@dataclass
class _Search(Generic[Subject]):
    fix: Fix[Subject]
    apply: Apply[Subject]
    train: Train[Subject]
    seeds: Sequence[int]
    clock: _Clock
    failed: set[str] = field(default_factory=set)

    def run(
        self,
        findings: Sequence[Finding] | None,
        random: Callable[[str], Variants[Subject]] | None,
    ) -> None:
        """Add each completed trial to the fix, and the random one."""
        fix, original = self.fix, self.fix.subject
        first = [] if findings is not None else [self._trained("as it is", original, 0)]
        fix.findings = _wrong(first[0].diagnose() if findings is None else findings)
        if next(plans(original, fix.findings, self.untried, ()), None) is None:
            return
        for place in range(len(first), len(self.seeds)):
            first.append(self._trained("as it is", original, place))
        before = fix.scores = tuple(each.test for each in first)
        reserved = 0 if random is None else len(self.seeds) + _VARIANTS - 1
        while (room := self.clock.left - reserved) >= len(self.seeds):
            planned = next(
                (
                    each
                    for each in plans(fix.subject, fix.findings, self.untried, self.failed)
                    if not self._was_tried(each)
                ),
                None,
            )
            if planned is None:
                break
            self._try(planned, room - len(self.seeds) + 1)
        if random is not None and fix.trials:
            remedy = fix.trials[0].remedy
            if other := random("" if remedy is None else remedy.change):
                fix.random = self._compared(original, other[:_VARIANTS], before)

    def untried(self, subject: Subject, finding: Finding, remedy: Remedy) -> Variants[Subject]:
        """The variants of a remedy that were not kept before."""
        kept = {trial.change for trial in self.fix.kept}
        try:
            variants = self.apply(subject, finding, remedy)
        except Exception:  # a user's model may be built like no other; the remedy does not apply
            return []
        return [each for each in variants if each[0] not in kept]

    def _was_tried(self, planned: Planned) -> bool:
        """Whether a remedy was tried in vain on what is kept now."""
        since = self.fix.trials[::-1]
        words = {change for change, _ in planned.variants}
        for trial in since:
            if trial.helped or trial.mends:
                return False
            if trial.change in words:
                return True
        return False

    def _try(self, planned: Planned, most: int) -> None:
        """Train up to `most` variants of a remedy, and keep the best if it helps."""
        finding, remedy, variants = planned
        fix = self.fix
        change, changed, first = self._best(variants[: min(most, _VARIANTS)])
        mends = remedy in finding.remedies and self._mends(finding, first)
        if first.test <= fix.scores[0] and not mends:
            fix.trials.append(Trial(change, fix.scores[:1], (first.test,), finding, remedy))
            self.failed.add(remedy.change)
            return
        after = self._scores(change, changed, first)
        trial = Trial(change, fix.scores, after, finding, remedy)
        costs_nothing = finding.code in _FLATTERS or trial.gain > -max(trial.spread, _NOISE)
        if mends and costs_nothing:
            trial = Trial(change, fix.scores, after, finding, remedy, mends=True)
        fix.trials.append(trial)
        if not (trial.helped or trial.mends):
            self.failed.add(remedy.change)
            return
        fix.subject, fix.scores, fix.findings = changed, after, _wrong(first.diagnose())

    def _mends(self, finding: Finding, trained: Scored) -> bool:
        """Whether the finding is of a fault for certain, and a training no longer shows it."""
        if not catalogue()[finding.code].certain:
            return False
        return finding.code not in {each.code for each in _wrong(trained.diagnose())}

    def _compared(
        self, original: Subject, variants: Variants[Subject], before: tuple[float, ...]
    ) -> Trial:
        change, changed, first = self._best(variants)
        return Trial(change, before, self._scores(change, changed, first))

    def _best(self, variants: Variants[Subject]) -> tuple[str, Subject, Scored]:
        """The variant with the best validation score on the first seed."""
        first = [self._tried(change, changed) for change, changed in variants]
        best = max(range(len(variants)), key=lambda place: first[place].validation)
        return *variants[best], first[best]

    def _scores(self, change: str, changed: Subject, first: Scored) -> tuple[float, ...]:
        """The test scores by seed, that with the first one known."""
        others = range(1, len(self.seeds))
        return (first.test, *(self._trained(change, changed, place).test for place in others))

    def _tried(self, change: str, changed: Subject) -> Scored:
        """The training of a variant with the first seed; one that fails is as bad as can be."""
        try:
            return self._trained(change, changed, 0)
        except Exception:  # what fits one model makes another one fail in any way
            return Scored(-math.inf, -math.inf, list)

    def _trained(self, doing: str, subject: Subject, place: int) -> Scored:
        self.clock.starts(doing)
        return self.train(subject, self.seeds[place])


def _wrong(findings: Iterable[Finding]) -> list[Finding]:
    return [each for each in findings if each.severity != "note"]


class _Clock:
    """Counts trainings and estimates the remaining time."""

    def __init__(self, budget: int, progress: Callable[[FixProgress], None] | None) -> None:
        self.budget = budget
        self.started = 0
        self._progress = progress
        self._since = time.monotonic()

    @property
    def left(self) -> int:
        """Trainings that may still be started."""
        return self.budget - self.started

    def starts(self, doing: str) -> None:
        seconds = None
        if self.started:
            seconds = (time.monotonic() - self._since) / self.started * self.left
        self._tell(doing, self.started, self.budget, seconds)
        self.started += 1

    def ends(self) -> None:
        if self.started:
            self._tell("done", self.started, self.started, 0.0)

    def _tell(self, doing: str, done: int, most: int, seconds: float | None) -> None:
        if self._progress is not None:
            self._progress(FixProgress(doing, done, most, seconds))
