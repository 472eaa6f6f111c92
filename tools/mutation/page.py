"""Write docs/mutation.md: what became of the mutants of each file, and why some survive."""

from __future__ import annotations

from typing import NamedTuple

from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult
from trial import ROOT

__all__ = ["PAGE", "Fate", "write_page"]

PAGE = ROOT / "docs" / "mutation.md"

HEAD = """\
# Mutants of the operations and their rules

A mutant is the source with one small mistake put in: another operator, a number off by one, a sign
or a `not` gone, a condition turned about, two arguments swapped, a rule's cotangent negated. If no
test fails, the mutant survives, and either a test is missing or the change makes no difference.
Mutations come from Cosmic Ray, over all forwards, rules and helpers in src/retrograd/ops.
Annotations, the words of errors and the assertion `strict=True` of `zip` are left as they are.

{tried} of {total} mutants have been tried, {killed} of them are killed ({score:.1f} %), {broken} of
these because the package no longer imports or a test does not end. Mutants are tried in the order
of a hash, so that those tried are a random sample of each file's; weighed by how many mutants each
file has, {estimate:.1f} % are killed. A mutant meets the tests that run its line, those for its own
operation first, until their CPU times add up to a budget. `make mutation` goes on with those not
tried yet and writes this page.

| File | Mutants | Tried | Killed | Survived | Score |
|---|--:|--:|--:|--:|--:|
"""

SURVIVORS = """
## Survivors

The reason is written by hand, and stays when the page is written anew; a survivor without one has
not been judged yet.

| Where | Change | Why it survives |
|---|---|---|
"""


class Fate(NamedTuple):
    """What became of one mutant."""

    line: int
    result: WorkResult

    @property
    def survived(self) -> bool:
        return self.result.test_outcome == TestOutcome.SURVIVED


def write_page(fates: dict[str, list[Fate]], totals: dict[str, int]) -> None:
    """The page for the mutants tried so far, by file, with the reasons of the page before.

    `totals` says how many mutants each file has.
    """
    reasons = _reasons(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    everything = [fate for found in fates.values() for fate in found]
    killed = [fate for fate in everything if not fate.survived]
    known = {file: totals[file] for file, found in fates.items() if found}
    expected = sum(
        total * sum(not fate.survived for fate in fates[file]) / len(fates[file])
        for file, total in known.items()
    )
    page = HEAD.format(
        killed=len(killed),
        tried=len(everything),
        total=sum(totals.values()),
        score=100 * len(killed) / max(len(everything), 1),
        estimate=100 * expected / max(sum(known.values()), 1),
        broken=sum(fate.result.worker_outcome == WorkerOutcome.ABNORMAL for fate in killed),
    )
    for file, found in fates.items():
        if found:
            left = sum(fate.survived for fate in found)
            score = f"{100 * (1 - left / len(found)):.1f} %"
            counts = f"{totals[file]} | {len(found)} | {len(found) - left} | {left}"
            page += f"| {file} | {counts} | {score} |\n"
    page += SURVIVORS
    for file, found in fates.items():
        for fate in sorted((f for f in found if f.survived), key=lambda fate: fate.line):
            change = _shown(fate.result.diff or "")
            reason = reasons.get((file, change), "")
            page += f"| {file}:{fate.line} | {change} | {reason} |\n"
    PAGE.write_text(page, encoding="utf-8")


def _shown(diff: str) -> str:
    """Both lines in a cell of a table."""
    lines = [f"`{line[0]} {line[1:].strip()}`".replace("|", "\\|") for line in diff.splitlines()]
    return "<br>".join(lines)


def _reasons(page: str) -> dict[tuple[str, str], str]:
    """The reasons on a page, by file and change."""
    rows = page.split(SURVIVORS.strip().splitlines()[0])[-1].splitlines()
    cells = [row.removeprefix("| ").removesuffix(" |").split(" | ") for row in rows]
    return {(c[0].split(":")[0], " | ".join(c[1:-1])): c[-1] for c in cells if len(c) > 2}
