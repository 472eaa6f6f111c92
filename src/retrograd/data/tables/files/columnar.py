"""Parquet and Arrow files, whose columns have types of their own."""

from __future__ import annotations

import pyarrow as pa

from retrograd.data.tables.files.contents import Contents
from retrograd.data.tables.files.names import checked_names
from retrograd.data.tables.places import Places
from retrograd.errors import DataError
from retrograd.wording import first_line

__all__ = ["read_arrow", "read_parquet"]

_BROKEN = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError, OSError)


def read_parquet(source: Contents, notes: list[str]) -> tuple[pa.Table, Places]:
    """A Parquet file; DataError for one that is broken."""
    import pyarrow.parquet as pq

    try:
        # Not pq.read_table, which imports pyarrow.dataset (0.3 s).
        with source.open() as file, pq.ParquetFile(file) as parquet:
            table = parquet.read()
    except _BROKEN as error:
        raise _broken(source, "Parquet", error) from error
    return _named(source, table)


def read_arrow(source: Contents, notes: list[str]) -> tuple[pa.Table, Places]:
    """An Arrow file or stream, as Feather writes it too; DataError for one that is broken."""
    contents = source.read()
    is_file = contents.startswith(b"ARROW1")
    try:
        with (pa.ipc.open_file if is_file else pa.ipc.open_stream)(contents) as reader:
            table = reader.read_all()
    except _BROKEN as error:
        raise _broken(source, "Arrow or Feather", error) from error
    return _named(source, table)


def _named(source: Contents, table: pa.Table) -> tuple[pa.Table, Places]:
    names = checked_names(source.name, table.column_names)
    return table.rename_columns(names), Places.from_one(table.num_rows, source.name)


def _broken(source: Contents, form: str, error: Exception) -> DataError:
    return DataError(
        f"{source.name} cannot be read as {form}: {first_line(error)} Write it again, or save the "
        "table as CSV."
    )
