"""Windows of a series, each from past to future, and naive forecasts to compare with."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd import nn, ops
from retrograd.tensor import Tensor
from retrograd.training.sources import Stack, in_calls
from retrograd.variable import Buffer

__all__ = ["NextValues", "SeriesWindows", "find_season", "naive_forecast", "window_starts"]

Array = np.ndarray[Any, Any]

_LEAST_CORRELATION = 0.3


@dataclass
class SeriesWindows:
    """Windows of standardized `values`, float32 (n,): (batch, context) to (batch, horizon).

    `starts` (windows,) are the indices where they begin. The series is passed to the steps once; a
    call carries only the indices.
    """

    values: Array
    starts: Array
    context: int
    horizon: int
    _series: Buffer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._series = Buffer(self.values)

    def __len__(self) -> int:
        return len(self.starts)

    def steps(self, batch_size: int) -> int:
        return len(self) // batch_size

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        order = rng.permutation(self.starts).astype(np.int32)
        order = order[: self.steps(batch_size) * batch_size].reshape(-1, batch_size)
        for each in in_calls(order):
            yield Stack(None, (each,))

    def batch(self, form: Hashable, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        (starts,) = arrays
        places = np.arange(self.context + self.horizon, dtype=np.int32)
        window = ops.take(self._series, ops.unsqueeze(starts, 1) + places, 0)
        return (window[:, : self.context],), window[:, self.context :]

    def parts(self, rows: int) -> Iterator[tuple[tuple[Array, ...], Array]]:
        for first in range(0, len(self), rows):
            places = self.starts[first : first + rows, None] + np.arange(
                self.context + self.horizon
            )
            window = self.values[places]
            yield (window[:, : self.context],), window[:, self.context :]


class NextValues:
    """The next numbers, standardized: every element of (batch, horizon) counts equally."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean squared error."""
        return nn.mse_loss(output, target)

    def score(self, output: Array, target: Array) -> float:
        """The mean squared error."""
        return float(np.mean((output - target) ** 2))


def window_starts(known: Array, begin: int, end: int, context: int, horizon: int) -> Array:
    """The starts of the windows whose forecasts lie from index `begin` up to, not including, `end`.

    Their contexts may reach back further. A window is left out if a value to forecast was not
    `known` (n,).
    """
    starts = np.arange(max(begin - context, 0), end - context - horizon + 1)
    unknown = np.concatenate([[0], np.cumsum(~known)])
    asked = starts + context
    return starts[unknown[asked + horizon] == unknown[asked]]


def naive_forecast(contexts: Array, horizon: int, season: int) -> Array:
    """(rows, context) -> (rows, horizon): the last `season` values, repeated; with 1, the last.

    Hyndman & Athanasopoulos, "Forecasting: principles and practice" (2021), section 5.2.
    """
    last = contexts[:, contexts.shape[1] - season :]
    return last[:, np.arange(horizon) % season]


def find_season(values: Array) -> int:
    """The number of steps after which changes repeat best, or 1 if they do not repeat.

    This is the highest peak of the autocorrelation of the differences, from lag 2 to a third of the
    series, if it is at least 0.3.
    """
    changes = np.diff(values) - np.diff(values).mean()
    power = np.abs(np.fft.rfft(changes, 2 * len(changes))) ** 2
    correlation = np.fft.irfft(power)[: len(values) // 3 + 1]
    if len(correlation) < 4 or correlation[0] <= 0:
        return 1
    correlation = correlation / correlation[0]
    inner = correlation[2:-1]
    is_peak = (inner >= correlation[1:-2]) & (inner >= correlation[3:])
    inner = np.where(is_peak, inner, -1)
    return int(inner.argmax()) + 2 if inner.max() >= _LEAST_CORRELATION else 1
