"""`retrograd demo`: the real house prices that ship with the project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from retrograd.cli.told import conclude, told
from retrograd.datasets import sacramento_homes
from retrograd.runs import train

__all__ = ["demo"]


def demo(
    out: Annotated[
        Path | None, typer.Option(help="The run folder to make; by default runs/NAME-1, -2, ...")
    ] = None,
) -> None:
    """Train on 932 real house sales and show what was learned.

    [bold]Example:[/] retrograd demo
    """
    console = Console()
    data = sacramento_homes()
    console.print(
        "932 house sales in and around Sacramento: the price from size, bedrooms, baths, type and "
        "location. A fifth of the rows is kept aside to measure on.\n"
    )
    run = train(data, "price", test=0.2, out=out, callbacks=told(console, as_json=False))
    conclude(run, console, as_json=False)
    console.print(
        f"\nNext: retrograd explain {run.path} {data} --row 3", soft_wrap=True, highlight=False
    )
