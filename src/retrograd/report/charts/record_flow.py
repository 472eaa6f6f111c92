"""The flow picture of a record: layers across, steps down, four heat maps on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.diagnosis.record.record import Record
from retrograd.report.charts.heat import ColorScale, heat_map, scale_legend
from retrograd.report.words.figures import figure

__all__ = ["FlowPanel", "flow_panels", "thinned"]

Array = np.ndarray[Any, Any]

_MOST_COLUMNS = 48

_PANELS = (
    ("std", "Activations", "standard deviation of each layer's output", "fwd"),
    ("cotangent_norm", "Cotangents", "norm of ∂loss/∂output, layer by layer", "bwd"),
    ("gradient_norm", "Gradients", "norm of ∂loss/∂weight, before clipping", "bwd"),
    ("update_ratio", "Updates", "norm of each update, as a share of its weight", "upd"),
)
_STRIPS = (("fwd", "forward"), ("bwd", "backward"), ("upd", "update / weight"))


@dataclass(frozen=True)
class FlowPanel:
    """One of the four pictures, and the numbers behind it: name, first, lowest, highest, last."""

    title: str
    meaning: str
    picture: str
    rows: Sequence[tuple[str, str, str, str, str]]
    left_out: int


def flow_panels(record: Record) -> tuple[list[FlowPanel], str, int]:
    """The pictures of what was recorded, the legend of their scale, and how many steps broke down:
    their loss or gradient is no finite number."""
    steps = record.steps
    no_loss = ~np.isfinite(record.series("loss"))
    no_gradient = no_loss | ~np.isfinite(record.series("gradient_norm"))
    found = []
    for series, title, meaning, style in _PANELS:
        names, left_out = thinned(_subjects(record, series), _MOST_COLUMNS)
        values = [record.series(series, name) for name in names]
        if names and len(steps):
            # A layer's numbers are taken now and then: only without a loss are they surely bad.
            broken = no_loss if series in ("std", "cotangent_norm") else no_gradient
            columns = np.stack(values, 1)
            found.append((title, meaning, style, names, columns, left_out, broken))
    scale = ColorScale.of(values for *_, values, _, _ in found)
    panels = [
        FlowPanel(
            title,
            meaning,
            heat_map(f"{title}: {meaning}", steps, names, values, scale, style, broken),
            _rows(names, values),
            left_out,
        )
        for title, meaning, style, names, values, left_out, broken in found
    ]
    return panels, scale_legend(scale, _STRIPS), int(no_gradient.sum())


def thinned(names: Sequence[str], most: int) -> tuple[list[str], int]:
    """At most so many of the names, evenly, and how many are left out."""
    if len(names) <= most:
        return list(names), 0
    places = np.linspace(0, len(names) - 1, most).round().astype(int)
    return [names[place] for place in places], len(names) - most


def _subjects(record: Record, series: str) -> list[str]:
    """Those that have the series; where that is many, of the parameters only the matrices."""
    names = list(record.subjects(series))
    if series in ("gradient_norm", "update_ratio") and len(names) > _MOST_COLUMNS // 2:
        matrices = {each.name for each in record.parameters if len(each.shape) > 1}
        names = [name for name in names if name in matrices] or names
    return names


def _rows(names: Sequence[str], values: Array) -> list[tuple[str, str, str, str, str]]:
    rows = []
    for name, column in zip(names, values.T, strict=True):
        known = column[~np.isnan(column)]
        if len(known):
            numbers = known[0], known.min(), known.max(), known[-1]
            first, low, high, last = (figure(float(number), 3) for number in numbers)
            rows.append((name, first, low, high, last))
        else:
            rows.append((name, "", "", "", "not a number"))
    return rows
