"""`retrograd generate`: a language model continues a text."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from retrograd.cli.show import show_notes
from retrograd.runs import load

__all__ = ["generate"]


def generate(
    run: Annotated[Path, typer.Argument(help="The run folder of a language model.")],
    prompt: Annotated[str, typer.Option(help="The text to go on from.")],
    length: Annotated[int, typer.Option(help="How many characters to write.")] = 500,
    temperature: Annotated[
        float, typer.Option(help="Below 1 the likelier characters gain, above 1 the others.")
    ] = 1.0,
    top_k: Annotated[
        int | None, typer.Option(help="Draw from so many of the likeliest characters only.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
) -> None:
    """Continue a text, character by character, as it comes.

    [bold]Example:[/] retrograd generate runs/shakespeare-1 --prompt "ROMEO:"
    """
    notes: list[str] = []
    pieces = load(run).generate(
        prompt, length, temperature=temperature, top_k=top_k, seed=seed, notes=notes
    )
    show_notes(Console(stderr=True), notes)
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
