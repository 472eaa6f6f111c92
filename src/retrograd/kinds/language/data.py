"""A text as it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from retrograd.data.tables.memory import table_in_memory
from retrograd.data.texts.corpus import checked_text, read_text
from retrograd.errors import DataError, about
from retrograd.kinds.base.kind import DataSpec, Parts, path_of
from retrograd.wording import listed, shown

__all__ = ["TextData", "read_texts", "text_of"]

_COLUMN = "text"


@dataclass(frozen=True)
class TextData:
    """One long text."""

    kind: ClassVar[str] = "language-model"
    text: str

    def __len__(self) -> int:
        """The number of characters."""
        return len(self.text)

    def cut(self, share: float) -> tuple[TextData, TextData]:
        """The text before the last `share`, and the last `share`."""
        place = len(self.text) - round(len(self.text) * share)
        return TextData(self.text[:place]), TextData(self.text[place:])


def text_of(data: Any, notes: list[str]) -> str:
    """The text of a file, of a readable object, or of a table's column `text`.

    The rows of a column are joined by line ends. `notes` reports a file's odd encoding. Raises
    DataError if there is no text.
    """
    path = path_of(data)
    if path is not None:
        return read_text(path, notes)
    if hasattr(data, "read"):
        read = data.read()
        text = read if isinstance(read, str) else read.decode("utf-8-sig", "replace")
        return checked_text(text, "The text in memory")
    table = table_in_memory(data).to_native()
    if _COLUMN not in table.column_names:
        raise DataError(
            f"The table has no column {_COLUMN!r} to learn a language from; its columns are "
            f"{listed(map(shown, table.column_names))}. Rename one."
        )
    rows = ("" if each is None else str(each) for each in table[_COLUMN].to_pylist())
    return checked_text("\n".join(rows), "The column 'text'")


def read_texts(spec: DataSpec) -> Parts[TextData]:
    """The texts that `spec` names."""
    notes: list[str] = []

    def other(data: Any) -> TextData | float | None:
        if data is None or isinstance(data, float):
            return data
        with about(path_of(data) or ""):
            return TextData(text_of(data, notes))

    train = TextData(text_of(spec.data, notes))
    validation, test = other(spec.validation), other(spec.test)
    return Parts(train, validation, test, tuple(notes), spec.name)
