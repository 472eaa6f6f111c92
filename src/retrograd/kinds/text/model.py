"""A network for tables with columns of free text, with everything needed to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from retrograd import nn
from retrograd.data import Preprocessor
from retrograd.data.texts.columns import read_texts
from retrograd.data.texts.ngrams import NgramEncoder
from retrograd.data.texts.ragged import Ragged
from retrograd.data.texts.tokens import TokenEncoder
from retrograd.errors import DataError
from retrograd.kinds.base.fingerprints import fingerprints
from retrograd.kinds.base.importance import Reasons
from retrograd.kinds.table.data import TableData
from retrograd.kinds.table.frame import FrameModel, objective_of, table_net
from retrograd.kinds.table.options import TableOptions
from retrograd.kinds.text.architectures import ARCHITECTURES
from retrograd.kinds.text.buckets import by_length, lengths_of, rows_at_once
from retrograd.kinds.text.options import ResolvedTexts
from retrograd.kinds.text.reasons import word_reasons
from retrograd.models.texts.bag import TextBag
from retrograd.models.texts.branches import BagBesideTable, BranchesBesideTable, TextBranches
from retrograd.wording import count

__all__ = ["BAG", "Encoders", "TextModel"]

Array = np.ndarray[Any, Any]
# How texts are read: as n-grams of all texts of a row, in several views, or as each text's tokens.
Encoders = tuple[NgramEncoder | TokenEncoder, ...]

BAG = "bag"
# The numbers that each branch makes if there are several texts, or a text beside other columns.
_VECTOR = 64


@dataclass
class TextModel(FrameModel):
    """A network for tables with free text, with everything needed to use it."""

    kind: ClassVar[str] = "text"
    encoders: Encoders
    network: nn.Module
    max_tokens: int

    @classmethod
    def build(
        cls,
        preprocessor: Preprocessor,
        encoders: Encoders,
        resolved: ResolvedTexts,
        shares: Array,
    ) -> Self:
        """An untrained network for the texts and the other columns."""
        network = _network(preprocessor, encoders, resolved)
        separator = resolved.asked.sep
        return cls(
            preprocessor, shares, encoders, network, resolved.max_tokens, separator=separator
        )

    def inputs(
        self, data: TableData, notes: list[str] | None = None
    ) -> tuple[tuple[Array, ...], tuple[Ragged, ...]]:
        """The network's inputs: numbers and categories, if any, and the ids of the texts."""
        texts = read_texts(data.frame, self.schema, notes, data.places)
        read = [
            encoder.encode(list(zip(*texts, strict=True)), self.max_tokens)
            if isinstance(encoder, NgramEncoder)
            else encoder.encode(texts[place], self.max_tokens)
            for place, encoder in enumerate(self.encoders)
        ]
        sequences = tuple(ids for ids, _ in read)
        if (cut := max(cut for _, cut in read)) and notes is not None:
            notes.append(
                f"{count(cut, 'row has a text', 'rows have a text')} of more than "
                f"{self.max_tokens:,} tokens, which is cut (--set max_tokens=...)."
            )
        if not self.schema.tabular:
            return (), sequences
        with data.places.named():
            arrays = self.preprocessor.transform(data.frame)
        if notes is not None:
            notes += arrays.notes
        return (arrays.numbers, arrays.categories), sequences

    def predict(self, data: TableData, notes: list[str] | None = None) -> Array:
        return self.predict_from(*self.inputs(data, notes))

    def predict_from(self, inputs: tuple[Array, ...], sequences: tuple[Ragged, ...]) -> Array:
        """The predictions for the network's inputs; texts of similar length are batched."""
        parts, places = [], []
        for rows, limit in by_length(lengths_of(sequences)):
            most = rows_at_once(limit)
            for start in range(0, len(rows), most):
                some = rows[start : start + most]
                ids = (
                    each.padded(some, int(length))
                    for each, length in zip(sequences, limit, strict=True)
                )
                parts.append(self.predictor((*(each[some] for each in inputs), *ids)))
            places.append(rows)
        if not parts:
            return self.decoded(np.empty((0, objective_of(self.schema).outputs), np.float32))
        output = np.concatenate(parts)
        return self.decoded(output[np.argsort(np.concatenate(places))])

    def fingerprints(self, data: TableData) -> Array:
        columns: list[Array | list[str]] = [self.preprocessor.target(data.frame)]
        if self.schema.tabular:
            arrays = self.preprocessor.transform(data.frame)
            columns += [arrays.numbers, arrays.categories]
        return fingerprints(*columns, *read_texts(data.frame, self.schema))

    def reasons(self, data: TableData, rows: Array) -> list[Reasons]:
        return word_reasons(self, data, rows)

    def to_json(self) -> dict[str, Any]:
        return {
            "preprocessor": self.preprocessor.to_json(),
            "class_shares": self.class_shares.tolist(),
            "texts": [encoder.to_json() for encoder in self.encoders],
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], options: TableOptions) -> Self:
        """Raises DataError for invalid contents."""
        encoder: type[NgramEncoder | TokenEncoder]
        encoder = NgramEncoder if options.model == BAG else TokenEncoder
        try:
            encoders = tuple(encoder.from_json(each) for each in saved["texts"])
            shares = np.asarray(saved["class_shares"], float)
            preprocessor = Preprocessor.from_json(saved["preprocessor"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"The saved vocabulary of the texts is damaged ({type(error).__name__}: {error}); "
                "train again."
            ) from error
        return cls.build(preprocessor, encoders, ResolvedTexts.of(options), shares)


def _network(preprocessor: Preprocessor, encoders: Encoders, resolved: ResolvedTexts) -> nn.Module:
    options = resolved.asked
    outputs = objective_of(preprocessor.schema).outputs
    build = ARCHITECTURES.find(resolved.model).build
    dropout = {} if options.text_dropout is None else {"dropout": options.text_dropout}
    is_beside_table = bool(preprocessor.schema.tabular)
    sizes = [encoder.size for encoder in encoders]
    if isinstance(encoders[0], NgramEncoder):
        bag = TextBag(sizes, encoders[0].repeated, outputs, **dropout)
        if not is_beside_table:
            return bag
        return BagBesideTable(bag, table_net(preprocessor, options, outputs))
    if not is_beside_table and len(sizes) == 1:
        return build(sizes[0], outputs, **dropout)
    branches = [build(size, _VECTOR, **dropout) for size in sizes]
    if not is_beside_table:
        return TextBranches(branches, _VECTOR, outputs)
    vectors = _VECTOR * len(branches)
    return BranchesBesideTable(branches, table_net(preprocessor, options, outputs, vectors))
