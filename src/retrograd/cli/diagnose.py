"""`retrograd diagnose`: what is wrong with a run, the likeliest cause first, and what mends it."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from retrograd.cli.show import COLORS, show_notes
from retrograd.diagnosis.catalogue import check_codes
from retrograd.diagnosis.finding import Finding
from retrograd.runs import load

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
    notes: list[str] = []
    findings = load(run).diagnose(ignore=check_codes(ignore or (), "--ignore"), notes=notes)
    if format is Format.json:
        print(json.dumps({"findings": [each.to_json() for each in findings], "notes": notes}))
    else:
        _show(Console(soft_wrap=True), findings, notes)
    if any(each.severity != "note" for each in findings):
        raise typer.Exit(1)


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
