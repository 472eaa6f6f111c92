"""The charts of a run's report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.report.charts.axes import Axis, Plot
from retrograd.report.words.figures import figure
from retrograd.training.history import Epoch
from retrograd.training.metrics import METRICS
from retrograd.wording import count

__all__ = ["NARROW", "WIDE", "answers_against_truth", "errors", "learning_curve", "metric_curves"]

Array = np.ndarray[Any, Any]

# The sizes of the learning curve, across a page and on a phone: (width, height).
WIDE, NARROW = (1008, 320), (480, 300)
# This many dots fill the chart and keep the page small.
_MOST_DOTS = 3000
_MOST_EPOCHS = 1000
# Losses that span more than this factor get a logarithmic scale.
_WIDE = 20.0


def learning_curve(
    epochs: Sequence[Epoch], kept: int | None = None, size: tuple[int, int] = WIDE
) -> str:
    """Training and validation loss by epoch, with the `kept` or best epoch marked; "" if empty."""
    if not epochs:
        return ""
    best = min(epochs, key=lambda epoch: epoch.validation_loss)
    marked = next((each for each in epochs if each.epoch == kept), best)
    step = -(-len(epochs) // _MOST_EPOCHS)
    drawn = [
        each
        for place, each in enumerate(epochs)
        if place % step == 0 or each is best or each is marked
    ]
    numbers = [epoch.epoch for epoch in drawn]
    train = [epoch.train_loss for epoch in drawn]
    valid = [epoch.validation_loss for epoch in drawn]
    losses = [*train, *valid]
    is_log = min(losses) > 0 and max(losses) > _WIDE * min(losses)
    plot = Plot(
        Axis.counted("epoch", numbers[0], numbers[-1]),
        Axis.of("loss (logarithmic)" if is_log else "loss", losses, is_log=is_log),
        width=size[0],
        height=size[1],
    )
    plot.line(numbers, train, "faint")
    plot.line(numbers, valid, "fwd")
    text = f"epoch {marked.epoch}: {figure(marked.validation_loss)}"
    plot.mark(marked.epoch, marked.validation_loss, text, "")
    return plot.svg(
        "Loss by epoch",
        f"The validation loss falls from {figure(valid[0])} to {figure(best.validation_loss)} in "
        f"epoch {best.epoch}; the training loss goes from {figure(train[0])} to "
        f"{figure(train[-1])}.",
    )


def metric_curves(epochs: Sequence[Mapping[str, Any]]) -> list[str]:
    """One chart per recorded metric, by epoch: a dot where it was measured.

    Errors are in standard deviations of the target, as in training, not in its units.
    """
    charts = []
    for key in dict.fromkeys(key for epoch in epochs for key in epoch.get("scores") or {}):
        scored = [e for e in epochs if math.isfinite((e.get("scores") or {}).get(key, math.nan))]
        if len(scored) < 2:
            continue
        numbers = [epoch["epoch"] for epoch in scored]
        values = [epoch["scores"][key] for epoch in scored]
        name, label = key, key
        if key in METRICS:
            name = label = METRICS[key].name
            if METRICS[key].unit == "target":
                label = f"{name}, in standard deviations of the target"
        first, last = epochs[0]["epoch"], epochs[-1]["epoch"]
        x = Axis.counted("epoch (a dot where it was measured)", first, last)
        plot = Plot(x, Axis.of(label, values), width=480, height=250)
        plot.line(numbers, values, "fwd")
        plot.dots(numbers, values, "measured")
        charts.append(
            plot.svg(
                f"{label}, by epoch",
                f"From {figure(values[0])} to {figure(values[-1])}, in epoch {numbers[-1]} of "
                f"{last}.",
            )
        )
    return charts


def answers_against_truth(target: str, truth: Array, answers: Array) -> str:
    """A dot for each row; on the dashed line the prediction equals the truth."""
    if len(truth) > _MOST_DOTS:
        chosen = np.linspace(0, len(truth) - 1, _MOST_DOTS).astype(int)
        truth, answers = truth[chosen], answers[chosen]
    ends = [*truth.tolist(), *answers.tolist()]
    x, y = Axis.of(f"{target}: truth", ends, most=4), Axis.of(f"{target}: prediction", ends)
    plot = Plot(x, y, width=480, height=400)
    plot.rule((x.low, x.low), (x.high, x.high))
    plot.dots(truth.tolist(), answers.tolist(), "")
    return plot.svg(
        "Predictions against the truth",
        f"{count(len(truth), 'row')}; the closer to the line, the better.",
    )


def errors(target: str, off: Array) -> str:
    """A histogram of the errors, with the outermost 1 % collected at the ends."""
    low, high = np.quantile(off, [0.005, 0.995])
    axis = Axis.of(f"{target}: prediction − truth", [min(low, 0.0), max(high, 0.0)], most=4)
    heights, edges = np.histogram(np.clip(off, axis.low, axis.high), 24, (axis.low, axis.high))
    plot = Plot(axis, Axis.counted("rows", 0, int(heights.max())), width=480, height=400)
    plot.bars(edges.tolist(), heights.tolist(), "")
    plot.rule((0, 0), (0, plot.y.high))
    return plot.svg(
        "Errors", f"Half of the rows are off by less than {figure(float(np.median(np.abs(off))))}."
    )
