"""The architectures for a table. To add one: its file in `models/`, and an entry here."""

from __future__ import annotations

from retrograd.kinds.base.architectures import Architecture, Architectures
from retrograd.models.tables.table import TableNet

__all__ = ["ARCHITECTURES"]

ARCHITECTURES = Architectures(
    "table",
    Architecture(
        "table",
        "Piecewise-linear numbers and embedded categories into an ensemble that shares its weights "
        "(Gorishniy et al. 2022, 2024).",
        TableNet,
    ),
)
