"""Give faulty programs to `rg.fix`: does it restore the score of the healthy twin?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

from cases import Case, cases
from diagnosis import quietly
from expected import BY_HAND, FEW_ROWS
from results import record, table

from retrograd.diagnosis.fix import fix

Line = dict[str, Any]

# A program is restored if it reaches this share of the healthy twin's score.
RESTORED = 0.9
# Trainings for each program.
BUDGET = 30


def repairable(done: set[str]) -> Iterator[Case]:
    """Cases of the measuring half that a changed setting can fix, and that were not tried yet."""
    for case in cases("measure"):
        if case.kind not in BY_HAND and case.name not in FEW_ROWS | done:
            yield case


def repair(case: Case, seeds: range) -> Line:
    """The scores by seed of both twins, and of the faulty one with the remedies that were kept."""
    healthy, faulty = case.build()
    started = time.perf_counter()
    with quietly():
        aim = [healthy.run(seed).score for seed in seeds]
        fixed = fix(faulty, seeds=tuple(seeds), budget=BUDGET)
        before = [*fixed.random.before] if fixed.random else [faulty.run(s).score for s in seeds]
    random = fixed.random
    return {
        "case": case.name,
        "kind": case.kind,
        "healthy": aim,
        "faulty": before,
        "finding": ", ".join(each.finding.code for each in fixed.kept if each.finding) or None,
        "change": "; ".join(each.change for each in fixed.kept) or None,
        "after": [*fixed.scores] or before,
        "random_change": None if random is None else random.change,
        "random": before if random is None else [*random.after],
        "seconds": round(time.perf_counter() - started, 2),
    }


def report(lines: list[Line]) -> None:
    """Write the table, and the share of restored programs, to the results."""
    harmed = [each for each in lines if not restored(each, "faulty")]
    whole = [each for each in harmed if restored(each, "after")]
    by_chance = [each for each in harmed if restored(each, "random")]
    better = [each for each in harmed if mean(each["after"]) > mean(each["random"])]
    rows = [
        (
            each["case"],
            each["kind"],
            *(f"{mean(each[name]):.3f}" for name in ("healthy", "faulty")),
            "none" if each["change"] is None else f"{each['finding']}: {each['change']}",
            f"{mean(each['after']):.3f}",
            f"{each['random_change']}: {mean(each['random']):.3f}",
            "yes" if restored(each, "after") else "no",
        )
        for each in sorted(harmed, key=lambda each: restored(each, "after"))
    ]
    header = (
        "case",
        "fault",
        "healthy",
        "faulty",
        "kept",
        "then",
        "a random change",
        "back",
    )
    text = (
        f"Of the measuring half the {len(lines)} programs whose fault a setting can fix; "
        f"{len(lines) - len(harmed)} of them score at least {RESTORED:.0%} of their healthy twin "
        "as they are, and have nothing to bring back. The others are given to `rg.fix`, with "
        f"{BUDGET} trainings, and for comparison one random change is trained (`python "
        "benchmarks/faults repair`). Means of three seeds, on examples held out; a score below "
        "zero, or none, counts as it is bounded by `rg.fix`.\n\n"
        f"It brings {len(whole)} of {len(harmed)} back to {RESTORED:.0%} of the "
        f"healthy twin's score ({len(whole) / len(harmed):.0%}; target: 60 %); the random change "
        f"{len(by_chance)}. It beats the random change in {len(better)} of {len(harmed)}. "
        "Those not brought back come first.\n\n" + table(header, rows)
    )
    record("repairs", "Remedies for faulty programs", text)


def restored(line: Line, name: str) -> bool:
    return mean(line[name]) >= RESTORED * mean(line["healthy"])


def mean(scores: list[float]) -> float:
    """NaN counts as the worst score."""
    return statistics.fmean(-1.0 if score != score else score for score in scores)
