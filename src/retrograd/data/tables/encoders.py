"""One column as numbers or codes, by what was measured on the training rows.

Each encoder is a frozen record of plain values, so that its fields are its JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.tables.arrow import integers, mask, strings
from retrograd.data.tables.cells import spelled_as

__all__ = [
    "UNSEEN",
    "CategoryEncoder",
    "DateEncoder",
    "FlagEncoder",
    "NumberEncoder",
    "Scale",
    "date_parts",
    "scale_of",
]

Values = np.ndarray[Any, np.dtype[np.float64]]

UNSEEN = 0
"""The code of a category that was not in the training data."""

_CLIP = 3.0
_DAY_SECONDS = 86400
_DAYS_IN_YEAR = 365.2425


@dataclass(frozen=True)
class Scale:
    """Robust scaling and smooth clipping: x -> z / sqrt(1 + (z/3)²), z = (x - center) * factor.

    After RealMLP (Holzmüller, Grinsztajn, Steinwart 2024, section 3): values near the center are
    scaled, and even extreme ones stay within (-3, 3). Missing values become 0, the center.
    """

    center: float
    factor: float

    def apply(self, values: Values) -> Values:
        z = (values - self.center) * self.factor
        return np.where(np.isnan(z), 0.0, z / np.hypot(1.0, z / _CLIP))


def scale_of(values: Values) -> Scale:
    """Median, and 1 / interquartile range, or 1 / standard deviation if that range is 0."""
    values = values[~np.isnan(values)]
    if not len(values):
        return Scale(0.0, 0.0)
    low, center, high = np.percentile(values, (25, 50, 75))
    # Rounding gives equal values a standard deviation slightly above 0.
    spread = high - low or (values.std() if np.ptp(values) else 0.0)
    return Scale(float(center), float(1 / spread) if spread else 0.0)


class _WithMissing:
    """The 0/1 column that marks missing values, if the training data had any."""

    name: str
    has_missing: bool

    def _indicator_name(self) -> tuple[str, ...]:
        return (f"{self.name} is missing",) if self.has_missing else ()

    def _indicator(self, values: Values) -> list[Values]:
        return [np.isnan(values).astype(np.float64)] if self.has_missing else []


@dataclass(frozen=True)
class NumberEncoder(_WithMissing):
    """A number: scaled; a missing one becomes the median."""

    name: str
    scale: Scale
    has_missing: bool

    @classmethod
    def fit(cls, name: str, values: Values) -> NumberEncoder:
        return cls(name, scale_of(values), bool(np.isnan(values).any()))

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> NumberEncoder:
        return cls(**{**saved, "scale": Scale(**saved["scale"])})

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self._indicator_name())

    def encode(self, values: Values) -> list[Values]:
        return [self.scale.apply(values), *self._indicator(values)]


@dataclass(frozen=True)
class FlagEncoder(_WithMissing):
    """A flag: 0 or 1; a missing one becomes the more frequent of the two."""

    name: str
    fill: float
    has_missing: bool

    @classmethod
    def fit(cls, name: str, values: Values) -> FlagEncoder:
        is_missing = np.isnan(values)
        is_mostly_true = (values == 1).sum() > (values == 0).sum()
        return cls(name, float(is_mostly_true), bool(is_missing.any()))

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> FlagEncoder:
        return cls(**saved)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self._indicator_name())

    def encode(self, values: Values) -> list[Values]:
        return [np.where(np.isnan(values), self.fill, values), *self._indicator(values)]


@dataclass(frozen=True)
class DateEncoder(_WithMissing):
    """A date unfolded into the parts that vary in the training data, each scaled like a number."""

    name: str
    origin: float
    parts: tuple[tuple[str, Scale], ...]
    has_missing: bool

    @classmethod
    def fit(cls, name: str, seconds: Values) -> DateEncoder:
        present = seconds[~np.isnan(seconds)]
        origin = float(np.median(present)) if len(present) else 0.0
        scales = [(part, scale_of(values)) for part, values in date_parts(present, origin).items()]
        varying = tuple((part, scale) for part, scale in scales if scale.factor)
        return cls(name, origin, varying, len(present) < len(seconds))

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> DateEncoder:
        parts = tuple((part, Scale(**scale)) for part, scale in saved["parts"])
        return cls(**{**saved, "parts": parts})

    @property
    def names(self) -> tuple[str, ...]:
        return (*(f"{self.name} {part}" for part, _ in self.parts), *self._indicator_name())

    def encode(self, seconds: Values) -> list[Values]:
        is_missing = np.isnan(seconds)
        values = date_parts(np.where(is_missing, self.origin, seconds), self.origin)
        columns = [
            scale.apply(np.where(is_missing, np.nan, values[part])) for part, scale in self.parts
        ]
        return [*columns, *self._indicator(seconds)]


def date_parts(seconds: Values, origin: float) -> dict[str, Values]:
    """Year, month, day of the week (Monday 0), day of the year and hour as circles, days passed."""
    time = np.floor(seconds).astype(np.int64).astype("datetime64[s]")
    day, month, year = (time.astype(f"datetime64[{unit}]") for unit in "DMY")
    day_of_year = (day - year.astype("datetime64[D]")).astype(np.float64)
    angle = 2 * np.pi * day_of_year / _DAYS_IN_YEAR
    hour_angle = 2 * np.pi * ((seconds / _DAY_SECONDS) % 1)
    return {
        "year": year.astype(np.float64) + 1970,
        "month": month.astype(np.float64) % 12 + 1,
        # 1970-01-01 was a Thursday.
        "day of week": (day.astype(np.float64) + 3) % 7,
        "day of year sin": np.sin(angle),
        "day of year cos": np.cos(angle),
        "hour sin": np.sin(hour_angle),
        "hour cos": np.cos(hour_angle),
        "days": (seconds - origin) / _DAY_SECONDS,
    }


@dataclass(frozen=True)
class CategoryEncoder:
    """A category: 0 for one not in the training data, 1 to K in order, K + 1 for a missing one.

    A missing category has its own code only if the training data had one; otherwise it is `UNSEEN`.
    """

    name: str
    categories: tuple[str, ...]
    has_missing: bool

    @classmethod
    def fit(cls, name: str, texts: pa.Array) -> CategoryEncoder:
        seen = pc.unique(texts.drop_null()).to_pylist()
        return cls(name, tuple(sorted(seen)), texts.null_count > 0)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> CategoryEncoder:
        return cls(**{**saved, "categories": tuple(saved["categories"])})

    @property
    def levels(self) -> tuple[str, ...]:
        """What each code stands for, from 0 on."""
        return ("unseen", *self.categories, *(("missing",) if self.has_missing else ()))

    @property
    def cardinality(self) -> int:
        """The number of codes, `UNSEEN` among them."""
        return 1 + len(self.categories) + self.has_missing

    def encode(self, texts: pa.Array) -> np.ndarray[Any, np.dtype[np.int32]]:
        texts = spelled_as(self.categories, texts)
        codes = integers(pc.index_in(texts, value_set=strings(self.categories))) + 1
        if self.has_missing and texts.null_count:
            codes = np.where(mask(texts.is_null()), self.cardinality - 1, codes)
        return codes.astype(np.int32)
