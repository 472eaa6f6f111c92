"""`retrograd evaluate`, `predict`, `explain` and `report`: what a trained run is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import narwhals as nw
import pyarrow as pa
import typer
from rich.console import Console
from rich.markup import escape

from retrograd.artifact import RunFolder, load_table_model
from retrograd.cli.session import measured_rows
from retrograd.cli.show import show_notes, show_scores
from retrograd.data import labelled_rows, read_table, write_table
from retrograd.errors import DataError, about
from retrograd.report import walkthrough_text, write_run_report, write_walkthrough
from retrograd.train.table import TableModel
from retrograd.train.walkthrough import walk_through

__all__ = ["evaluate", "explain", "predict", "report"]

Run = Annotated[Path, typer.Argument(help="A run folder that `retrograd train` made.")]
Data = Annotated[Path, typer.Argument(help="A table with the columns that the run learned from.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def evaluate(run: Run, data: Data, as_json: AsJson = False) -> None:
    """Measure a trained run on a table that has the target.

    [bold]Example:[/] retrograd evaluate runs/houses-1 new_houses.csv
    """
    model = load_table_model(RunFolder.open(run))
    notes: list[str] = []
    with about(data):
        frame, dropped = labelled_rows(read_table(data, notes), model.schema)
        if not len(frame):
            raise DataError(f"No row has a value of the target {model.schema.target.name!r}.")
        scores = model.score(frame)
    if dropped:
        notes.append(f"{dropped:,} rows without a value of the target are left out.")
    if as_json:
        print(json.dumps(scores.to_json()))
        return
    console = Console()
    show_notes(console, notes)
    show_scores(console, {f"rows of {escape(data.name)}": scores})


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
    model = load_table_model(RunFolder.open(run))
    notes: list[str] = []
    with about(data):
        predicted = _with_predictions(read_table(data, notes), model, notes)
    show_notes(Console(stderr=True), notes)
    if out is None:
        typer.echo(predicted.write_csv(), nl=False)
        return
    write_table(predicted, out)
    Console(stderr=True, soft_wrap=True).print(
        f"{len(predicted):,} predictions in {escape(str(out))}", highlight=False
    )


def _with_predictions(
    frame: nw.DataFrame[Any], model: TableModel, notes: list[str]
) -> nw.DataFrame[Any]:
    answers = model.answers(frame, notes)
    classes = model.schema.target.classes
    added: dict[str, Any] = {}
    if classes:
        added = {f"probability_{name}": answers[:, i] for i, name in enumerate(classes)}
        added["prediction"] = [classes[code] for code in answers.argmax(1)]
    else:
        added["prediction"] = answers
    table: pa.Table = frame.to_native()
    taken = [name for name in added if name in table.column_names]
    if taken:
        notes.append(f"The table's own column {taken[0]!r} is replaced by the prediction.")
        table = table.drop_columns(taken)
    for name, values in added.items():
        table = table.append_column(name, pa.array(values))
    return nw.from_native(table, eager_only=True)


def report(run: Run) -> None:
    """Write the report of a run anew, as one page that any browser opens, and say where it is.

    [bold]Example:[/] retrograd report runs/houses-1
    """
    folder = RunFolder.open(run)
    page = write_run_report(folder, load_table_model(folder), measured_rows(folder))
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
    model = load_table_model(RunFolder.open(run))
    with about(data):
        walk = walk_through(model, read_table(data), row)
    page = out or run / f"explain-row-{row}.html"
    write_walkthrough(page, walk, source=data.name)
    if as_json:
        print(json.dumps({**walk.to_json(), "page": str(page)}))
        return
    console = Console(soft_wrap=True)
    console.print(walkthrough_text(walk, source=data.name))
    console.print(f"\nThe same with pictures: {escape(str(page))}", highlight=False)
