"""The errors a person sees: each message says what was found, what was expected and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "DataError",
    "Interrupted",
    "RetrogradError",
    "RunError",
    "TraceError",
    "UsageError",
    "about",
]


class RetrogradError(Exception):
    """A refusal whose message is meant for the person at the keyboard.

    `exit_code` is what the `retrograd` command exits with when this reaches it.
    """

    exit_code = 1


class UsageError(RetrogradError):
    """An argument, option or call that cannot be carried out as given."""

    exit_code = 2


class DataError(RetrogradError):
    """A file or a table that cannot be used as it is."""

    exit_code = 2


@contextmanager
def about(file: object) -> Iterator[None]:
    """Put the name of `file` before what a DataError within the block says, unless it is there."""
    try:
        yield
    except DataError as error:
        if str(file) in str(error):
            raise
        raise DataError(f"{file}: {error}") from error


class RunError(RetrogradError):
    """A training run that started and could not finish."""

    exit_code = 1


class TraceError(RetrogradError):
    """Something was asked of a compiled step that only a step run eagerly can do."""


class Interrupted(RetrogradError):
    """Ctrl-C, before there was anything to keep; the exit code is the one a shell gives it."""

    exit_code = 130
