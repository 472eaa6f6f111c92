"""Ctrl-C while steps run: the first waits for the end of their call, a second tears it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["TornCall", "whole_call"]

# Presses closer together than this are an impatient one.
_SECONDS = 1.0


class TornCall(KeyboardInterrupt):
    """A second Ctrl-C within a call: what the call was changing is now neither old nor new."""


@contextmanager
def whole_call() -> Iterator[None]:
    """A block that the first Ctrl-C does not tear: KeyboardInterrupt is raised at its end.

    A second, more than a second later, raises TornCall at once.
    """
    before = signal.getsignal(signal.SIGINT)
    pressed = 0.0

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        now = time.monotonic()
        if pressed and now - pressed > _SECONDS:
            raise TornCall
        pressed = pressed or now

    try:
        if not callable(before):
            raise ValueError
        signal.signal(signal.SIGINT, press)
    except ValueError:  # nothing to delay, or not the main thread, which alone gets Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        signal.raise_signal(signal.SIGINT)
