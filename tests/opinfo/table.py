"""The whole table: each entry of the database that we cover, and why the others are not."""

from __future__ import annotations

from opinfo import table_elementwise, table_linalg, table_nn, table_reduce, table_shape
from opinfo.compare import Case

__all__ = ["TABLE"]

TABLE: dict[str, Case] = {
    **table_elementwise.TABLE,
    **table_reduce.TABLE,
    **table_shape.TABLE,
    **table_linalg.TABLE,
    **table_nn.TABLE,
}
