"""The picture of a walkthrough: values flow forward through the layers, the error flows back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import pairwise

from retrograd.kinds.table.walk_record import Element, WalkedLayer, Walkthrough
from retrograd.report.charts.axes import document
from retrograd.report.words.figures import cut, figure, shape

__all__ = ["flow_picture"]

_COLUMN, _CELL, _CELL_WIDTH = 140, 17, 26
_RIBBON_TOP, _CELLS_TOP = 52, 134
_ROWS = 12
_THINNEST, _THICKEST = 4.0, 40.0


def flow_picture(walk: Walkthrough) -> str:
    """A column of cells for each layer; above them the forward ribbon, below the backward one.

    The row's features, which enter the first layer side by side, share the first column.
    """
    columns = _columns(walk.layers)
    width = _COLUMN * (len(columns) + 1)
    back_y = _CELLS_TOP + _ROWS * _CELL + 74
    values = [_rms(column) for column in columns]
    errors = [_cotangent(column) for column in columns]
    centers = [_COLUMN * (place + 0.5) for place in range(len(columns) + 1)]
    loss_x = centers[-1]
    body = [
        _caption(8, 16, "fwd", "Forward →", "thickness: root mean square of the output"),
        _ribbon(centers, [*values, values[-1]], _RIBBON_TOP, "fwd"),
        f'<path class="head fwd" d="M{loss_x + 22:.0f} {_RIBBON_TOP}l-22 -26v52z"/>',
        *(_column(column, x) for column, x in zip(columns, centers, strict=False)),
        _loss(loss_x, walk.loss),
        _ribbon(centers, [*errors, errors[-1]], back_y, "bwd"),
        f'<path class="head bwd" d="M0 {back_y}l22 -26v52z"/>',
        _caption(8, back_y + 62, "bwd", "← Backward", "thickness: norm of ∂ loss / ∂ output"),
    ]
    for x, value, error in zip(centers, values, errors, strict=False):
        body += [
            _number(x, _RIBBON_TOP + 36, figure(value, 3)),
            _number(x, back_y + 40, figure(error, 3)),
        ]
    description = "; ".join(
        f"{_name(column)}: output {figure(value, 3)}, cotangent {figure(error, 3)}"
        for column, value, error in zip(columns, values, errors, strict=True)
    )
    return document(
        width,
        back_y + 72,
        "The layers, their values and the error flowing back",
        description,
        "".join(body),
    )


def _columns(layers: Sequence[WalkedLayer]) -> list[list[WalkedLayer]]:
    inputs = [layer for layer in layers if layer.is_input]
    return [inputs, *([layer] for layer in layers if not layer.is_input)]


def _name(column: Sequence[WalkedLayer]) -> str:
    return "features" if column[0].is_input else column[0].name


def _rms(column: Sequence[WalkedLayer]) -> float:
    size = sum(math.prod(layer.output.shape) for layer in column)
    return math.hypot(*(layer.output.norm for layer in column)) / math.sqrt(size)


def _cotangent(column: Sequence[WalkedLayer]) -> float:
    return math.hypot(*(layer.cotangent.norm for layer in column if layer.cotangent is not None))


def _column(column: Sequence[WalkedLayer], x: float) -> str:
    """The layers' cells, one under the other: the value, and beside it the cotangent."""
    parts = [
        f'<text class="label" x="{x:.0f}" y="{_CELLS_TOP - 16}" text-anchor="middle">'
        f"{escape(cut(_name(column), 20))}</text>"
    ]
    are_many = len(column) > 1
    each = max(1, _ROWS // len(column) - are_many)
    y = float(_CELLS_TOP)
    for layer in column:
        if are_many:
            parts.append(
                f'<text class="tick" x="{x:.0f}" y="{y + 10:.0f}" text-anchor="middle">'
                f"{escape(cut(layer.name, 20))}</text>"
            )
            y += _CELL
        elements = layer.elements[:each]
        value_of = _shade(element.value for element in elements)
        blame_of = _shade(element.cotangent or 0.0 for element in elements)
        for element in elements:
            parts.append(_cell(element, x, y, value_of, blame_of))
            y += _CELL
    bottom = _CELLS_TOP + _ROWS * _CELL + 14
    total = sum(math.prod(layer.output.shape) for layer in column)
    what = ["side by side", str(total)]
    if not are_many:
        what = [column[0].kind, shape(column[0].output.shape[1:])]
    for line, text in enumerate(what):
        parts.append(
            f'<text class="tick" x="{x:.0f}" y="{bottom + 15 * line}" text-anchor="middle">'
            f"{escape(cut(text, 20))}</text>"
        )
    return "".join(parts)


def _cell(
    element: Element,
    x: float,
    y: float,
    value_of: Callable[[float], float],
    blame_of: Callable[[float], float],
) -> str:
    blame = element.cotangent
    text = f"{element.name}: {figure(element.value)}"
    right = '<rect class="cell none"'
    if blame is not None:
        text += f", cotangent {figure(blame)}"
        right = f'<rect class="cell error" fill-opacity="{blame_of(blame):.2f}"'
    sign = "negative" if element.value < 0 else "positive"
    box = f'y="{y:.0f}" width="{_CELL_WIDTH}" height="{_CELL - 3}" rx="2"/>'
    return (
        f"<g><title>{escape(text)}</title>"
        f'<rect class="cell {sign}" fill-opacity="{value_of(element.value):.2f}" '
        f'x="{x - _CELL_WIDTH - 1:.0f}" {box}{right} x="{x + 1:.0f}" {box}</g>'
    )


def _shade(values: Iterable[float]) -> Callable[[float], float]:
    """A function from a value to its opacity: the largest value of the column is the strongest."""
    largest = max((abs(value) for value in values), default=0.0) or 1.0
    return lambda value: 0.08 + 0.92 * min(abs(value) / largest, 1.0)


def _loss(x: float, loss: float) -> str:
    middle = _CELLS_TOP + _ROWS * _CELL / 2
    return (
        f'<text class="label" x="{x:.0f}" y="{_CELLS_TOP - 16}" text-anchor="middle">loss</text>'
        f'<circle class="loss" cx="{x:.0f}" cy="{middle:.0f}" r="40"/>'
        f'<text class="figure" x="{x:.0f}" y="{middle + 5:.0f}" text-anchor="middle">'
        f"{figure(loss, 3)}</text>"
    )


def _ribbon(xs: Sequence[float], sizes: Sequence[float], y: float, style: str) -> str:
    """A band whose thickness at each x shows the size there, on a logarithmic scale."""
    positive = [size for size in sizes if size > 0 and math.isfinite(size)]
    low, high = (math.log(min(positive)), math.log(max(positive))) if positive else (0.0, 0.0)

    def half(size: float) -> float:
        if size <= 0 or not math.isfinite(size):
            return 0.5
        # At least two powers of ten from thinnest to thickest, so small differences look small.
        share = 1 - (high - math.log(size)) / max(high - low, math.log(100))
        return (_THINNEST + share * (_THICKEST - _THINNEST)) / 2

    points = list(zip(xs, (half(size) for size in sizes), strict=True))
    points = [(22.0, points[0][1]), *points]  # leaves room for an arrowhead on the left
    there = f"M{points[0][0]:.0f} {y - points[0][1]:.1f}" + _curve(points, y, -1)
    back = f"L{points[-1][0]:.0f} {y + points[-1][1]:.1f}" + _curve(points[::-1], y, 1)
    return f'<path class="ribbon {style}" d="{there}{back}Z"/>'


def _curve(points: Sequence[tuple[float, float]], y: float, side: int) -> str:
    pieces = []
    for (x0, h0), (x1, h1) in pairwise(points):
        middle = (x0 + x1) / 2
        pieces.append(
            f"C{middle:.0f} {y + side * h0:.1f} {middle:.0f} {y + side * h1:.1f} "
            f"{x1:.0f} {y + side * h1:.1f}"
        )
    return "".join(pieces)


def _caption(x: float, y: float, style: str, head: str, rest: str) -> str:
    return (
        f'<text class="caption" x="{x}" y="{y}"><tspan class="{style}">{head}</tspan>'
        f'<tspan dx="10">{rest}</tspan></text>'
    )


def _number(x: float, y: float, text: str) -> str:
    return f'<text class="tick" x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{text}</text>'
