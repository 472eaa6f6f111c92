"""The architectures for a series. To add one: its file in `models/`, and an entry here."""

from __future__ import annotations

from retrograd.kinds.base.architectures import Architecture, Architectures
from retrograd.models.series.forecaster import Forecaster

__all__ = ["ARCHITECTURES"]

ARCHITECTURES = Architectures(
    "forecast",
    Architecture(
        "forecaster",
        "A linear map and a small perceptron from a window relative to its last value to what "
        "comes (NLinear, Zeng et al. 2023; Kim et al. 2022).",
        Forecaster,
    ),
)
