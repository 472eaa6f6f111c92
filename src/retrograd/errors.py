"""The errors a user sees: each says what was found, what was expected, and the way out."""

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
    """An error whose message is written for the user.

    `exit_code` is the `retrograd` command's exit code for it.
    """

    exit_code = 1


class UsageError(RetrogradError):
    """An argument, option or call that is not valid as given."""

    exit_code = 2


class DataError(RetrogradError):
    """A file or a table that cannot be used as it is."""

    exit_code = 2
    names_its_file = False


@contextmanager
def about(file: object) -> Iterator[None]:
    """Prefix the message of a DataError in the block with the name of `file`, unless it has one."""
    try:
        yield
    except DataError as error:
        if error.names_its_file or str(file) in str(error):
            raise
        located = DataError(f"{file}: {error}")
        located.names_its_file = True
        raise located from error


class RunError(RetrogradError):
    """A training run that started and could not finish."""

    exit_code = 1


class TraceError(RetrogradError):
    """A compiled step was asked for something that only an eager step can do."""


class Interrupted(RetrogradError):
    """Ctrl-C before there was anything to keep; the exit code is the one that shells use."""

    exit_code = 130
