"""SIGTERM ends a command as Ctrl-C does, with an exit code of its own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["ending_in_order"]

_BY_CTRL_C, _BY_SIGTERM = 130, 143


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A block in which SIGTERM is Ctrl-C, but that exit code 130 becomes 143.

    Where Ctrl-C is ignored, as in the background of a shell, it stays so, and SIGTERM is heard. In
    a thread that gets no signals nothing changes.
    """
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    is_ending = False

    def press(*_: Any) -> None:
        if is_ending or not is_ignored:
            raise KeyboardInterrupt

    def terminate(*_: Any) -> None:
        nonlocal is_ending
        is_ending = True
        signal.raise_signal(signal.SIGINT)

    try:
        before = [(each, signal.getsignal(each)) for each in (signal.SIGINT, signal.SIGTERM)]
        signal.signal(signal.SIGINT, press)
        signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    except SystemExit as end:
        if is_ending and end.code == _BY_CTRL_C:
            sys.exit(_BY_SIGTERM)
        raise
    finally:
        for number, handler in before:
            signal.signal(number, handler)
