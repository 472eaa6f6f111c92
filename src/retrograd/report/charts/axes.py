"""Charts as SVG: axes with round ticks, lines, dots and bars. CSS classes select the colors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from retrograd.report.words.figures import cut, figure, power_of_ten, short

__all__ = ["Axis", "Plot", "document"]

# About this many letters of tick labels fit side by side, with space between.
_LETTERS = 50
# From here on, digits need more space than there is to the left of an axis, and are hard to count.
_SHORT = 1e7
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 32, 32, 52
# The line with the axis name and the legend, clear of the topmost tick even in the large letters of
# a narrow page; and the space between the legend's entries.
_NAME, _APART = 14, 14


@dataclass(frozen=True)
class Axis:
    """A range of values and the ticks on it; with `names` the ticks are at 0, 1, 2, ..."""

    label: str
    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool = False
    names: tuple[str, ...] = ()

    @classmethod
    def named(cls, label: str, names: Sequence[str]) -> Axis:
        """A position for each name; as many names are written as fit."""
        longest = min(max(map(len, names), default=0), 10)
        stride = math.ceil(len(names) * max(longest, 4) / _LETTERS)
        ticks = tuple(float(place) for place in range(0, len(names), stride))
        return cls(label, -0.5, len(names) - 0.5, ticks, names=tuple(names))

    @classmethod
    def counted(cls, label: str, first: int, last: int, most: int = 5) -> Axis:
        """Whole numbers from `first` to `last`, such as epochs or rows, and at most `most` + 1
        ticks."""
        last = max(last, first + 1)
        step = int(_round_step(max((last - first) / most, 1.0), (1, 2, 5, 10)))
        ticks = tuple(float(each) for each in range(-(-first // step) * step, last + 1, step))
        return cls(label, float(first), float(last), ticks)

    @classmethod
    def of(
        cls, label: str, values: Iterable[float], *, is_log: bool = False, most: int = 5
    ) -> Axis:
        """About `most` round ticks around the finite `values`; powers of ten if logarithmic."""
        found = [float(v) for v in values if math.isfinite(v) and (v > 0 or not is_log)]
        low, high = (min(found), max(found)) if found else (1.0, 10.0)
        if is_log:
            lowest, highest = math.floor(math.log10(low)), math.ceil(math.log10(high))
            highest = max(highest, lowest + 1)
            stride = math.ceil((highest - lowest) / (most + 1))
            ticks = tuple(10.0**power for power in range(lowest, highest + stride, stride))
            return cls(label, ticks[0], ticks[-1], ticks, is_log=True)
        if low == high:
            margin = abs(low) / 2 or 1.0
            low, high = low - margin, high + margin
        step = _round_step((high - low) / most)
        first, last = math.floor(low / step), math.ceil(high / step)
        ticks = tuple(number * step + 0.0 for number in range(first, last + 1))
        return cls(label, ticks[0], ticks[-1], ticks)

    def text(self, tick: float) -> str:
        """The label of a tick, with enough decimals to tell the ticks apart."""
        if self.names:
            return escape(cut(self.names[int(tick)], 10))
        if self.is_log:
            return power_of_ten(round(math.log10(tick)))
        step = self.ticks[1] - self.ticks[0]
        largest = max(abs(self.low), abs(self.high))
        if step <= 1e-4 or largest >= _SHORT:
            digits = min(round(math.log10(largest / step)) + 3, 15)
            return short(tick, digits) if largest >= _SHORT else figure(tick, digits)
        decimals = next(d for d in range(6) if abs(round(step, d) / step - 1) < 1e-6)
        return f"{tick + 0.0:,.{decimals}f}".replace("-", "−")

    def share(self, value: float) -> float:
        """How far along the axis `value` lies, 0 to 1."""
        if self.is_log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.log(max(value, self.low))
        else:
            low, high = self.low, self.high
        return min(max((value - low) / (high - low), 0.0), 1.0)


class Plot:
    """One chart of `width` x `height`, drawn in the order of the calls."""

    def __init__(self, x: Axis, y: Axis, *, width: int = 640, height: int = 300) -> None:
        self.x, self.y = x, y
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(self, xs: Sequence[float], ys: Sequence[float], style: str) -> None:
        """A line through the finite points, interrupted where a value is not finite."""
        pieces: list[str] = []
        pen = "M"
        for x, y in zip(xs, ys, strict=True):
            if not math.isfinite(y):
                pen = "M"
                continue
            pieces.append(f"{pen}{self._x(x):.1f} {self._y(y):.1f}")
            pen = "L"
        self._parts.append(f'<path class="line {style}" d="{"".join(pieces)}"/>')

    def dots(self, xs: Sequence[float], ys: Sequence[float], style: str) -> None:
        """A dot for each point, drawn as a zero-length stroke with round ends, a few bytes each."""
        path = "".join(
            f"M{self._x(x):.1f} {self._y(y):.1f}h0"
            for x, y in zip(xs, ys, strict=True)
            if math.isfinite(x) and math.isfinite(y)
        )
        self._parts.append(f'<path class="dots {style}" d="{path}"/>')

    def bars(self, edges: Sequence[float], heights: Sequence[float], style: str) -> None:
        """A bar from each edge to the next, up from 0."""
        floor = self._y(0.0)
        for start, end, height in zip(edges[:-1], edges[1:], heights, strict=True):
            left, top = self._x(start), self._y(height)
            self._parts.append(
                f'<rect class="bar {style}" x="{left + 0.5:.1f}" y="{top:.1f}" '
                f'width="{max(self._x(end) - left - 1, 0.5):.1f}" height="{floor - top:.1f}"/>'
            )

    def rule(self, start: tuple[float, float], end: tuple[float, float], text: str = "") -> None:
        """A dashed reference line, labeled at its start."""
        (x0, y0), (x1, y1) = ((self._x(x), self._y(y)) for x, y in (start, end))
        text_y = y0 - 6 if y0 > _TOP + 12 else y0 + 15  # clear of the axis's name
        self._parts.append(
            f'<line class="rule" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>'
            f'<text class="note" x="{x0 + 6:.1f}" y="{text_y:.1f}">{escape(text)}</text>'
        )

    def mark(self, x: float, y: float, text: str, style: str) -> None:
        """A point with a ring and a label next to it."""
        at_x, at_y = self._x(x), self._y(y)
        is_right = at_x > self.width * 0.7
        place = f'x="{at_x - 10:.1f}" text-anchor="end"' if is_right else f'x="{at_x + 10:.1f}"'
        self._parts.append(
            f'<circle class="mark {style}" cx="{at_x:.1f}" cy="{at_y:.1f}" r="5"/>'
            f'<text class="note" {place} y="{at_y - 10:.1f}">{escape(text)}</text>'
        )

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """The names of the lines by style, at the top right."""
        # One text element, so the browser places the parts side by side at any letter size.
        names = "".join(
            f'<tspan class="key {style}" dx="{_APART if place else 0}">━━</tspan>'
            f'<tspan dx="4">{escape(name)}</tspan>'
            for place, (name, style) in enumerate(entries)
        )
        self._parts.append(
            f'<text class="tick" x="{self.width - _RIGHT}" y="{_NAME}" text-anchor="end">{names}'
            "</text>"
        )

    def svg(self, title: str, description: str) -> str:
        """The chart, with its title and description for screen readers."""
        return document(
            self.width, self.height, title, description, "".join([*self._axes(), *self._parts])
        )

    def _x(self, value: float) -> float:
        return _LEFT + self.x.share(value) * (self.width - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        return self.height - _BOTTOM - self.y.share(value) * (self.height - _TOP - _BOTTOM)

    def _axes(self) -> Iterable[str]:
        bottom, right = self.height - _BOTTOM, self.width - _RIGHT
        for tick in self.y.ticks:
            y = self._y(tick)
            yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
            yield (
                f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
                f"{self.y.text(tick)}</text>"
            )
        for tick in self.x.ticks:
            x = self._x(tick)
            yield f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}"/>'
            yield (
                f'<text class="tick" x="{x:.1f}" y="{bottom + 22}" text-anchor="middle">'
                f"{self.x.text(tick)}</text>"
            )
        yield f'<line class="axis" x1="{_LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>'
        yield (
            f'<text class="label" x="{(_LEFT + right) / 2:.0f}" y="{self.height - 6}" '
            f'text-anchor="middle">{escape(self.x.label)}</text>'
        )
        yield f'<text class="label" x="0" y="{_NAME}">{escape(self.y.label)}</text>'


def document(width: float, height: float, title: str, description: str, body: str) -> str:
    """An SVG element with `body` in it."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"<desc>{escape(description)}</desc>{body}</svg>"
    )


def _round_step(step: float, factors: Sequence[float] = (1, 2, 2.5, 5, 10)) -> float:
    """The smallest of the factors times a power of ten that is at least `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in factors if power * factor >= step * 0.999)
