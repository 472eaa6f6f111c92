"""What a check found: its name, the numbers that show it, and the remedies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

__all__ = ["SEVERITIES", "Evidence", "Finding", "Remedy", "Severity"]

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The most severe first."""


@dataclass(frozen=True)
class Evidence:
    """What was observed, as a sentence, and the numbers in it.

    `layers` lists the layers or parameters concerned, the worst first; `steps` is the first and the
    last step concerned.
    """

    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    steps: tuple[int, int] | None = None


@dataclass(frozen=True)
class Remedy:
    """What to do, in words; `change` is its name in `retrograd fix` ("by_hand": only a person can).

    `how` selects one form of a change that has several; see the change itself.
    """

    change: str
    text: str
    how: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be.

    "error": the training cannot work like this; "warning": the problem costs a lot; "note": worth
    knowing, and often harmless. `remedies` are in the order in which to try them. `follows_from`
    lists the codes of other findings that explain this one.
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
        """The index of its severity in `SEVERITIES`: 0 is the most severe."""
        return SEVERITIES.index(self.severity)

    def to_json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """A finding from the result of `to_json`, after a round trip through JSON."""
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
