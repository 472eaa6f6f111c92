"""`retrograd diagnose`: what is wrong with a run, the likeliest cause first, and what mends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from retrograd.cli.options import AsJson, RunPath
from retrograd.cli.speech import announce, print_json, say, say_notes

if TYPE_CHECKING:
    from retrograd.diagnosis.finding import Finding

__all__ = ["COLORS", "diagnose"]

# The color of each severity.
COLORS = {"error": "bold red", "warning": "yellow", "note": "dim"}


def diagnose(
    run: RunPath,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Leave a finding out, RG208; may be given repeatedly."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with a run, the likeliest cause first, and what mends it.

    Exits with 0 if there is neither an error nor a warning, else with 1. Codes in the run's option
    `ignore` are left out as well.

    [bold]Example:[/] retrograd diagnose runs/houses-1 --ignore RG208
    """
    announce(f"Looking at {run}.", as_json)
    from retrograd.diagnosis.catalogue import check_codes
    from retrograd.runs import load

    notes: list[str] = []
    findings = load(run).diagnose(ignore=check_codes(ignore or (), "--ignore"), notes=notes)
    if as_json:
        print_json({"findings": [each.to_json() for each in findings], "notes": notes})
    else:
        _show(Console(), findings, notes)
    if any(each.severity != "note" for each in findings):
        raise typer.Exit(1)


def _show(console: Console, findings: Sequence[Finding], notes: Sequence[str]) -> None:
    say_notes(console, notes)
    if not findings:
        say(console, "Nothing is wrong with this run that the checks know of.")
    for each in findings:
        color = COLORS[each.severity]
        say(console, f"{each.code} {each.name}", f"[{color}]{each.severity}[/] ")
        say(console, f"  {each.evidence.text}")
        if each.severity != "note":
            say(console, f"  {each.why}")
            if each.follows_from:
                say(console, f"  It follows from {', '.join(each.follows_from)}.")
                continue
            for remedy in each.remedies:
                say(console, f"  → {remedy.text}")
