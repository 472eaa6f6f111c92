"""Architectures: each a readable Module, used by the command and usable from Python."""

from retrograd.models.tables.table import TableNet

__all__ = ["TableNet"]
