"""What a check found: a name for it, the numbers that show it, and what mends it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

__all__ = ["SEVERITIES", "Evidence", "Finding", "Remedy", "Severity"]

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The gravest first."""


@dataclass(frozen=True)
class Evidence:
    """What was seen, as a sentence, and the numbers in it.

    `layers` are the layers or parameters concerned, the worst first; `steps` the first and the last
    step that it was seen in.
    """

    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    steps: tuple[int, int] | None = None


@dataclass(frozen=True)
class Remedy:
    """What to do, in words; `change` names it for `retrograd fix` ("by_hand": a person must).

    `how` tells apart what the same change is wanted for, see the change itself.
    """

    change: str
    text: str
    how: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be.

    "error": the training cannot come to anything like this; "warning": it costs much; "note": worth
    knowing, and often no fault. `remedies` are in the order in which to try them. `follows_from`
    are the codes of other findings that explain this one.
    """

    code: str
    name: str
    severity: Severity
    evidence: Evidence
    why: str
    remedies: tuple[Remedy, ...]
    follows_from: tuple[str, ...] = ()

    @property
    def gravity(self) -> int:
        """The place of its severity among `SEVERITIES`: 0 is the gravest."""
        return SEVERITIES.index(self.severity)

    def to_json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """A finding of what `to_json` made, after its way through JSON."""
        evidence = dict(saved["evidence"])
        steps = evidence["steps"]
        evidence |= {"layers": tuple(evidence["layers"]), "steps": steps and tuple(steps)}
        return cls(
            **{
                **saved,
                "evidence": Evidence(**evidence),
                "remedies": tuple(Remedy(**each) for each in saved["remedies"]),
                "follows_from": tuple(saved["follows_from"]),
            }
        )

    def __str__(self) -> str:
        return f"{self.code} {self.severity}: {self.name}. {self.evidence.text}"
