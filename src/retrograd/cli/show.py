"""Tables for the terminal: the columns of a table, and scores beside the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from retrograd.cli.diagnose import COLORS
from retrograd.cli.speech import say
from retrograd.data import SchemaRow
from retrograd.diagnosis.finding import Finding
from retrograd.training.metrics import METRICS
from retrograd.training.scores import Scores
from retrograd.wording import count

__all__ = ["number", "show_columns", "show_findings", "show_scores"]


def show_columns(console: Console, columns: Sequence[SchemaRow]) -> None:
    """Each column with its kind and the reason."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("column", "read as", "because", "missing"):
        table.add_column(heading, justify="right" if heading == "missing" else "left")
    for row in columns:
        missing = f"{row.missing:.1%}" if row.missing else ""
        table.add_row(escape(row.column), row.kind, escape(row.reason), missing)
    console.print(table)
    console.print()


def show_scores(console: Console, which: str, scores: Scores) -> None:
    """The figures on the rows `which`, as in "of houses.csv", beside those of the baseline."""
    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        title=escape(f"On the {count(scores.rows, 'row')} {which}"),
        title_justify="left",
        title_style="",
    )
    table.add_column("figure")
    table.add_column("this network", justify="right")
    table.add_column("baseline", justify="right")
    for key, value in scores.metrics.items():
        table.add_row(METRICS[key].long_name, number(value), number(scores.baseline[key]))
    console.print(table)


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """What is wrong, a line each, the likeliest cause first; notes are left to `diagnose`."""
    for each in findings:
        if each.severity != "note":
            color = COLORS[each.severity]
            text = f"{each.code} {each.name}. {each.evidence.text}"
            say(console, text, f"[{color}]{each.severity}:[/] ")


def number(value: float) -> str:
    """Four significant digits, without an exponent where people write none."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
