"""From files to arrays, and the schema that describes them."""

from retrograd.data.batches import Batches
from retrograd.data.files import atomic_write
from retrograd.data.split import split_rows
from retrograd.data.tables.preprocess import Preprocessor, TableArrays
from retrograd.data.tables.read import read_table
from retrograd.data.tables.schema import (
    Column,
    Schema,
    SchemaRow,
    Target,
    infer_schema,
    labeled_rows,
    target_values,
)
from retrograd.data.tables.table import take_rows, write_table

__all__ = [
    "Batches",
    "Column",
    "Preprocessor",
    "Schema",
    "SchemaRow",
    "TableArrays",
    "Target",
    "atomic_write",
    "infer_schema",
    "labeled_rows",
    "read_table",
    "split_rows",
    "take_rows",
    "target_values",
    "write_table",
]
