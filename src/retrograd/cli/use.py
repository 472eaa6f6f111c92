"""`retrograd evaluate`, `predict`, `explain` and `report`: what a trained run is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import narwhals as nw
import typer
from rich.console import Console
from rich.markup import escape

from retrograd.cli.given import given, name_of
from retrograd.cli.show import show_notes, show_scores
from retrograd.data import write_table
from retrograd.report import walkthrough_text, write_walkthrough
from retrograd.runs import load

__all__ = ["evaluate", "explain", "predict", "report"]

Run = Annotated[Path, typer.Argument(help="A run folder that `retrograd train` made.")]
Data = Annotated[
    Path,
    typer.Argument(help="Data of the form that the run learned from; - for a table piped in."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def evaluate(run: Run, data: Data, as_json: AsJson = False) -> None:
    """Measure a trained run on a table that has the target.

    [bold]Example:[/] retrograd evaluate runs/houses-1 new_houses.csv
    """
    notes: list[str] = []
    scores = load(run).evaluate(given(data), notes)
    if as_json:
        print(json.dumps(scores.to_json()))
        return
    console = Console()
    show_notes(console, notes)
    show_scores(console, f"of {escape(name_of(data))}", scores)


def predict(
    run: Run,
    data: Data,
    out: Annotated[
        Path | None, typer.Option(help="A .csv, .tsv or .parquet to write; else CSV is printed.")
    ] = None,
) -> None:
    """Write the rows of a table, in their order, with the prediction beside them.

    The column `prediction` comes last, after `probability_CLASS` for each class.

    [bold]Example:[/] retrograd predict runs/houses-1 new_houses.csv --out predictions.csv
    """
    notes: list[str] = []
    predicted = nw.from_native(load(run).predict_table(given(data), notes), eager_only=True)
    show_notes(Console(stderr=True), notes)
    if out is None:
        typer.echo(predicted.write_csv(), nl=False)
        return
    write_table(predicted, out)
    Console(stderr=True, soft_wrap=True).print(
        f"{len(predicted):,} predictions in {escape(str(out))}", highlight=False
    )


def report(run: Run) -> None:
    """Write the report of a run anew, as one page that any browser opens, and say where it is.

    It measures which inputs the predictions rest on more thoroughly than training does at its end.
    Of a run that has kept no weights it shows what was recorded.

    [bold]Example:[/] retrograd report runs/houses-1
    """
    notes: list[str] = []
    page = load(run).report(notes=notes)
    show_notes(Console(stderr=True, soft_wrap=True), notes)
    Console(soft_wrap=True).print(escape(str(page)), highlight=False)


def explain(
    run: Run,
    data: Data,
    row: Annotated[int, typer.Option(help="Which row, counted from 1 below the header.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="The page to write; by default RUN/explain-row-N.html.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk one row through the five steps: forward, error, backward, update, repeated.

    The run itself is left as it is: the steps are taken on a copy of its weights.

    [bold]Example:[/] retrograd explain runs/houses-1 houses.csv --row 3
    """
    walk = load(run).explain(given(data), row)
    page = out or run / f"explain-row-{row}.html"
    write_walkthrough(page, walk, source=name_of(data))
    if as_json:
        print(json.dumps({**walk.to_json(), "page": str(page)}))
        return
    console = Console(soft_wrap=True)
    console.print(walkthrough_text(walk, source=name_of(data)))
    console.print(f"\nThe same with pictures: {escape(str(page))}", highlight=False)
