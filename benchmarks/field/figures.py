"""The rates, with Wilson's 95 % intervals (1927), and the programs that were judged wrongly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from measuring import Look, Outcome

__all__ = ["report", "wilson"]

_Z = 1.959964


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a rate."""
    if not of:
        return math.nan, math.nan
    p, z = hits / of, _Z
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def report(outcomes: Sequence[Outcome]) -> str:
    """Both tables, and the failures by name."""
    lines = ["| what | before a run | after a run |", "| --- | --- | --- |"]
    faulty = [each for each in outcomes if each.part == "faulty"]
    fair = [each for each in outcomes if each.part != "faulty"]
    groups = [
        ("healthy that end well", [e for e in fair if e.part == "healthy" and e.ended_well]),
        ("repaired that end well", [e for e in fair if e.part == "repaired" and e.ended_well]),
        ("healthy or repaired that do not", [e for e in fair if not e.ended_well]),
    ]

    def row(what: str, among: Sequence[Outcome], holds: Callable[[Outcome, Look], bool]) -> None:
        cells = []
        for way in ("before", "after"):
            hits = sum(holds(each, getattr(each, way)) for each in among)
            low, high = wilson(hits, len(among))
            cells.append(
                f"{hits} of {len(among)}: {_share(hits, len(among))} ({low:.0%} to {high:.0%})"
            )
        lines.append(f"| {what} | {cells[0]} | {cells[1]} |")

    row("faulty flagged", faulty, lambda e, look: bool(look.alarms))
    row(
        "right cause first",
        faulty,
        lambda e, look: look.alarms[:1] != [] and look.alarms[0] in e.right,
    )
    row("right cause anywhere", faulty, lambda e, look: any(c in e.right for c in look.alarms))
    for name, among in groups:
        row(
            f"{name}: an error, or a crash",
            among,
            lambda e, look: bool(look.codes("error") or look.failed),
        )
        row(
            f"{name}: an error or a warning",
            among,
            lambda e, look: bool(look.alarms or look.failed),
        )
    for way in ("before", "after"):
        lines += ["", f"Alarmed though well, {way}:"]
        for each in fair:
            look = getattr(each, way)
            if each.ended_well and (look.alarms or look.failed):
                lines.append(
                    f"- {each.name} ({each.part}): {', '.join(look.alarms)} {look.failed or ''}"
                )
    lines += ["", "Wrong cause first, after:"]
    lines += [
        f"- {each.name}: {', '.join(each.after.alarms) or 'nothing'}; right {', '.join(each.right)}"
        f"{'' if not each.ended_well else '; ended well'}"
        for each in faulty
        if not (each.after.alarms and each.after.alarms[0] in each.right)
    ]
    return "\n".join(lines)


def _share(hits: int, of: int) -> str:
    return f"{hits / of:.0%}" if of else "-"
