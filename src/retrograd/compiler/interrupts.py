"""Delays Ctrl-C while a KeyboardInterrupt would leave something half done."""

from __future__ import annotations

# The C functions under `signal`'s, which turn numbers into enumerations: 0.2 µs a call, not 2.
import _signal  # type: ignore[import-not-found]  # has no stub
from types import TracebackType
from typing import Any

__all__ = ["CtrlCWaits"]


class CtrlCWaits:
    """A block that delays Ctrl-C until its end."""

    __slots__ = ("_before", "_pressed")

    _before: Any
    _pressed: bool

    def __enter__(self) -> None:
        self._pressed = False
        self._before = _signal.getsignal(_signal.SIGINT)
        if callable(self._before):
            try:
                _signal.signal(_signal.SIGINT, self._note)
            except ValueError:  # not the main thread; Ctrl-C reaches only that one
                self._before = None

    def _note(self, *event: Any) -> None:
        self._pressed = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if callable(self._before):
            _signal.signal(_signal.SIGINT, self._before)
            if self._pressed:
                _signal.raise_signal(_signal.SIGINT)
