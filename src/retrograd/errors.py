"""The errors a person sees: each message says what was found, what was expected and the way out."""

from __future__ import annotations

__all__ = ["DataError", "RetrogradError", "RunError", "UsageError"]


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


class RunError(RetrogradError):
    """A training run that started and could not finish."""

    exit_code = 1
