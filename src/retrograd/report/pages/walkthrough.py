"""A walkthrough of backpropagation as a page: `retrograd explain`."""

from __future__ import annotations

import os

from retrograd.kinds.table.walk_record import Change, Walkthrough
from retrograd.report.charts.axes import Axis, Plot
from retrograd.report.charts.flow import flow_picture
from retrograd.report.pages.page import write_page
from retrograd.report.words import walk as words
from retrograd.report.words.figures import figure

__all__ = ["largest_changes", "write_walkthrough"]


def write_walkthrough(path: str | os.PathLike[str], walk: Walkthrough, *, source: str) -> None:
    """Write the page; `source` says where the row is from ("houses.csv").

    The page is written atomically. Raises UsageError if it cannot be written.
    """
    write_page(
        path,
        "walkthrough.html.jinja",
        title=f"Row {walk.row} of {source}",
        walk=walk,
        words=words,
        flow=flow_picture(walk),
        loss_chart=_loss_chart(walk),
        answer_chart=_answer_chart(walk),
        changes=largest_changes(walk),
    )


def largest_changes(walk: Walkthrough, most: int = 8) -> list[tuple[str, Change]]:
    """The single weights that the step changes most, each with the name of its tensor."""
    found = [(weight.name, change) for weight in walk.weights for change in weight.largest]
    return sorted(found, key=lambda each: -abs(each[1].gradient))[:most]


def _loss_chart(walk: Walkthrough) -> str:
    losses = [guess.loss for guess in walk.guesses]
    steps = range(len(losses))
    plot = Plot(
        Axis.counted("step", 0, len(steps) - 1),
        Axis.of("loss (logarithmic)", [*losses, walk.tolerance], is_log=True),
        width=480,
        height=260,
    )
    plot.line(steps, losses, "bwd")
    end = plot.x.high
    plot.rule((0, walk.tolerance), (end, walk.tolerance), "fits below this line")
    return plot.svg(
        "Loss by step",
        f"From {figure(losses[0])} to {figure(losses[-1])} in {len(losses) - 1} steps.",
    )


def _answer_chart(walk: Walkthrough) -> str:
    if isinstance(walk.truth, float):
        answers = [float(guess.answer) for guess in walk.guesses]
        truth, what = walk.truth, f"prediction of {walk.target}"
    else:
        answers = [guess.confidence or 0.0 for guess in walk.guesses]
        truth, what = 1.0, f"probability of {walk.truth}"
    steps = range(len(answers))
    plot = Plot(
        Axis.counted("step", 0, len(steps) - 1),
        Axis.of(what, [*answers, truth] if isinstance(walk.truth, float) else [0, 1]),
        width=480,
        height=260,
    )
    plot.line(steps, answers, "fwd")
    plot.rule((0, truth), (plot.x.high, truth), "truth")
    return plot.svg(
        "Prediction by step",
        f"From {figure(answers[0])} to {figure(answers[-1])}; the truth is {figure(truth)}.",
    )
