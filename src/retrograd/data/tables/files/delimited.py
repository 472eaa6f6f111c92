"""Delimited text: CSV and its kin; every cell keeps its text."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from retrograd.data.tables.files.contents import Contents
from retrograd.data.tables.files.dialect import (
    Dialect,
    lines_of,
    ragged_line,
    sniff,
    unclosed_quote,
)
from retrograd.data.tables.files.encoding import in_utf_8
from retrograd.data.tables.files.names import checked_names
from retrograd.data.tables.places import Places
from retrograd.errors import DataError
from retrograd.wording import first_line

__all__ = ["read_delimited"]

# A row must fit into one block; a wide table has long rows.
_BLOCK_BYTES = 1 << 24


def read_delimited(
    source: Contents, notes: list[str], separator: str | None = None
) -> tuple[pa.Table, Places]:
    """The cells as texts, and the lines of the rows; `separator` is detected if it is None.

    Raises DataError for an empty file, and for rows with more or fewer fields than the header.
    """
    source = in_utf_8(source, notes)
    dialect = sniff(source, separator)
    names = checked_names(source.name, dialect.header)
    if dialect.has_rows:
        table = _parse(source, dialect)
        if table.num_rows and (error := unclosed_quote(source, table[-1][-1].as_py())):
            raise error
    else:
        table = pa.table([pa.nulls(0, pa.string())] * len(names), names)
    numbers = partial(lines_of, source, dialect, table.num_rows)
    places = Places(np.arange(table.num_rows), "line", numbers, source.name)
    return table.rename_columns(names), places


def _parse(source: Contents, dialect: Dialect) -> pa.Table:
    try:
        with source.open() as file:
            return pa_csv.read_csv(
                file,
                read_options=pa_csv.ReadOptions(block_size=_BLOCK_BYTES),
                parse_options=pa_csv.ParseOptions(
                    delimiter=dialect.separator, newlines_in_values=True
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(dialect.header, pa.string())
                ),
            )
    except pa.ArrowInvalid as error:
        raise (
            ragged_line(source, dialect)
            or DataError(f"{source.name} cannot be read as delimited text: {first_line(error)}")
        ) from error
