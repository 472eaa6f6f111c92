"""A training that was plainly starved: of so few epochs that the last one still paid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.finding import Finding

__all__ = ["FEW_EPOCHS", "with_starved"]

# Fewer epochs than these are few; RG216 needs a longer curve, and a run that fared badly.
FEW_EPOCHS = 10
# An epoch paid if the loss fell by this share.
_PAID = 0.005


def with_starved(findings: Iterable[Finding], losses: Sequence[float]) -> list[Finding]:
    """The findings, with RG216 first if the loss by epoch still fell in the last of a few.

    One epoch is too few to show that the loss no longer falls.
    """
    found, count = list(findings), len(losses)
    known = any(each.code == "RG216" and each.severity != "note" for each in found)
    if known or not 0 < count < FEW_EPOCHS or not all(map(math.isfinite, losses)):
        return found
    last = losses[-1]
    if count > 1 and last > min(losses[:-1]) - _PAID * abs(losses[-2]):
        return found
    told = (
        f"In the last of {count} epochs the loss still fell, from {losses[-2]:.4g} to {last:.4g}."
        if count > 1
        else "There was only one epoch."
    )
    return [finding("RG216", told, epochs=count), *found]
