"""A walk through backpropagation for a terminal: `retrograd explain`."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from retrograd.kinds.table.walk_record import WalkedLayer, Walkthrough, Weight
from retrograd.report.pages.walkthrough import largest_changes
from retrograd.report.words import walk as words
from retrograd.report.words.figures import cut, figure, percent, shape

__all__ = ["walkthrough_text"]

_BAR = 16
_NAME = 32


def walkthrough_text(walk: Walkthrough, *, source: str) -> Group:
    """The walkthrough for a rich console; `source` says where the row is from."""
    parts: list[RenderableType] = [
        Text(f"Row {walk.row} of {source}", "bold"),
        Text(", ".join(f"{name} {cell}" for name, cell in walk.cells.items()), "dim"),
        Text(words.verdict(walk)),
        *(Text(note, "dim") for note in walk.notes),
        _heading("1. Forward: the row goes in, a prediction comes out"),
        _forward(walk),
        _heading("2. Error: how far off it is, as one number"),
        Text(words.error_sentence(walk)),
        Text(words.error_formula(walk), "bold"),
        _heading("3. Backward: what caused the error, and by how much"),
        _cotangents(walk),
        Text(""),
        _gradients(walk),
        _heading("4. Update: every weight takes one step downhill"),
        Text(words.rate_sentence(walk)),
        _changes(walk),
        Text(""),
        _sizes(walk),
        _heading("5. Repeat: more steps, until the prediction fits"),
        _guesses(walk),
        Text(words.outcome_sentence(walk)),
    ]
    return Group(*parts)


def _heading(text: str) -> Text:
    return Text(f"\n{text}", "bold cyan")


def _table(*columns: tuple[str, bool]) -> Table:
    """A plain table; each column is (title, whether it holds numbers)."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for place, (title, is_number) in enumerate(columns):
        # In a narrow terminal the descriptions wrap, not the names on the left or the numbers.
        table.add_column(
            title, justify="right" if is_number else "left", no_wrap=is_number or place == 0
        )
    return table


def _row(table: Table, *cells: str) -> None:
    # Text, so that square brackets in a column's name are not parsed as styles.
    table.add_row(*(Text(cell) for cell in cells))


def _forward(walk: Walkthrough) -> Table:
    table = _table(
        ("layer", False), ("kind", False), ("shape", True), ("norm", True), ("mean", True),
        ("lowest", True), ("highest", True),
    )  # fmt: skip
    for layer in walk.layers:
        out = layer.output
        numbers = (figure(value) for value in (out.norm, out.mean, out.low, out.high))
        _row(table, layer.name, layer.kind, shape(out.shape[1:]), *numbers)
    return table


def _cotangents(walk: Walkthrough) -> Table:
    table = _table(
        ("layer", False), ("cotangent", True), ("", False), ("largest at", False), ("there", True)
    )
    largest = max((layer.cotangent.norm for layer in walk.layers if layer.cotangent), default=0.0)
    for layer in reversed(walk.layers):
        _row(table, layer.name, *_blame(layer, largest))
    return table


def _blame(layer: WalkedLayer, largest: float) -> tuple[str, str, str, str]:
    if layer.cotangent is None or not layer.elements:
        return "none", "", "", ""
    first = layer.elements[0]
    bar = "━" * max(1, round(_BAR * layer.cotangent.norm / largest))
    return figure(layer.cotangent.norm), bar, cut(first.name, _NAME), figure(first.cotangent or 0.0)


def _gradients(walk: Walkthrough) -> Table:
    table = _table(
        ("weight", False), ("shape", True), ("gradient", True), ("largest at", False),
        ("there", True),
    )  # fmt: skip
    for weight in reversed(walk.weights):
        _row(table, weight.name, shape(weight.shape), figure(weight.gradient_norm), *_top(weight))
    return table


def _top(weight: Weight) -> tuple[str, str]:
    if not weight.largest:
        return "", ""
    first = weight.largest[0]
    return cut(first.name, _NAME), figure(first.gradient)


def _changes(walk: Walkthrough) -> Table:
    table = _table(
        ("weight", False), ("which", False), ("before", True), ("gradient", True), ("after", True)
    )
    for name, change in largest_changes(walk):
        numbers = figure(change.before, 6), figure(change.gradient), figure(change.after, 6)
        _row(table, name, cut(change.name, _NAME), *numbers)
    return table


def _sizes(walk: Walkthrough) -> Table:
    table = _table(("weight", False), ("norm", True), ("change", True), ("change / weight", True))
    for weight in walk.weights:
        numbers = figure(weight.norm), figure(weight.change_norm), percent(weight.ratio)
        _row(table, weight.name, *numbers)
    return table


def _guesses(walk: Walkthrough) -> Table:
    is_class = bool(walk.probabilities)
    truth = [(f"probability of {cut(words.truth_text(walk), 20)}", True)] if is_class else []
    table = _table(("step", True), ("prediction", True), *truth, ("loss", True))
    for step, guess in words.shown_guesses(walk):
        sure = [percent(guess.confidence)] if guess.confidence is not None else []
        _row(table, str(step), cut(words.answered(guess)), *sure, figure(guess.loss))
    return table
