"""Ctrl-C that waits, while a KeyboardInterrupt would leave something half done."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Any

__all__ = ["CtrlCWaits"]

# The C functions under the public ones, which turn numbers into enumerations: 0.2 µs, not 5.
_handler_of: Any = getattr(signal.getsignal, "__wrapped__", signal.getsignal)
_handle: Any = getattr(signal.signal, "__wrapped__", signal.signal)
_SIGINT = int(signal.SIGINT)


class CtrlCWaits:
    """A block whose end Ctrl-C waits for. Only the main thread receives it at all."""

    __slots__ = ("_before", "_pressed")

    _before: Any
    _pressed: bool

    def __enter__(self) -> None:
        self._pressed = False
        on_main = threading.current_thread() is threading.main_thread()
        self._before = _handler_of(_SIGINT) if on_main else None
        if callable(self._before):
            _handle(_SIGINT, self._note)

    def _note(self, *event: Any) -> None:
        self._pressed = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if callable(self._before):
            _handle(_SIGINT, self._before)
            if self._pressed:
                signal.raise_signal(signal.SIGINT)
