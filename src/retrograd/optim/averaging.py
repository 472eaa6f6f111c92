"""An exponential moving average of the weights, to evaluate and save instead of the last ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrograd.arrays import state
from retrograd.optim.base import rounded
from retrograd.variable import Slot, Variable

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage:
    """A moving average a of the weights x, moved on by `update()` after each `optimizer.step()`.

        a ← d a + (1 − d) x                             from a = the first weights
        a ← a + (1 − d) / (1 − dᵗ) (x − a)              with `bias_correction`

    The correction makes a the weighted mean of the weights of steps 1 to t alone, with weights in
    the ratio of 1 : d : d²...; without it the weights before the first update have weight dᵗ.

    `parameters` are Parameters, or other Variables such as the running statistics of a
    normalization. `update()` may be part of a compiled step.

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992); the
    correction as in Kingma and Ba, "Adam" (2015), section 3. Raises ValueError for no parameters
    or a `decay` outside [0, 1), TypeError for integers.
    """

    def __init__(
        self, parameters: Iterable[Variable], decay: float, *, bias_correction: bool = False
    ) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("ExponentialMovingAverage got an empty list of parameters")
        if not 0 <= decay < 1:
            raise ValueError(
                f"ExponentialMovingAverage: decay must be at least 0 and below 1; found {decay}"
            )
        for parameter in self.parameters:
            if parameter.dtype.kind not in "fV":
                raise TypeError(
                    "ExponentialMovingAverage averages floating-point values; found "
                    f"{parameter.dtype}"
                )
        self.decay = float(decay)
        self.bias_correction = bias_correction
        self.step = Slot(np.zeros((), np.int64))
        # Copies: a compiled step gives the memory of a weight to the weight that follows it.
        self.averages = [Slot(np.array(parameter.data)) for parameter in self.parameters]

    def update(self) -> None:
        """Add the current weights to the average."""
        step = self.step.data + 1
        self.step.data = step if state.trace is not None else np.asarray(step)
        rate = 1 - self.decay
        if self.bias_correction:
            rate = rate / (1 - self.decay**step)
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            a, x = average.data, parameter.data
            average.data = a + rounded(rate, a.dtype) * (x - a)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block the model holds the averages; afterwards its own weights again."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            average.data, parameter.data = parameter.data, average.data

    def state_dict(self) -> dict[str, Any]:
        """The averages and the count of updates, as NumPy arrays and a number."""
        return {
            "step": int(self.step.data),
            "averages": [np.asarray(average.data) for average in self.averages],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; raises ValueError if the shapes differ."""
        averages = [np.array(values) for values in state_dict["averages"]]
        found = [values.shape for values in averages]
        expected = [average.shape for average in self.averages]
        if found != expected:
            raise ValueError(
                f"ExponentialMovingAverage.load_state_dict: the saved averages have the shapes "
                f"{found}, this one's have {expected}"
            )
        self.step.data = np.asarray(state_dict["step"], np.int64)
        for average, values in zip(self.averages, averages, strict=True):
            average.data = values.astype(average.dtype)
