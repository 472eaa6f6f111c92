"""`retrograd watch`: the report of a run while it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from retrograd.report.pages.live import LivePage, PageServer
from retrograd.store import RunFolder

__all__ = ["watch"]


def watch(
    run: Annotated[Path, typer.Argument(help="A run folder that `retrograd train` fills.")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to serve; 0 takes any port that is free.")
    ] = 8765,
) -> None:
    """Show the report of a run in the browser, and keep it up to date while the run trains.

    The page is served on this machine only, until Ctrl-C; training does not notice.

    [bold]Example:[/] retrograd watch runs/houses-1
    """
    server = PageServer(LivePage(RunFolder.open(run)), port)
    Console(soft_wrap=True).print(f"{server.address}  (Ctrl-C ends)", highlight=False)
    try:
        server.serve()
    except KeyboardInterrupt:
        return  # how one stops watching, and no failure
