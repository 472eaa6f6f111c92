"""Which words of a text a prediction rests on, by leaving each out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd.data.tables.arrow import strings
from retrograd.data.tables.table import as_table
from retrograd.data.texts.columns import read_texts
from retrograd.data.texts.ngrams import word_spans
from retrograd.kinds.base.importance import Reasons, RunningText
from retrograd.kinds.table.data import TableData

if TYPE_CHECKING:
    from retrograd.kinds.text.model import TextModel

__all__ = ["word_reasons"]

Array = np.ndarray[Any, Any]

# Only the first words of a longer text are tried.
_MOST_WORDS = 60


def word_reasons(model: TextModel, data: TableData, rows: Array) -> list[Reasons]:
    """The words of some rows' texts, in order, each with what follows it up to the next one, and
    with what it adds to the prediction.

    That is how much smaller the number, or the probability of the predicted class, is without the
    word. See `Explains.reasons`.
    """
    chosen = data.take(rows)
    words, without = _left_out(read_texts(chosen.frame, model.schema))
    of_word = chosen.take(np.array([place for place, *_ in words], np.int64))
    table = as_table(of_word.frame)
    for column, texts in zip(model.schema.texts, without, strict=True):
        place = table.column_names.index(column.name)
        table = table.set_column(place, column.name, pa.chunked_array([strings(texts)]))
    frame = nw.from_native(table, eager_only=True)
    without_each = TableData(frame, model.schema, of_word.places)
    whole = model.predict(chosen)
    codes = whole.argmax(1) if model.classes else None
    reasons: list[list[tuple[str, float]]] = [[] for _ in rows]
    if words:
        for (place, word), answer in zip(words, model.predict(without_each), strict=True):
            before = whole[place] if codes is None else whole[place, codes[place]]
            after = answer if codes is None else answer[codes[place]]
            reasons[place].append((word, float(before - after)))
    return [RunningText(each) for each in reasons]


def _left_out(texts: list[list[str]]) -> tuple[list[tuple[int, str]], list[list[str]]]:
    """Each word, and what follows it, with its row, and the texts of all columns without it."""
    words: list[tuple[int, str]] = []
    without: list[list[str]] = [[] for _ in texts]
    for row, cells in enumerate(zip(*texts, strict=True)):
        for own, text in enumerate(cells):
            spans = word_spans(text)
            shown = spans[:_MOST_WORDS]
            ends = [*(start for start, _ in spans[1:]), len(text)][: len(shown)]
            for (start, end), next_start in zip(shown, ends, strict=True):
                is_last = end == shown[-1][1]
                rest = "…" if is_last and len(spans) > len(shown) else text[end:next_start]
                words.append((row, text[start:end] + rest))
                for column, cell in enumerate(cells):
                    rest = text[:start] + text[end:] if column == own else cell
                    without[column].append(rest)
    return words, without
