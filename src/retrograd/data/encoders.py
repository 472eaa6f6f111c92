"""One column to numbers or codes, with what was measured on the training rows.

Each encoder is a frozen record of plain values, so that its fields are its JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.arrow import integers, mask, strings
from retrograd.data.cells import labels
from retrograd.data.kinds import Column, read_column

__all__ = [
    "UNSEEN",
    "CategoryEncoder",
    "DateEncoder",
    "FlagEncoder",
    "NumberEncoder",
    "Scale",
    "scale_of",
]

Values = np.ndarray[Any, np.dtype[np.float64]]

UNSEEN = 0
"""The code of a category that training did not see."""

_CLIP = 3.0
_DAY = 86400
_YEAR = 365.2425


@dataclass(frozen=True)
class Scale:
    """Robust scaling and smooth clipping: x -> z / sqrt(1 + (z/3)²), z = (x - centre) * factor.

    After RealMLP (Holzmüller, Grinsztajn, Steinwart 2024, section 3): values near the centre are
    scaled, and none leaves (-3, 3) however far out it lies. Missing values become 0, the centre.
    """

    centre: float
    factor: float

    def apply(self, values: Values) -> Values:
        z = (values - self.centre) * self.factor
        return np.where(np.isnan(z), 0.0, z / np.hypot(1.0, z / _CLIP))


def scale_of(values: Values) -> Scale:
    """Median, and 1 / interquartile range, or 1 / standard deviation where that range is 0."""
    values = values[~np.isnan(values)]
    if not len(values):
        return Scale(0.0, 0.0)
    low, centre, high = np.percentile(values, (25, 50, 75))
    spread = high - low or values.std()
    return Scale(float(centre), float(1 / spread) if spread else 0.0)
