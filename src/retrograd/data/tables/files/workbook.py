"""Workbooks: the first sheet of an Excel or OpenDocument file that holds anything."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from retrograd.data.tables.files.cells import as_text, column_of
from retrograd.data.tables.files.contents import Contents
from retrograd.data.tables.files.names import checked_names
from retrograd.data.tables.places import Places
from retrograd.errors import DataError
from retrograd.wording import count, first_line, shown

__all__ = ["read_workbook"]


def read_workbook(source: Contents, notes: list[str]) -> tuple[pa.Table, Places]:
    """The cells below the first row that is not empty, with their types; texts where these differ.

    Empty rows are passed over. `notes` names the sheet if there are others. Raises DataError for a
    workbook that is broken, empty or protected by a password.
    """
    name, first, header, rows, others = _first_sheet(source)
    if others:
        notes.append(
            f"{source.name}: the sheet {shown(name)} is read, {count(others, 'other')} not. To "
            "read another, save it as a file of its own."
        )
    names = checked_names(source.name, [as_text(cell) or "" for cell in header])
    kept = [place for place, row in enumerate(rows) if any(cell != "" for cell in row)]
    columns = zip(*(rows[place] for place in kept), strict=True) if kept else [()] * len(names)
    found = [column_of([None if cell == "" else cell for cell in cells]) for cells in columns]
    table = pa.table(found, names)
    return table, Places(np.array(kept, np.int64), "row", partial(np.add, first + 2), source.name)


def _first_sheet(source: Contents) -> tuple[str, int, list[Any], list[list[Any]], int]:
    """A sheet's name, the index of its first row, its cells, and how many other sheets hold any."""
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(source.read())) as book:
            sheets = [
                book.get_sheet_by_name(each.name)
                for each in book.sheets_metadata
                if each.typ == calamine.SheetTypeEnum.WorkSheet
            ]
            filled = [(sheet, sheet.start[0]) for sheet in sheets if sheet.start is not None]
            if not filled:
                raise DataError(f"{source.name} is empty; expected a header with rows below it.")
            sheet, first = filled[0]
            header, *rows = sheet.to_python(skip_empty_area=True)
    except calamine.PasswordError as error:
        raise DataError(
            f"{source.name} is protected by a password. Save it without one, or as CSV."
        ) from error
    except calamine.CalamineError as error:
        raise DataError(
            f"{source.name} cannot be read as a workbook: {first_line(error)} Save it again, or "
            "save the table as CSV."
        ) from error
    return sheet.name, first, header, rows, len(filled) - 1
