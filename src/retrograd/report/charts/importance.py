"""Which inputs the predictions depend on, as bars."""

from __future__ import annotations

from html import escape

import numpy as np

from retrograd.kinds.base.importance import Importance
from retrograd.report.charts.axes import document
from retrograd.report.words.figures import cut, figure

__all__ = ["attribution_chart", "shuffling_chart"]

_MOST_INPUTS = 12
_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 480, 150, 70, 30, 26
# This many letters of a name are shown; their width is for a narrow page, where letters are large.
_LETTERS, _LETTER = 22, 8.8


def attribution_chart(importance: Importance) -> str:
    """A bar for each input: how far it moves the prediction, on average."""
    order = np.argsort(-importance.attribution)[:_MOST_INPUTS]
    return _bars(
        "How far each input moves the prediction",
        f"mean |attribution|, in {importance.unit}",
        [(importance.names[i], float(importance.attribution[i])) for i in order],
        "fwd",
    )


def shuffling_chart(importance: Importance) -> str:
    """A bar for each input: how much the error grows if the value comes from another row."""
    growth = importance.shuffled - importance.intact
    order = [i for i in np.argsort(-growth) if np.isfinite(growth[i])][:_MOST_INPUTS]
    if not order:
        return ""
    return _bars(
        "What it costs to shuffle each input",
        f"increase of the {importance.error}, from {figure(importance.intact, 3)}",
        [(importance.names[i], float(growth[i])) for i in order],
        "bwd",
    )


def _bars(title: str, caption: str, rows: list[tuple[str, float]], style: str) -> str:
    longest = max((value for _, value in rows), default=0.0)
    longest = longest if longest > 0 else 1.0
    names = [cut(name, _LETTERS) for name, _ in rows]
    left = max(_LEFT, round(max(map(len, names), default=0) * _LETTER) + 12)
    room = _WIDTH - left - _RIGHT
    body = [f'<text class="label" x="0" y="13">{escape(caption)}</text>']
    for place, (short, (name, value)) in enumerate(zip(names, rows, strict=True)):
        y = _TOP + place * _ROW
        width = max(value, 0.0) / longest * room
        body.append(
            f"<g><title>{escape(name)}: {figure(value)}</title>"
            f'<text class="note" x="{left - 10}" y="{y + 13}" text-anchor="end">'
            f"{escape(short)}</text>"
            f'<rect class="bar {style}" x="{left}" y="{y}" width="{width:.1f}" height="18"/>'
            f'<text class="tick" x="{left + width + 6:.1f}" y="{y + 13}">{figure(value, 3)}</text>'
            "</g>"
        )
    description = "; ".join(f"{name} {figure(value, 3)}" for name, value in rows)
    return document(_WIDTH, _TOP + len(rows) * _ROW + 4, title, f"{description}.", "".join(body))
