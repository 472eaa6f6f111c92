"""A target's part of docs/mutation.md: what became of its mutants, and why some survive."""

from __future__ import annotations

import math
from typing import NamedTuple

from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult
from targets import ROOT, Target

__all__ = ["PAGE", "Fate", "write_part"]

PAGE = ROOT / "docs" / "mutation.md"

# What comes before the parts, a part for each target, is written by hand.
PART = """\
## {heading}

{about} {tried} of {total} mutants have been tried, {killed} of them are killed ({score:.1f} %),
{broken} of these because the package no longer imports or a test does not end. Weighed by how many
mutants each file has, {estimate:.1f} % are killed{interval}.

| File | Mutants | Tried | Killed | Survived | Score |
|---|--:|--:|--:|--:|--:|
"""

SURVIVORS = """
### Survivors

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


def write_part(target: Target, fates: dict[str, list[Fate]], totals: dict[str, int]) -> None:
    """The part for the mutants tried so far, by file, with the reasons of the page before.

    `totals` says how many mutants each file has.
    """
    before, *parts = PAGE.read_text(encoding="utf-8").split("\n## ")
    known = {part.partition("\n")[0]: part for part in parts}
    part = _part(target, fates, totals, _reasons(known.get(target.heading, "")))
    known[target.heading] = part.removeprefix("## ").rstrip("\n") + "\n"
    PAGE.write_text("\n## ".join([before, *known.values()]), encoding="utf-8")


def _part(
    target: Target,
    fates: dict[str, list[Fate]],
    totals: dict[str, int],
    reasons: dict[tuple[str, str], str],
) -> str:
    everything = [fate for found in fates.values() for fate in found]
    killed = [fate for fate in everything if not fate.survived]
    known = {file: found for file, found in fates.items() if found}
    rates = {
        file: sum(not fate.survived for fate in found) / len(found) for file, found in known.items()
    }
    weight = max(sum(totals[file] for file in known), 1)
    estimate = sum(totals[file] * rate for file, rate in rates.items()) / weight
    # Of a stratified sample without replacement; nothing where every mutant has been tried.
    variance = sum(
        (totals[file] / weight) ** 2
        * (1 - len(found) / totals[file])
        * rates[file]
        * (1 - rates[file])
        / max(len(found) - 1, 1)
        for file, found in known.items()
    )
    half = 196 * math.sqrt(variance)
    part = PART.format(
        heading=target.heading,
        about=target.about,
        killed=len(killed),
        tried=len(everything),
        total=sum(totals.values()),
        score=100 * len(killed) / max(len(everything), 1),
        estimate=100 * estimate,
        interval=f" (± {half:.1f}, 95 % interval)" if variance else "",
        broken=sum(fate.result.worker_outcome == WorkerOutcome.ABNORMAL for fate in killed),
    )
    for file, found in known.items():
        left = sum(fate.survived for fate in found)
        counts = f"{totals[file]} | {len(found)} | {len(found) - left} | {left}"
        part += f"| {file} | {counts} | {100 * rates[file]:.1f} % |\n"
    part += SURVIVORS
    for file, found in known.items():
        for fate in sorted((f for f in found if f.survived), key=lambda fate: fate.line):
            change = _shown(fate.result.diff or "")
            reason = reasons.get((file, change), "")
            part += f"| {file}:{fate.line} | {change} | {reason} |\n"
    return part


def _shown(diff: str) -> str:
    """Both lines in a cell of a table."""
    lines = [f"`{line[0]} {line[1:].strip()}`".replace("|", "\\|") for line in diff.splitlines()]
    return "<br>".join(lines)


def _reasons(part: str) -> dict[tuple[str, str], str]:
    """The reasons in a part, by file and change."""
    rows = part.split(SURVIVORS.strip().splitlines()[0])[-1].splitlines()
    cells = [row.removeprefix("| ").removesuffix(" |").split(" | ") for row in rows]
    return {(c[0].split(":")[0], " | ".join(c[1:-1])): c[-1] for c in cells if len(c) > 2}
