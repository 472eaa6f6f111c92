"""Findings for the page: in words, with a chart of their evidence from the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.report.charts.axes import Axis, Plot
from retrograd.report.charts.record_curves import NOISE, NOISE_UNIT, curve_chart
from retrograd.report.words.figures import figure

__all__ = ["FindingView", "finding_views"]

Array = np.ndarray[Any, Any]

# As many curves as there are styles, for the worst layers.
_STYLES = ("bwd", "fwd", "upd")


@dataclass(frozen=True)
class FindingView:
    """A finding and a chart of its evidence, "" if there is none.

    `shown_by` is the finding further up whose chart is the same, "" if there is none.
    """

    finding: Finding
    chart: str
    shown_by: str = ""


def finding_views(findings: Sequence[Finding], record: Record | None) -> list[FindingView]:
    """The findings in their order; a chart that several have is drawn with the first."""
    views, first = [], dict[str, str]()
    for each in findings:
        chart = _chart(each, record)
        shown_by = first.setdefault(chart, each.code) if chart else each.code
        is_new = shown_by == each.code
        views.append(FindingView(each, chart if is_new else "", "" if is_new else shown_by))
    return views


def _chart(finding: Finding, record: Record | None) -> str:
    draw = _CHARTS.get(finding.code)
    if draw is None or record is None or not len(record.steps):
        return ""
    return draw(finding, record)


def _gradients(finding: Finding, record: Record) -> str:
    """The norm of the gradient by layer, in the steps of the finding."""
    layers: dict[str, list[Array]] = {}
    within = _within(finding, record)
    order = [layer.name for layer in record.layers if layer.parameters]
    owners = {name: layer.name for layer in record.layers for name in layer.parameters}
    for name in record.subjects("gradient_norm"):
        values = record.series("gradient_norm", name)[within]
        layers.setdefault(owners.get(name, name), []).append(values)
    names = [name for name in order if name in layers] + [n for n in layers if n not in order]
    norms = [_typical(np.sqrt(np.sum(np.square(layers[name]), axis=0))) for name in names]
    drawn = [(n, v) for n, v in zip(names, norms, strict=True) if np.isfinite(v) and v > 0]
    if len(drawn) < 2:
        return ""
    labels, ys = [n for n, _ in drawn], [v for _, v in drawn]
    plot = Plot(
        Axis.named("from the input to the output →", labels),
        Axis.of("norm of the gradient (logarithmic)", ys, is_log=True),
        width=480,
        height=250,
    )
    plot.line(range(len(ys)), ys, "bwd")
    plot.dots(range(len(ys)), ys, "bwd")
    description = ", ".join(f"{name} {figure(value, 2)}" for name, value in drawn)
    return plot.svg("Norm of the gradient by layer", f"{description}.")


def _curves(series: str, title: str) -> Callable[[Finding, Record], str]:
    """A series over the steps, for the layers that the finding names."""

    def draw(finding: Finding, record: Record) -> str:
        known = record.subjects(series)
        owners = {each.name: each.layer for each in record.parameters}
        named = set(finding.evidence.layers)
        chosen = [n for n in known if n in named] or [n for n in known if owners.get(n) in named]
        curves = [
            (name, record.series(series, name), style)
            for name, style in zip(chosen or known, _STYLES, strict=False)
        ]
        return curve_chart(title, title.lower(), record.steps, curves)

    return draw


def _steps(*series: tuple[str, str, str]) -> Callable[[Finding, Record], str]:
    """Series of the steps themselves, each (name, series, style)."""

    def draw(finding: Finding, record: Record) -> str:
        curves = [(name, record.series(key), style) for name, key, style in series]
        return curve_chart(series[0][0].capitalize(), series[0][0], record.steps, curves)

    return draw


def _epochs(finding: Finding, record: Record) -> str:
    """Both losses over the epochs."""
    epochs = record.epochs
    if len(epochs) < 2:
        return ""
    numbers = [epoch["epoch"] for epoch in epochs]
    train, valid = (
        [epoch.get(key) for epoch in epochs] for key in ("train_loss", "validation_loss")
    )
    losses = [np.array([np.nan if v is None else v for v in each]) for each in (train, valid)]
    finite = np.concatenate(losses)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return ""
    is_log = bool(finite.min() > 0 and finite.max() > 20 * finite.min())
    plot = Plot(
        Axis.counted("epoch", numbers[0], numbers[-1]),
        Axis.of("loss (logarithmic)" if is_log else "loss", finite.tolist(), is_log=is_log),
        width=480,
        height=250,
    )
    for values, style in zip(losses, ("faint", "fwd"), strict=True):
        plot.line(numbers, values.tolist(), style)
    plot.legend([("training", "faint"), ("validation", "fwd")])
    last = [figure(float(values[-1]), 3) for values in losses]
    return plot.svg("Loss by epoch", f"At the end {last[0]} in training, {last[1]} in validation.")


def _noise(finding: Finding, record: Record) -> str:
    curves = [
        ("noise", record.noise_scale(), "bwd"),
        ("batch", record.series("batch_size"), "faint"),
    ]
    return curve_chart(NOISE, NOISE_UNIT, record.steps, curves)


def _within(finding: Finding, record: Record) -> Array:
    steps = record.steps
    first, last = finding.evidence.steps or (steps[0], steps[-1])
    chosen = (steps >= first) & (steps <= last)
    return chosen if chosen.any() else np.ones(len(steps), bool)


def _typical(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


_LOSS = _steps(("loss", "loss", "fwd"))
_RATIO = _curves("update_ratio", "Update / weight")
_CLIPPING = _steps(("gradient norm", "gradient_norm", "bwd"), ("used", "clipped_norm", "faint"))

_CHARTS: Mapping[str, Callable[[Finding, Record], str]] = {
    "RG101": _gradients,
    "RG102": _gradients,
    "RG103": _curves("dead", "Share of dead units"),
    "RG104": _curves("saturated", "Share of saturated units"),
    "RG107": _gradients,
    "RG108": _gradients,
    "RG204": _RATIO,
    "RG205": _RATIO,
    "RG209": _noise,
    "RG210": _noise,
    "RG211": _CLIPPING,
    "RG603": _CLIPPING,
    **dict.fromkeys(("RG201", "RG202", "RG203", "RG206", "RG207", "RG208", "RG602"), _LOSS),
    **dict.fromkeys(("RG216", "RG501", "RG502", "RG503", "RG504", "RG505", "RG506"), _epochs),
}
