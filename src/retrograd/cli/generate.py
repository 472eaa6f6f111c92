"""`retrograd generate`: a language model continues a text."""

from __future__ import annotations

import sys
import unicodedata
from typing import Annotated

import typer
from rich.console import Console

from retrograd.cli.options import AsJson, RunPath, decimal, whole
from retrograd.cli.speech import announce, print_json, say_notes

__all__ = ["generate"]


def generate(
    run: RunPath,
    prompt: Annotated[str, typer.Option(metavar="TEXT", help="The text to go on from.")],
    length: Annotated[
        int,
        typer.Option(metavar="N", help="How many characters.", parser=whole("--length", 1)),
    ] = 500,
    temperature: Annotated[
        float,
        typer.Option(
            metavar="NUMBER",
            help="Below 1 the likelier characters gain, above 1 the others.",
            parser=decimal("--temperature"),
        ),
    ] = 1.0,
    top_k: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Draw only from this many of the likeliest characters.",
            parser=whole("--top-k", 1),
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(metavar="N", help="The same gives the same text.", parser=whole("--seed", 0)),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Continue a text, character by character, as it comes.

    [bold]Example:[/] retrograd generate runs/shakespeare-1 --prompt "ROMEO:"
    """
    announce(f"Loading {run}.", as_json)
    from retrograd.runs import load

    notes: list[str] = []
    pieces = load(run).generate(
        prompt, length, temperature=temperature, top_k=top_k, seed=seed, notes=notes
    )
    if as_json:
        print_json({"prompt": prompt, "text": "".join(pieces), "notes": notes})
        return
    say_notes(Console(stderr=True), notes)
    is_terminal = sys.stdout.isatty()
    sys.stdout.write(prompt)
    for piece in pieces:
        sys.stdout.write(_harmless(piece) if is_terminal else piece)
        sys.stdout.flush()
    sys.stdout.write("\n")


def _harmless(text: str) -> str:
    """`text` without characters by which a corpus could steer the terminal."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(each) == "Cc" and each not in "\n\t"
        else each
        for each in text
    )
