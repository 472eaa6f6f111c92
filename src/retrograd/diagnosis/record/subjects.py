"""The subjects of a record: the layers and the parameters of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from retrograd.variable import Parameter

__all__ = ["Layer", "Weights"]


@dataclass(frozen=True)
class Layer:
    """A layer: its path in the model, its class ("ReLU", or "relu" for a function), and its output.

    `units` is the size of axis `axis` of `shape`; `sample` is the number of rows of the batch (the
    first axis of `shape`) that the statistics come from. `dead` is measured for layers that
    `rectifies` marks (ReLU), `saturated` for layers with `bounds`, beyond which outputs count as
    saturated. `parameters` lists the names of its own parameters.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    axis: int
    units: int
    sample: int
    rectifies: bool
    bounds: tuple[float, float] | None
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Weights:
    """A parameter: its shape, the layer it belongs to, and its values when recording began.

    `optimized`: it was passed to the optimizer. `trained`: it requires a gradient. `equal_units`:
    the share of its rows (the weights of one unit) that equal another row; None if it has only one
    row. `sample`: the number of elements that the norms are computed from.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    optimized: bool
    trained: bool
    mean: float
    std: float
    min: float
    max: float
    equal_units: float | None
    sample: int

    @classmethod
    def of(cls, name: str, parameter: Parameter, optimized: bool, sample: int) -> Self:
        """A description of a parameter's current state."""
        values = np.asarray(parameter.data).astype(np.float64)
        equal = None
        if values.ndim > 1 and len(values) > 1:
            rows = values.reshape(len(values), -1)
            _, counts = np.unique(rows, axis=0, return_counts=True)
            equal = float(counts[counts > 1].sum() / len(rows))
        some = values if values.size else np.zeros(1)
        return cls(
            name=name,
            layer=name.rpartition(".")[0],
            shape=values.shape,
            optimized=optimized,
            trained=bool(parameter.requires_grad),
            mean=float(some.mean()),
            std=float(some.std()),
            min=float(some.min()),
            max=float(some.max()),
            equal_units=equal,
            sample=sample,
        )
