"""The arguments and options that several commands share, and how all of them are shown and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from retrograd.errors import UsageError

__all__ = [
    "AsJson",
    "DataPath",
    "Force",
    "PlainCommand",
    "RunPath",
    "decimal",
    "whole",
]

RunPath = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder that `retrograd train` made.")
]
DataPath = Annotated[
    Path, typer.Argument(metavar="DATA", help="Data of the form that the run learned from.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, for programs; docs/command.md has its keys.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is at --out already.")]


class PlainCommand(TyperCommand):
    """A command whose help has no Python types: what an option takes is said by its metavar."""

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = list(super().get_params(ctx))
        for each in params:
            if each.metavar is None:  # flags, `--help` among them
                each.metavar = ""
            if each.param_type_name == "argument":  # whose metavar stands in place of its name
                each.display_type_rich = _no_type
        return params


def _no_type(ctx: Any) -> str:
    return ""


def whole(option: str, least: int, most: int | None = None) -> Callable[[Any], int]:
    """A parser of whole numbers for an option, which raises UsageError for anything else."""

    def parse(given: Any) -> int:
        text = str(given)
        is_whole = text.isascii() and text.isdigit()
        if is_whole and least <= int(text) and (most is None or int(text) <= most):
            return int(text)
        bounds = f"of at least {least}" if most is None else f"from {least:,} to {most:,}"
        raise UsageError(f"{option} is {text!r}; expected a whole number {bounds}.")

    return parse


def decimal(option: str) -> Callable[[Any], float]:
    """A parser of numbers above 0 for an option, which raises UsageError for anything else."""

    def parse(given: Any) -> float:
        try:
            value = float(str(given))
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf"):
            raise UsageError(f"{option} is {str(given)!r}; expected a number above 0.")
        return value

    return parse
