"""`retrograd evaluate`, `predict`, `explain` and `report`: what a trained run is for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from retrograd.cli.options import AsJson, DataPath, Force, RunPath, whole
from retrograd.cli.speech import announce, print_json, say, say_notes

__all__ = ["evaluate", "explain", "predict", "report"]


def evaluate(run: RunPath, data: DataPath, as_json: AsJson = False) -> None:
    """Measure a trained run on data that has the target.

    It says how many of the rows the run was trained on, for on these it only remembers.

    [bold]Example:[/] retrograd evaluate runs/houses-1 new_houses.csv
    """
    announce(f"Reading {data}.", as_json)
    from retrograd.cli.given import given, name_of
    from retrograd.cli.show import show_scores
    from retrograd.runs import load

    notes: list[str] = []
    scores = load(run).evaluate(given(data), notes)
    if as_json:
        print_json({**scores.to_json(), "notes": notes})
        return
    console = Console()
    say_notes(console, notes)
    show_scores(console, f"of {name_of(data)}", scores)


def predict(
    run: RunPath,
    data: DataPath,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .csv, .tsv or .parquet; else CSV is printed."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write the rows of a table, in their order, with the prediction beside them.

    The column `prediction` comes last, after `probability_CLASS` for each class.

    [bold]Example:[/] retrograd predict runs/houses-1 new_houses.csv --out predictions.csv
    """
    announce(f"Reading {data}.", as_json)
    from retrograd.cli.given import given
    from retrograd.data.files import make_folder, refuse_taken
    from retrograd.data.tables.table import refuse_suffix, write_csv, write_table
    from retrograd.runs import load

    if out is not None:
        refuse_suffix(out)
        refuse_taken(out, force)
    notes: list[str] = []
    predicted = load(run).predict_table(given(data), notes)
    if not as_json:
        say_notes(Console(stderr=True), notes)
    if out is not None:
        make_folder(out)
        write_table(predicted, out)
    found = {"rows": predicted.num_rows, "out": out and str(out), "notes": notes}
    if as_json:
        print_json(found if out else {**found, "predictions": predicted.to_pylist()})
    elif out is None:
        sys.stdout.flush()
        write_csv(predicted, sys.stdout.buffer)
        sys.stdout.flush()
    else:
        say(Console(stderr=True), f"{predicted.num_rows:,} predictions in {out}")


def report(run: RunPath, as_json: AsJson = False) -> None:
    """Write the report of a run anew, as one page that any browser opens, and say where it is.

    It measures which inputs the predictions rest on more thoroughly than training does at its end.
    Of a run that has kept no weights it shows what was recorded.

    [bold]Example:[/] retrograd report runs/houses-1
    """
    announce(f"Reading {run} and its data.", as_json)
    from retrograd.runs import load

    notes: list[str] = []
    page = load(run).report(notes=notes)
    if as_json:
        print_json({"report": str(page), "notes": notes})
        return
    say_notes(Console(stderr=True), notes)
    say(Console(), str(page))


def explain(
    run: RunPath,
    data: DataPath,
    row: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Which row, counted from 1 below the header.",
            parser=whole("--row", 1),
        ),
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The page to write; by default RUN/explain-row-N.html."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Walk one row of a table through the five steps: forward, error, backward, update, repeated.

    It works for runs on tables. The run itself is left as it is: the steps are taken on a copy of
    its weights. What each input adds to a prediction is in the run's report.

    [bold]Example:[/] retrograd explain runs/houses-1 houses.csv --row 3
    """
    announce(f"Reading {data}.", as_json)
    from retrograd.cli.given import given, name_of
    from retrograd.data.files import make_folder, refuse_taken
    from retrograd.report import walkthrough_text, write_walkthrough
    from retrograd.runs import load

    if out is not None:
        refuse_taken(out, force)
    walk = load(run).explain(given(data), row)
    page = out or run / f"explain-row-{row}.html"
    make_folder(page)
    write_walkthrough(page, walk, source=name_of(data))
    if as_json:
        print_json({**walk.to_json(), "page": str(page)})
        return
    console = Console(soft_wrap=True)
    console.print(walkthrough_text(walk, source=name_of(data)))
    say(console, f"\nThe same with pictures: {page}")
