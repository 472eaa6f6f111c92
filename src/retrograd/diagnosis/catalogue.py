"""All findings: code, name, severity, why, remedies, and which finding causes which.

They are defined in catalogue.toml, which is meant to be read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from retrograd.diagnosis.finding import Evidence, Finding, Remedy, Severity
from retrograd.errors import UsageError
from retrograd.wording import did_you_mean

__all__ = ["Entry", "catalogue", "check_codes", "finding", "ranked"]


@dataclass(frozen=True)
class Entry:
    """One kind of finding; `stage` and `explains` rank it among others, see catalogue.toml.

    If it is `certain`, it is a fault even where a training comes out well.
    """

    code: str
    name: str
    severity: Severity
    stage: int
    explains: frozenset[str]
    why: str
    remedies: tuple[Remedy, ...]
    certain: bool = False


@cache
def catalogue() -> dict[str, Entry]:
    """Every kind of finding by its code."""
    saved = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return {code: _entry(code, **fields) for code, fields in saved.items()}


def _entry(code: str, explains: Sequence[str], remedies: Sequence[Any], **fields: Any) -> Entry:
    return Entry(
        code=code,
        explains=frozenset(explains),
        remedies=tuple(Remedy(*each) for each in remedies),
        **fields,
    )


def check_codes(codes: str | Iterable[str], source: str) -> frozenset[str]:
    """The codes (one or several) as a set; UsageError naming `source` for an unknown one."""
    known = catalogue()
    codes = (codes,) if isinstance(codes, str) else tuple(codes)
    for code in codes:
        if code not in known:
            raise UsageError(
                f"{source}: there is no finding {code!r}.{did_you_mean(code, known)} "
                f"Codes run from {min(known)} to {max(known)}; see docs/findings."
            )
    return frozenset(codes)


def finding(
    code: str,
    text: str,
    *,
    severity: Severity | None = None,
    layers: Sequence[str] = (),
    steps: tuple[int, int] | None = None,
    numbers: Mapping[str, float] | None = None,
    **more: float,
) -> Finding:
    """A finding from the catalogue, with its evidence; `severity` may be milder.

    Pass the numbers of the evidence by name, in `numbers` or as keywords.
    """
    entry = catalogue()[code]
    return Finding(
        code=code,
        name=entry.name,
        severity=severity or entry.severity,
        evidence=Evidence(
            text,
            {name: float(value) for name, value in {**(numbers or {}), **more}.items()},
            tuple(layers),
            steps,
        ),
        why=entry.why,
        remedies=entry.remedies,
    )


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, the likeliest cause first.

    A finding comes after those that explain it, unless they are notes. Errors come before warnings,
    and of equal severity the stages, closest to the root cause first (wiring, data,
    hyperparameters, ..., the outcome). Notes come last.
    """
    found = list(findings)
    sure = {each.code for each in found if each.severity != "note"}
    known = catalogue()

    def causes(code: str) -> tuple[str, ...]:
        # If two findings explain each other, the one closer to the root is the cause.
        return tuple(
            c
            for c in sorted(sure)
            if c != code
            and code in known[c].explains
            and not (c in known[code].explains and known[code].stage <= known[c].stage)
        )

    def place(each: Finding) -> tuple[bool, bool, int, int, str]:
        return (
            each.severity == "note",
            bool(each.follows_from),
            each.gravity,
            known[each.code].stage,
            each.code,
        )

    return sorted((replace(each, follows_from=causes(each.code)) for each in found), key=place)
