"""The model's layers as a table, with their latest measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.diagnosis.record.record import Layer, Record

__all__ = ["LayerRow", "layer_rows"]

_MOST_LAYERS = 200


@dataclass(frozen=True)
class LayerRow:
    """A layer and its latest measurements; NaN if there are none."""

    name: str
    kind: str
    shape: tuple[int, ...]
    weights: int
    mean: float
    std: float
    dead: float
    saturated: float
    cotangent: float
    gradient: float
    ratio: float


def layer_rows(record: Record) -> list[LayerRow]:
    """The layers in the order of the forward pass."""
    return [_row(record, layer) for layer in record.layers[:_MOST_LAYERS]]


def _row(record: Record, layer: Layer) -> LayerRow:
    def last(series: str) -> float:
        return _last(record, series, layer.name)

    sizes = {each.name: math.prod(each.shape) for each in record.parameters}
    gradients, norms, updates = (
        _norm(record, series, layer.parameters)
        for series in ("gradient_norm", "weight_norm", "update_norm")
    )
    return LayerRow(
        layer.name,
        layer.kind,
        layer.shape[1:],
        sum(sizes.get(name, 0) for name in layer.parameters),
        last("mean"),
        last("std"),
        last("dead"),
        last("saturated"),
        last("cotangent_norm"),
        gradients,
        updates / norms if norms else math.nan,
    )


def _norm(record: Record, series: str, parameters: Sequence[str]) -> float:
    values = [_last(record, series, name) for name in parameters]
    return math.hypot(*values) if values else math.nan


def _last(record: Record, series: str, subject: str) -> float:
    try:
        values: Any = record.series(series, subject)
    except KeyError:
        return math.nan
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else math.nan
