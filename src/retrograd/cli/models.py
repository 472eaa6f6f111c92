"""`retrograd models`: the architectures that `--model` takes."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from retrograd.cli.options import AsJson
from retrograd.cli.speech import print_json

__all__ = ["models"]


def models(as_json: AsJson = False) -> None:
    """List the architectures by the kind of data that they are for.

    Left to itself, `retrograd train` picks one and says why; --model NAME asks for another.

    [bold]Example:[/] retrograd train photos --model resnet
    """
    from retrograd.kinds.registry import KINDS

    known = [(kind.name, each) for kind in KINDS.values() for each in kind.architectures]
    if as_json:
        found = [{"name": a.name, "kind": kind, "summary": a.summary} for kind, a in known]
        print_json({"models": found})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("for", "--model", "what it is"):
        table.add_column(heading)
    for kind, each in known:
        table.add_row(escape(kind), escape(each.name), escape(each.summary))
    Console().print(table)
