"""`retrograd diagnose`: what is wrong with a run, the likeliest cause first, and what mends it."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from retrograd.cli.session import run_origin
from retrograd.cli.show import COLORS, show_notes
from retrograd.diagnosis.catalogue import check_codes
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.errors import DataError
from retrograd.kinds.registry import prepare
from retrograd.store import RunFolder, kind_in, load_config, load_model
from retrograd.store.findings import recorded_case, trained_case

__all__ = ["diagnose"]


class Format(StrEnum):
    """How findings are printed."""

    text = "text"
    json = "json"


def diagnose(
    run: Annotated[Path, typer.Argument(help="A run folder that `retrograd train` made.")],
    format: Annotated[Format, typer.Option(help="For a person, or one JSON object.")] = Format.text,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="A code to leave out, RG208; more than one may be given."),
    ] = None,
) -> None:
    """Say what is wrong with a run, the likeliest cause first, and what mends it.

    Exits with 0 if there is neither an error nor a warning, else with 1. Codes in the run's option
    `ignore` are left out as well.

    [bold]Example:[/] retrograd diagnose runs/houses-1 --ignore RG208
    """
    folder = RunFolder.open(run)
    muted = check_codes(ignore or (), "--ignore")
    muted |= check_codes(load_config(folder).ignored(), str(folder.path / "config.json"))
    notes: list[str] = []
    findings = examined(_case(folder, notes), muted)
    if format is Format.json:
        print(json.dumps({"findings": [each.to_json() for each in findings], "notes": notes}))
    else:
        _show(Console(soft_wrap=True), findings, notes)
    if any(each.severity != "note" for each in findings):
        raise typer.Exit(1)


def _case(folder: RunFolder, notes: list[str]) -> Case:
    """A run's record, and its model and data if it kept weights and the data is as it was.

    Raises DataError for a run without a record.
    """
    record = Record.open(folder.path)
    if not len(record.steps):
        raise DataError(
            f"{folder.path / 'record'} holds no step: its files were cut short, or training had "
            "just begun. Copy the run folder again as a whole, or train again."
        )
    try:
        run = prepare(kind_in(folder).name, run_origin(folder), load_config(folder))
        return trained_case(record, run, load_model(folder))
    except DataError as error:
        notes.append(f"Only the record is looked at: {error}")
        return recorded_case(record)


def _show(console: Console, findings: list[Finding], notes: list[str]) -> None:
    show_notes(console, notes)
    if not findings:
        console.print("Nothing is wrong with this run that the checks know of.")
    for each in findings:
        color = COLORS[each.severity]
        console.print(
            f"[{color}]{each.severity}[/] [bold]{each.code} {escape(each.name)}[/]", highlight=False
        )
        console.print(f"  {escape(each.evidence.text)}", highlight=False)
        if each.severity != "note":
            console.print(f"  {escape(each.why)}", highlight=False)
            if each.follows_from:
                console.print(f"  It follows from {', '.join(each.follows_from)}.", highlight=False)
                continue
            for remedy in each.remedies:
                console.print(f"  → {escape(remedy.text)}", highlight=False)
