"""The whole table: each entry of the database that we cover, and why the others are not."""

from __future__ import annotations

from opinfo import table_elementwise
from opinfo.compare import Case

__all__ = ["TABLE"]

TABLE: dict[str, Case] = {**table_elementwise.TABLE}
