"""Heat maps as SVG: a column for each subject, steps downwards, strength on a logarithmic scale.

The weaker, the nearer to the page's own ground: what vanishes fades, in light and in dark.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from retrograd.report.charts.axes import document
from retrograd.report.words.figures import cut, figure, power_of_ten

__all__ = ["ColorScale", "heat_map", "scale_legend"]

Array = np.ndarray[Any, Any]

_LEVELS = 24
_FEWEST_DECADES, _MOST_DECADES = 4, 16
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 492, 58, 8, 10, 84
_MOST_ROWS, _HEIGHT = 48, 230
_LABEL_WIDTH = 17
# Names below are slanted; a letter of them is so wide where a narrow page makes it large.
_SLANT, _LETTERS, _LETTER = 38, 17, 8.8


@dataclass(frozen=True)
class ColorScale:
    """Strengths from 10 to the `low` to 10 to the `high`, as levels of colour."""

    low: int
    high: int

    @classmethod
    def of(cls, matrices: Iterable[Array]) -> ColorScale:
        """The powers of ten around all but the outermost hundredth of the positive numbers."""
        found = np.concatenate([np.zeros(0), *(m[np.isfinite(m) & (m > 0)] for m in matrices)])
        if not len(found):
            return cls(-_FEWEST_DECADES, 0)
        powers = np.log10(found)
        low = math.floor(np.quantile(powers, 0.01))
        high = max(math.ceil(np.quantile(powers, 0.99)), low + _FEWEST_DECADES)
        return cls(max(low, high - _MOST_DECADES), high)

    def levels(self, values: Array) -> Array:
        """0 for what is 0 or not known, else 1 to 24; -1 for infinity."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (np.log10(np.abs(values)) - self.low) / (self.high - self.low)
        share = np.nan_to_num(np.clip(share, 0.0, 1.0))
        levels = 1 + np.round(share * (_LEVELS - 1)).astype(int)
        levels = np.where((values == 0) | np.isnan(values), 0, levels)
        return np.where(np.isinf(values), -1, levels)


def opacity(level: int) -> str:
    """How strong the colour of a level is."""
    return f"{0.05 + 0.95 * (level - 1) / (_LEVELS - 1):.2f}"


def heat_map(
    title: str,
    steps: Array,
    subjects: Sequence[str],
    values: Array,
    scale: ColorScale,
    style: str,
    broken: Array,
) -> str:
    """`values` (steps, subjects) as a picture; where NaN says "not measured" it goes on as it was.

    In the steps that are `broken`, (steps,) bool, what is no finite number is shown as such.
    """
    rows, starts = _pooled(values, broken, _MOST_ROWS)
    levels = scale.levels(rows)
    left, bottom = _margins(subjects)
    width = (_WIDTH - left - _RIGHT) / max(len(subjects), 1)
    height = _HEIGHT / max(len(rows), 1)
    body = [
        f'<rect class="frame" x="{left:.1f}" y="{_TOP}" width="{_WIDTH - left - _RIGHT:.1f}" '
        f'height="{_HEIGHT}"/>'
    ]
    for level in range(-1, _LEVELS + 1):
        path = _cells(levels == level, left, width, height)
        if path and level:
            look = "broken" if level < 0 else style
            strength = opacity(max(level, 1))
            body.append(f'<path class="heat {look}" fill-opacity="{strength}" d="{path}"/>')
    body += _step_ticks(steps[starts], left, height)
    body += _columns(subjects, values, left, width)
    first, last = (_told(subjects, rows[place]) for place in (0, -1)) if len(rows) else ("", "")
    return document(
        _WIDTH,
        _TOP + _HEIGHT + bottom,
        title,
        f"At first {first}. In the end {last}.",
        "".join(body),
    )


def scale_legend(scale: ColorScale, styles: Sequence[tuple[str, str]]) -> str:
    """The scale with its powers of ten, a strip for each (style, name)."""
    width, left, strip = 492, 140, 14
    step = (width - left - 24) / _LEVELS
    body = []
    for place, (style, name) in enumerate(styles):
        y = 4 + place * (strip + 5)
        body.append(f'<text class="tick" x="0" y="{y + 12}">{escape(name)}</text>')
        for level in range(1, _LEVELS + 1):
            body.append(
                f'<rect class="heat {style}" fill-opacity="{opacity(level)}" '
                f'x="{left + (level - 1) * step:.1f}" y="{y}" width="{step:.1f}" height="{strip}"/>'
            )
    bottom = 4 + len(styles) * (strip + 5)
    stride = math.ceil((scale.high - scale.low) / 8)
    for power in range(scale.low, scale.high + 1, stride):
        x = left + (power - scale.low) / (scale.high - scale.low) * step * _LEVELS
        body.append(
            f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">'
            f"{power_of_ten(power)}</text>"
        )
    return document(
        width,
        bottom + 24,
        "The scale of all four pictures",
        f"Logarithmic, from {figure(10.0**scale.low)} (faint) to {figure(10.0**scale.high)} "
        "(strong). What is 0 has no colour.",
        "".join(body),
    )


def _pooled(values: Array, broken: Array, most: int) -> tuple[Array, Array]:
    """At most so many rows, each a geometric mean over steps, and where each of them starts.

    Infinite where a broken step has no finite number; NaN where nothing was measured yet.
    """
    count = len(values)
    starts = np.unique(np.linspace(0, count, min(count, most), endpoint=False).astype(int))
    ends = np.append(starts[1:], count)
    rows = np.full((len(starts), values.shape[1]), np.nan)
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        piece = values[start:end]
        is_number = np.isfinite(piece)
        is_positive = is_number & (piece != 0)
        logs = np.log(np.where(is_positive, np.abs(piece), 1.0))
        positive = is_positive.sum(0)
        mean = np.where(positive > 0, np.exp(logs.sum(0) / np.maximum(positive, 1)), 0.0)
        before = rows[place - 1] if place else np.nan
        rows[place] = np.where(is_number.any(0), mean, before)
        rows[place, (~is_number & broken[start:end, None]).any(0)] = np.inf
    return rows, starts


def _cells(chosen: Array, left: float, width: float, height: float) -> str:
    """The chosen cells as one path, those under one another joined."""
    pieces = []
    for column in range(chosen.shape[1]):
        edges = np.flatnonzero(np.diff(chosen[:, column].astype(int), prepend=0, append=0))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            x, y = left + column * width, _TOP + start * height
            pieces.append(
                f"M{x:.1f} {y:.1f}h{width:.1f}v{(end - start) * height:.1f}h{-width:.1f}z"
            )
    return "".join(pieces)


def _step_ticks(steps: Array, left: float, height: float) -> Iterable[str]:
    count = len(steps)
    for place in sorted({round(share * (count - 1)) for share in (0, 0.25, 0.5, 0.75, 1)}):
        if 0 <= place < count:
            y = _TOP + (place + 0.5) * height + 4
            yield (
                f'<text class="tick" x="{left - 8:.1f}" y="{y:.1f}" text-anchor="end">'
                f"{int(steps[place]):,}</text>"
            )


def _margins(subjects: Sequence[str]) -> tuple[float, float]:
    """What the slanted names need at the left, beside the first columns, and below."""
    lengths = [min(len(name), _LETTERS) * _LETTER for name in subjects]
    longest = max(lengths, default=0.0)
    slant = math.radians(_SLANT)
    # As narrow as columns become where the longest name needs all its room at the left.
    width = (_WIDTH - longest * math.cos(slant) - _RIGHT) / max(len(subjects), 1)
    beyond = (n * math.cos(slant) - (i + 0.5) * width - 3 for i, n in enumerate(lengths))
    left = max(_LEFT, *beyond) if lengths else _LEFT
    return left, max(_BOTTOM, longest * math.sin(slant) + 21)


def _columns(subjects: Sequence[str], values: Array, left: float, width: float) -> Iterable[str]:
    """Names below, slanted; and over each column what a pointer that rests on it is told."""
    stride = max(1, math.ceil(_LABEL_WIDTH / width))
    bottom = _TOP + _HEIGHT + 13
    for place, name in enumerate(subjects):
        x = left + place * width
        known = values[np.isfinite(values[:, place]), place]
        told = (
            f"{figure(known[0], 3)} at first, {figure(known[-1], 3)} at last"
            if len(known)
            else "no finite value"
        )
        yield (
            f'<rect class="touch" x="{x:.1f}" y="{_TOP}" width="{width:.1f}" height="{_HEIGHT}">'
            f"<title>{escape(name)}: {told}</title></rect>"
        )
        if place % stride == 0:
            at = f"{x + width / 2 + 3:.1f} {bottom}"
            yield (
                f'<text class="tick" transform="translate({at}) rotate(-{_SLANT})" '
                f'text-anchor="end">{escape(cut(name, _LETTERS))}</text>'
            )


def _told(subjects: Sequence[str], row: Array) -> str:
    return ", ".join(
        f"{name} {figure(value, 2)}" for name, value in zip(subjects, row, strict=True)
    )
