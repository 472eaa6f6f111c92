"""The measurements of each step as curves: loss, gradient, learning rate and noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.diagnosis.record.record import Record
from retrograd.report.charts.axes import Axis, Plot
from retrograd.report.words.figures import figure

__all__ = ["NOISE", "NOISE_UNIT", "Curve", "curve_chart", "step_charts"]

Array = np.ndarray[Any, Any]

_MOST_POINTS = 400
_WIDE = 20.0

NOISE = "Gradient noise scale and batch size"
NOISE_UNIT = "noise scale, in rows"

Curve = tuple[str, Array, str]
"""A curve's name, its values (steps,), and its style."""


def step_charts(record: Record) -> list[str]:
    """The charts of the series of the steps themselves; none for an empty record."""
    steps = record.steps
    charts = []
    for title, unit, series in (
        ("Loss by step", "loss", (("loss", "loss", "fwd"),)),
        (
            "Size of the gradient",
            "norm of the gradient",
            (("before clipping", "gradient_norm", "bwd"), ("used", "clipped_norm", "faint")),
        ),
        ("Learning rate", "learning rate", (("learning rate", "learning_rate", "upd"),)),
    ):
        curves = [(n, record.series(key), style) for n, key, style in series if _has(record, key)]
        # If nothing was clipped, the second curve coincides with the first.
        if len(curves) > 1 and np.array_equal(curves[0][1], curves[1][1], equal_nan=True):
            del curves[1]
        charts.append(curve_chart(title, unit, steps, curves))
    if _has(record, "gradient_dot"):
        noise = record.noise_scale()
        curves = [("noise", noise, "bwd"), ("batch", record.series("batch_size"), "faint")]
        charts.append(curve_chart(NOISE, NOISE_UNIT, steps, curves))
    return [chart for chart in charts if chart]


def curve_chart(title: str, unit: str, steps: Array, curves: Sequence[Curve]) -> str:
    """Curves over steps, logarithmic if the range is wide; "" if no value is finite."""
    drawn = [(name, *_fewer(steps, values), style) for name, values, style in curves]
    drawn = [each for each in drawn if np.isfinite(each[2]).any()]
    if not drawn:
        return ""
    values = np.concatenate([each[2] for each in drawn])
    finite = values[np.isfinite(values)]
    is_log = bool(finite.min() > 0 and finite.max() > _WIDE * finite.min())
    plot = Plot(
        Axis.counted("step", 0, int(steps[-1])),
        Axis.of(f"{unit} (logarithmic)" if is_log else unit, finite.tolist(), is_log=is_log),
        width=480,
        height=250,
    )
    for _, at, ys, style in drawn:
        plot.line(at.tolist(), ys.tolist(), style)
    if len(drawn) > 1:
        plot.legend([(name, style) for name, _, _, style in drawn])
    description = "; ".join(f"{name}: {_told(ys)}" for name, _, ys, _ in drawn)
    return plot.svg(title, f"{description}.")


def _has(record: Record, series: str) -> bool:
    return any((series, "") in part.columns for part in record.parts)


def _told(values: Array) -> str:
    known = values[np.isfinite(values)]
    missing = "" if math.isfinite(values[-1]) else ", then not finite"
    return f"{figure(known[0], 3)} at the start, {figure(known[-1], 3)} at the end{missing}"


def _fewer(steps: Array, values: Array) -> tuple[Array, Array]:
    """Means over equal intervals, without steps that measured nothing; at most _MOST_POINTS."""
    if np.isnan(values).any() and not np.isnan(values[np.isfinite(values).argmax() :]).all():
        # A scheduled series; but a series that ends in NaN broke off, and is drawn that way.
        last = len(values) - int(np.isfinite(values[::-1]).argmax())
        keep = np.isfinite(values)
        keep[last : last + 1] = True
        steps, values = steps[keep], values[keep]
    if len(values) <= _MOST_POINTS:
        return steps, values
    edges = np.linspace(0, len(values), _MOST_POINTS + 1).astype(int)
    means = np.add.reduceat(values.astype(np.float64), edges[:-1]) / np.diff(edges)
    return steps[(edges[:-1] + edges[1:]) // 2], means
