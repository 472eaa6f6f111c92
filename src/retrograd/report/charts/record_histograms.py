"""Histograms over time: one ridge per measurement of a weight or layer, the latest in front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise

from retrograd.diagnosis.record.record import Histogram, Record
from retrograd.report.charts.axes import Axis, document
from retrograd.report.charts.record_flow import thinned
from retrograd.report.words.figures import cut, figure

__all__ = ["histogram_pictures"]

_MOST_SUBJECTS, _MOST_RIDGES = 24, 8
# Fewer values than this have no shape.
_LEAST_VALUES = 32
_WIDTH, _LEFT, _RIGHT, _TOP, _STEP, _PEAK, _BOTTOM = 236, 6, 46, 24, 15, 34, 24
# The width of a letter of a tick label, an upper bound of the average.
_LETTER = 7.0


def histogram_pictures(record: Record, kind: str) -> list[str]:
    """One picture for each weight ("weight") or layer ("activation") that has histograms."""
    if kind == "weight":
        names = [each.name for each in record.parameters if len(each.shape) > 1]
    else:
        names = [layer.name for layer in record.layers]
    by_name = {name: record.histograms(kind, name) for name in names}
    shaped = [name for name in names if _has_shape(by_name[name])]
    chosen, _ = thinned(shaped, _MOST_SUBJECTS)
    return [_ridges(name, kind, by_name[name]) for name in chosen]


def _has_shape(found: Sequence[Histogram]) -> bool:
    return max((sum(each.counts) for each in found), default=0) >= _LEAST_VALUES


def _ridges(name: str, kind: str, found: Sequence[Histogram]) -> str:
    places = sorted({round(i * (len(found) - 1) / (_MOST_RIDGES - 1)) for i in range(_MOST_RIDGES)})
    shown = [found[place] for place in places]
    low, high = _bulk(shown)
    axis = Axis.of("", [low, high], most=3)
    labels = [axis.text(tick) for tick in axis.ticks]
    # The first label is centered below the left end, and must not be cut off.
    left, right = max(_LEFT, len(labels[0]) * _LETTER / 2 + 1), _WIDTH - _RIGHT
    apart = (right - left) / (len(labels) - 1)
    stride = math.ceil((max(map(len, labels)) + 1) * _LETTER / apart)
    body = [f'<text class="label" x="{_LEFT}" y="13">{escape(cut(name, 34))}</text>']
    baseline = _TOP + _PEAK
    for place, histogram in enumerate(shown):
        y = baseline + place * _STEP
        strength = 0.25 + 0.75 * (place + 1) / len(shown)
        body.append(
            f'<path class="ridge {"upd" if kind == "weight" else "fwd"}" '
            f'style="--strength:{strength:.2f}" d="{_outline(histogram, axis, left, right, y)}"/>'
        )
        if place in (0, len(shown) - 1):
            body.append(f'<text class="tick" x="{right + 6}" y="{y + 1}">{histogram.step:,}</text>')
    bottom = baseline + (len(shown) - 1) * _STEP
    for place, (tick, label) in enumerate(zip(axis.ticks, labels, strict=True)):
        x = left + axis.share(tick) * (right - left)
        body.append(
            f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}"/>'
        )
        if place % stride == 0:
            body.append(
                f'<text class="tick" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">'
                f"{label}</text>"
            )
    what = "Weights" if kind == "weight" else "Outputs"
    first, last = (_range(histogram) for histogram in (shown[0], shown[-1]))
    return document(
        _WIDTH,
        bottom + _BOTTOM,
        f"{what} of {name}: distribution",
        f"After step {shown[0].step:,} {first}; after step {shown[-1].step:,} {last}.",
        "".join(body),
    )


def _bulk(histograms: Sequence[Histogram]) -> tuple[float, float]:
    """The range of all but the outermost 0.1 % of each histogram's values."""
    lows, highs = [], []
    for histogram in histograms:
        edges = _edges(histogram)
        total, seen = sum(histogram.counts), 0
        for left, right, count in zip(edges[:-1], edges[1:], histogram.counts, strict=True):
            if seen <= total / 1000 < seen + count:
                lows.append(left)
            seen += count
            if seen >= total * 0.999:
                highs.append(right)
                break
    return min(lows, default=-1.0), max(highs, default=1.0)


def _constant(histogram: Histogram) -> float | None:
    """The value that all have, which then stands in the middle of the bins; else None."""
    is_constant = sum(many > 0 for many in histogram.counts) == 1
    return (histogram.low + histogram.high) / 2 if is_constant else None


def _range(histogram: Histogram) -> str:
    constant = _constant(histogram)
    if constant is not None:
        return f"all about {figure(constant, 2)}"
    return f"from {figure(histogram.low, 3)} to {figure(histogram.high, 3)}"


def _edges(histogram: Histogram) -> list[float]:
    bins = len(histogram.counts)
    width = (histogram.high - histogram.low) / bins
    return [histogram.low + i * width for i in range(bins + 1)]


def _outline(histogram: Histogram, axis: Axis, left: float, right: float, y: float) -> str:
    """A filled curve through the centers of the bins, with its own vertical scale; a line for
    values that are all the same."""
    constant = _constant(histogram)
    if constant is not None:
        x = left + axis.share(constant) * (right - left)
        return f"M{x:.1f} {y}V{y - _PEAK}"
    edges = _edges(histogram)
    peak = max(histogram.counts, default=0) or 1
    points = [
        (left + axis.share((a + b) / 2) * (right - left), y - _PEAK * count / peak)
        for (a, b), count in zip(pairwise(edges), histogram.counts, strict=True)
        if axis.low <= (a + b) / 2 <= axis.high
    ]
    if not points:
        return f"M{left:.1f} {y}h0"
    middle = "".join(f"L{x:.1f} {top:.1f}" for x, top in points)
    return f"M{points[0][0]:.1f} {y}{middle}L{points[-1][0]:.1f} {y}"
