"""`retrograd watch`: the report of a run while it trains."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from retrograd.cli.options import AsJson, RunPath, whole
from retrograd.cli.speech import announce, print_json, say

__all__ = ["watch"]


def watch(
    run: RunPath,
    port: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Where to serve; 0 takes any port that is free.",
            parser=whole("--port", 0, 65535),
        ),
    ] = 8765,
    as_json: AsJson = False,
) -> None:
    """Show the report of a run in the browser, and keep it up to date while the run trains.

    The page is served on this machine only, until Ctrl-C; training does not notice.

    [bold]Example:[/] retrograd watch runs/houses-1
    """
    announce(f"Opening {run}.", as_json)
    from retrograd.report.pages.live import LivePage, PageServer
    from retrograd.store import RunFolder

    server = PageServer(LivePage(RunFolder.open(run)), port)
    if as_json:
        print_json({"address": server.address})
    else:
        say(Console(), f"{server.address}  (Ctrl-C ends)")
    try:
        server.serve()
    except KeyboardInterrupt:
        return  # how one stops watching, and no failure
