"""The figures: how many faults were found, how many named first, and the false alarms."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from expected import RIGHT
from results import record, table

Line = dict[str, Any]


def flagged(line: Line) -> list[str]:
    """The codes of a run's findings that are errors or warnings, in their order."""
    return [code for code, severity, _ in line["findings"] if severity != "note"]


def brief(line: Line) -> str:
    """A run in one line, for the console."""
    if "change" in line:
        scores = (line["healthy"], line["faulty"], line["after"], line["random"])
        shown = " ".join(f"{statistics.fmean(each):7.3f}" for each in scores)
        return f"{line['case']:48} {shown}  {line['finding']} {line['change']}"
    found = " ".join(flagged(line))
    return f"{line['case']:48} {line['twin']:8} {line['seed']} {line['score']:7.3f}  {found}"


def report(half: str, lines: list[Line]) -> None:
    """Print the figures; those of the measuring half also go to the results."""
    faulty = [line for line in lines if line["twin"] == "faulty"]
    healthy = [line for line in lines if line["twin"] == "healthy"]
    found = [bool(flagged(line)) for line in faulty]
    first = [flagged(line)[:1] for line in faulty]
    right = [bool(c) and c[0] in RIGHT[line["kind"]] for c, line in zip(first, faulty, strict=True)]
    alarms = [line for line in healthy if flagged(line)]
    rows = [
        ("faulty runs with a finding", share(sum(found), len(faulty)), "≥ 95 %", "94 %"),
        ("right cause named first", share(sum(right), len(faulty)), "≥ 75 %", "63 %"),
        ("healthy runs with one", share(len(alarms), len(healthy)), "≤ 5 %", "36-96 %"),
    ]
    text = (
        f"{len(faulty)} runs of {len(faulty) // 3} faulty programs and {len(healthy)} of their "
        f"healthy twins, three seeds each: the half drawn to {half} before anything was tuned "
        "(`python benchmarks/faults`; its README says how it is made). A finding counts if "
        "it is an error or a warning; the cause named is the first. Best published: on faults of "
        "their own, by other authors.\n\n"
        + table(("", "measured", "target", "best published"), rows)
        + "\n\nBy kind of fault:\n\n"
        + by_kind(faulty, right)
        + "\n\nFaulty runs whose first finding is another one:\n\n"
        + listed(line for line, ok in zip(faulty, right, strict=True) if not ok)
        + "\n\nHealthy runs with a finding:\n\n"
        + listed(alarms)
    )
    if half == "measure":
        record("faults", "Faulty programs and their healthy twins", text)
    else:
        print(text)


def by_kind(faulty: list[Line], right: list[bool]) -> str:
    rows = []
    for kind, codes in RIGHT.items():
        runs = [(line, ok) for line, ok in zip(faulty, right, strict=True) if line["kind"] == kind]
        if not runs:
            continue
        rows.append(
            (
                kind,
                " or ".join(codes),
                len(runs),
                sum(bool(flagged(line)) for line, _ in runs),
                sum(ok for _, ok in runs),
            )
        )
    return table(("kind", "right", "runs", "flagged", "right first"), rows)


def listed(lines: Any) -> str:
    """One line per case: its score, and the findings of its runs."""
    by_case: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        by_case.setdefault((line["case"], line["kind"]), []).append(line)
    if not by_case:
        return "None."
    rows = []
    for (case, kind), runs in by_case.items():
        named = Counter(" ".join(flagged(line)) or "nothing" for line in runs)
        score = statistics.median(line["score"] for line in runs)
        found = "; ".join(f"{codes} ({count})" for codes, count in named.items())
        rows.append((case, kind, len(runs), f"{score:.3f}", found))
    return table(("case", "kind", "runs", "median score", "findings, in order"), rows)


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} % ({part} of {whole})"
