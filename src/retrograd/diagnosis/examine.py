"""Run all checks on a case."""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module

import numpy as np

from retrograd.diagnosis import checks
from retrograd.diagnosis.catalogue import catalogue, check_codes, ranked
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.failures import CheckWarning
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.register import Check, registered

__all__ = ["CheckWarning", "all_checks", "examined"]


def all_checks() -> list[Check]:
    """Every check of the package `checks`, in the order of the catalogue's stages."""
    for module in pkgutil.iter_modules(checks.__path__, f"{checks.__name__}."):
        import_module(module.name)  # which declares its checks
    return registered()


def examined(case: Case, ignore: Iterable[str] = ()) -> list[Finding]:
    """The findings of all checks, the likeliest cause first; only the most severe of each code.

    A check that fails issues a `CheckWarning`, and the others still run.
    """
    muted = check_codes(ignore, "ignore")
    gravest: dict[str, Finding] = {}
    for each in all_checks():
        for found in (_graded(one, case) for one in _found(each, case)):
            known = gravest.get(found.code)
            if found.code not in muted and (known is None or found.gravity < known.gravity):
                gravest[found.code] = found
    return ranked(gravest.values())


def _graded(found: Finding, case: Case) -> Finding:
    """A note if the training comes out well all the same, and it is no fault for certain.

    Where that is unclear, what is mild is a note too.
    """
    if found.severity == "note" or catalogue()[found.code].certain or case.outcome == "badly":
        return found
    if case.outcome == "unclear" and found.severity == "error":
        return found
    return replace(found, severity="note")


def _found(check: Check, case: Case) -> list[Finding]:
    try:
        # Numbers of a diverged run overflow; that is a finding, not a warning.
        with np.errstate(all="ignore"):
            return check(case)
    except Exception as error:  # a user's model, loss or data may fail in any way
        warnings.warn(
            f"The check {check.name} failed, so {', '.join(check.codes)} could not be checked: "
            f"{type(error).__name__}: {error}",
            CheckWarning,
            stacklevel=3,
        )
        return []
