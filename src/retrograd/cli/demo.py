"""`retrograd demo`: the real house prices that ship with the project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from retrograd.cli.options import AsJson, Force
from retrograd.cli.speech import say
from retrograd.datasets import sacramento_homes

__all__ = ["demo"]


def demo(
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The run folder; by default runs/NAME-1, -2, ..."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Train on 932 real house sales and show what was learned.

    [bold]Example:[/] retrograd demo
    """
    console = Console(quiet=as_json)
    say(
        console,
        "932 house sales in and around Sacramento: the price from size, bedrooms, baths, type and "
        "location. A fifth of the rows is kept aside to measure on.\n",
    )
    from retrograd.cli.told import Told
    from retrograd.runs import train

    data, told = sacramento_homes(), Told(console, as_json)
    run = train(data, "price", test=0.2, out=out, force=force, callbacks=told.callbacks())
    told.conclude(run)
    say(console, f"\nNext: retrograd explain {run.path} {data} --row 3")
