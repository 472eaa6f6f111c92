"""Which remedy is tried next, for the findings that stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from retrograd.diagnosis.catalogue import catalogue
from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.remedies.variants import Variants

__all__ = ["BY_HAND", "Apply", "Planned", "for_a_person", "plans"]

Subject = TypeVar("Subject")

Apply = Callable[[Subject, Finding, Remedy], Variants[Subject]]
"""The changed subjects that a remedy for a finding gives; none where it does not apply."""

# A training that was plainly starved is fed before anything else about it is judged: its rate is
# far too high or too low, its steps are too few, or it was stopped while it still learned. Not if
# another finding explains that.
_STARVED = frozenset({"RG201", "RG203", "RG210", "RG216"})

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

BY_HAND = "by_hand"

# What often helps, whatever is found.
_USUAL = (
    Remedy("lower_learning_rate", "Lower the learning rate."),
    Remedy("more_epochs", "Train longer."),
    Remedy("raise_learning_rate", "Raise the learning rate."),
    Remedy("adam", "Use Adam."),
    Remedy("initialize", "Draw the weights anew."),
    Remedy("schedule", "Let the learning rate fall over the run."),
    Remedy("larger_model", "Use a wider network."),
)

# The maximum number of findings whose first remedies are tried together.
_TOGETHER = 4


class Planned(NamedTuple):
    """A planned trial: a remedy for a finding, with its variants."""

    finding: Finding
    remedy: Remedy
    variants: Variants[Any]


def plans(
    subject: Subject, findings: Sequence[Finding], apply: Apply[Subject], failed: Collection[str]
) -> Iterator[Planned]:
    """The trials for `findings`, the likeliest cause first; each remedy once.

    First the remedies of faults that are certain, then of a training that was starved, then the
    first remedy of each other finding. Several faults may hide each other, so that no remedy gains
    anything alone: then all first remedies are tried together, and after them the second ones. What
    is in `failed`, tried on an earlier subject, comes after the others; last is what often helps.
    """
    allowed = list(_allowed(findings))
    firsts = [each for each in allowed if each[1] is _first(each[0])]
    ordered = sorted(allowed, key=lambda each: _place(each[0], each[1], failed))
    planned: set[str] = set()
    joint_is_due = True
    for finding, remedy in ordered:
        is_later = remedy is not _first(finding) and not catalogue()[finding.code].certain
        if joint_is_due and is_later:
            joint_is_due = False
            yield from _together(subject, firsts, apply)
        if remedy.change in planned:
            continue
        if found := apply(subject, finding, remedy):
            planned.add(remedy.change)
            yield Planned(finding, remedy, found)
    if joint_is_due:
        yield from _together(subject, firsts, apply)
    opposed = {_OPPOSITES.get(remedy.change) for _, remedy in allowed}
    for remedy in _USUAL if planned else ():
        if remedy.change in opposed or remedy.change in planned:
            continue
        if found := apply(subject, findings[0], remedy):
            yield Planned(findings[0], remedy, found)


def for_a_person(
    subject: Subject,
    findings: Sequence[Finding],
    apply: Apply[Subject],
    can_do: Callable[[Finding, Remedy], bool],
) -> list[tuple[Finding, Remedy]]:
    """For each finding that no remedy can be tried for, the first one that its user can apply."""
    allowed = list(_allowed(findings))
    found = []
    for finding in findings:
        own = [remedy for each, remedy in allowed if each is finding]
        is_open = len(own) == len(finding.remedies)  # no finding at least as severe opposes it
        if not is_open or any(apply(subject, finding, remedy) for remedy in own):
            continue
        found += [(finding, remedy) for remedy in own if can_do(finding, remedy)][:1]
    return found


def _place(
    finding: Finding, remedy: Remedy, failed: Collection[str]
) -> tuple[bool, bool, bool, int]:
    is_certain = catalogue()[finding.code].certain
    own = [each.change for each in finding.remedies if each.change != BY_HAND]
    rank = own.index(remedy.change) if remedy.change in own else len(own)
    is_starved = finding.code in _STARVED and not finding.follows_from
    urgent = is_certain or (is_starved and rank == 0)
    # What mends a fault for certain may have failed only because of another fault, mended since.
    is_late = remedy.change in failed and not is_certain
    return is_late, not is_certain, not urgent, 0 if is_certain else rank


def _first(finding: Finding) -> Remedy | None:
    """The first remedy that can be tried."""
    return next((each for each in finding.remedies if each.change != BY_HAND), None)


def _allowed(findings: Sequence[Finding]) -> Iterator[tuple[Finding, Remedy]]:
    """Every remedy whose opposite no earlier finding wants that is at least as severe."""
    wanted_by: dict[str, Finding] = {}
    for finding in findings:
        for remedy in finding.remedies:
            opposite = wanted_by.get(_OPPOSITES.get(remedy.change, ""))
            if opposite is None or opposite.gravity > finding.gravity:
                yield finding, remedy
        for remedy in finding.remedies:
            wanted_by.setdefault(remedy.change, finding)


def _together(
    subject: Subject, firsts: Sequence[tuple[Finding, Remedy]], apply: Apply[Subject]
) -> Iterator[Planned]:
    """The first remedies of several findings on one subject, each in its likeliest variant."""
    words: list[str] = []
    used: list[tuple[Finding, Remedy]] = []
    for finding, remedy in firsts:
        if len(used) == _TOGETHER or any(remedy.change == other.change for _, other in used):
            continue
        if found := apply(subject, finding, remedy):
            change, subject = found[0]
            words.append(change)
            used.append((finding, remedy))
    if len(used) > 1:
        yield Planned(*used[0], [("; ".join(words), subject)])
