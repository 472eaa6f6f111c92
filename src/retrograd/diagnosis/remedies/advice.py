"""Advice for the program at hand: the remedies that fit it come first, with their values."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.table import PROGRAM_REMEDIES

__all__ = ["advised"]

# These are right for some of the faults that share a finding, which one can tell by trying them:
# where they change nothing, the other remedies come first. What stands in a forward() cannot be
# changed from outside, and is good advice all the same.
_TELLING = frozenset(
    {
        "change_loss",
        "drop_mislabeled",
        "lower_learning_rate",
        "scale_inputs",
        "sigmoid_output",
        "train_all",
        "widen_output",
    }
)


def advised(
    findings: Iterable[Finding], program: Program, unknown: Collection[str] = ()
) -> list[Finding]:
    """The findings, each with its remedies in the order in which they suit `program`.

    The text of a remedy that can be applied names the change, such as "lr 0.5 -> 0.05"; not of
    those in `unknown`, for which the program does not hold the values of the training.
    """
    return [
        each if each.severity == "note" else _advised(each, program, unknown) for each in findings
    ]


def _advised(finding: Finding, program: Program, unknown: Collection[str]) -> Finding:
    suited: list[Remedy] = []
    others: list[Remedy] = []
    for remedy in finding.remedies:
        if remedy.change in unknown:
            suited.append(remedy)
            continue
        try:
            found = PROGRAM_REMEDIES.variants(remedy.change, program, finding)
        except Exception:  # a user's model or loss may fail in any way; the general advice stays
            found = []
        if found:
            remedy = replace(remedy, text=f"{remedy.text} Here: {found[0][0]}.")
        (others if not found and remedy.change in _TELLING else suited).append(remedy)
    return replace(finding, remedies=(*suited, *others))
