"""A table to the arrays that a network takes, with all that was measured in training kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from retrograd.data.cells import normalised
from retrograd.data.encoders import (
    UNSEEN,
    CategoryEncoder,
    DateEncoder,
    FlagEncoder,
    NumberEncoder,
    Scale,
)
from retrograd.data.kinds import Column, read_column
from retrograd.data.schema import Schema
from retrograd.data.table import as_table
from retrograd.data.target import read_target
from retrograd.data.words import count, did_you_mean, listed, shown
from retrograd.errors import DataError, UsageError

__all__ = ["Preprocessor", "TableArrays"]

Floats = np.ndarray[Any, np.dtype[np.float32]]
NumericEncoder = NumberEncoder | FlagEncoder | DateEncoder

_FORMAT = "retrograd preprocessor"
_VERSION = 1
_ENCODERS: dict[str, type[NumericEncoder]] = {
    "number": NumberEncoder,
    "flag": FlagEncoder,
    "date": DateEncoder,
}
# Quantiles kept of every number, and the most rows that they are taken from.
_QUANTILES = 128
_QUANTILE_ROWS = 100_000


@dataclass(frozen=True)
class TableArrays:
    """What a network takes of n rows, and what a person should know about them.

    `numbers` float32 (n, k): scaled numbers, unfolded dates, 0/1 flags and is-missing marks.
    `categories` int32 (n, m): codes, 0 for a category that training did not see.
    """

    numbers: Floats
    categories: np.ndarray[Any, np.dtype[np.int32]]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Preprocessor:
    """Turns tables into arrays the way that was measured on the training rows.

    Made by `Preprocessor.fit`; `to_json` and `from_json` keep it beside a model.
    """

    schema: Schema
    numeric: tuple[NumericEncoder, ...]
    categorical: tuple[CategoryEncoder, ...]
    quantiles: tuple[tuple[float, ...], ...]
    target_mean: float
    target_scale: float
    notes: tuple[str, ...] = ()
    """What `fit` found that a person should know."""

    @classmethod
    def fit(cls, frame: Any, schema: Schema, seed: int) -> Preprocessor:
        """Measure the training rows `frame`, whose targets are all there.

        `seed` picks the rows that quantiles are taken from where the table is long. Raises
        DataError as `transform` and `target` do.
        """
        table = as_table(frame)
        notes: list[str] = []
        sample = _sample(table.num_rows, seed)
        numeric: list[NumericEncoder] = []
        categorical = []
        quantiles: list[tuple[float, ...]] = []
        for column, cells in _features(table, schema):
            if column.kind == "category":
                categorical.append(CategoryEncoder.fit(column.name, cells))
                continue
            values = _finite(column, cells, notes)
            encoder = _ENCODERS[column.kind].fit(column.name, values)
            numeric.append(encoder)
            quantiles += _quantiles(encoder, values[sample])
        mean, scale = 0.0, 1.0
        if schema.task == "regression":
            numbers = _target(table, schema)
            mean, scale = float(numbers.mean()), float(numbers.std()) or 1.0
        return cls(
            schema, tuple(numeric), tuple(categorical), tuple(quantiles), mean, scale, tuple(notes)
        )

    @property
    def number_names(self) -> tuple[str, ...]:
        """The k columns of `TableArrays.numbers`."""
        return tuple(name for encoder in self.numeric for name in encoder.names)

    @property
    def category_names(self) -> tuple[str, ...]:
        """The m columns of `TableArrays.categories`."""
        return tuple(encoder.name for encoder in self.categorical)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """All k + m columns: the numbers, then the categories."""
        return self.number_names + self.category_names

    @property
    def feature_sources(self) -> tuple[str, ...]:
        """The table's column that each of `feature_names` comes from."""
        sources = tuple(encoder.name for encoder in self.numeric for _ in encoder.names)
        return sources + self.category_names

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """The number of codes of each category, the one for unseen among them."""
        return tuple(encoder.cardinality for encoder in self.categorical)

    @property
    def category_levels(self) -> tuple[tuple[str, ...], ...]:
        """What the codes of each category stand for, from 0 on."""
        return tuple(encoder.levels for encoder in self.categorical)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class that each target code stands for; empty for regression."""
        return self.schema.target.classes

    def transform(self, frame: Any) -> TableArrays:
        """The arrays of any rows: columns in any order, others beside them, the target not needed.

        Raises DataError for a column that is missing, or holds what its kind cannot (a text where
        training had a number), with the row, counted from 1.
        """
        table = as_table(frame)
        notes: list[str] = []
        numbers = np.empty((table.num_rows, len(self.number_names)), np.float32)
        categories = np.empty((table.num_rows, len(self.categorical)), np.int32)
        numeric, categorical = iter(self.numeric), iter(self.categorical)
        k = m = 0
        for column, cells in _features(table, self.schema):
            if column.kind == "category":
                encoder = next(categorical)
                categories[:, m] = encoder.encode(cells)
                notes += _unseen_note(encoder, cells, categories[:, m])
                m += 1
            else:
                for values in next(numeric).encode(_finite(column, cells, notes)):
                    numbers[:, k] = values
                    k += 1
        return TableArrays(numbers, categories, tuple(notes))

    def target(self, frame: Any) -> np.ndarray[Any, Any]:
        """(n,) float32 standardized numbers for regression, int64 codes for classification.

        Raises DataError for a row without a value, and for one that training could not have had.
        """
        values = _target(as_table(frame), self.schema)
        if self.schema.task == "classification":
            return values
        return ((values - self.target_mean) / self.target_scale).astype(np.float32)

    def unscale_target(self, scaled: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Predictions of a regression in the target's own units, float64, any shape."""
        return np.asarray(scaled, np.float64) * self.target_scale + self.target_mean

    def number_bins(self, max_bins: int = 48) -> list[Floats]:
        """For each column of `numbers`, rising edges of at most `max_bins` bins equally filled.

        For piecewise-linear encodings (Gorishniy, Rubachev, Babenko 2022, section 3.2.1). Equal
        quantiles are merged, so that a flag has the one bin (0, 1). Missing values do not count.
        """
        if not 1 <= max_bins <= _QUANTILES:
            raise UsageError(f"max_bins is {max_bins}; expected 1 to {_QUANTILES}.")
        places = np.linspace(0, _QUANTILES, max_bins + 1).round().astype(int)
        bins = []
        for quantiles in self.quantiles:
            edges = np.unique(np.asarray(quantiles, np.float32)[places])
            bins.append(edges if len(edges) > 1 else np.append(edges, edges + 1))
        return bins

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, from which `from_json` makes an equal preprocessor."""
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "schema": self.schema.to_json(),
            "numeric": [asdict(encoder) for encoder in self.numeric],
            "categorical": [
                {**asdict(encoder), "categories": list(encoder.categories)}
                for encoder in self.categorical
            ],
            "quantiles": [list(quantiles) for quantiles in self.quantiles],
            "target": {"mean": self.target_mean, "scale": self.target_scale},
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Preprocessor:
        """The preprocessor that `to_json` wrote; DataError for contents that it cannot have."""
        found = plain.get("format"), plain.get("version")
        if found != (_FORMAT, _VERSION):
            raise DataError(
                f"Expected a {_FORMAT} of version {_VERSION}, found {found[0]!r} of version "
                f"{found[1]!r}; use the version of Retrograd that wrote it, or train again."
            )
        try:
            ...
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"The saved {_FORMAT} is damaged ({type(error).__name__}: {error}); train again."
            ) from error
