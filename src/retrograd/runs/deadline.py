"""When a whole run must be over, from reading the data to the last line of the report."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Deadline"]

# What training leaves for the rest: a quarter of the time, up to this many seconds.
_SHARE, _MOST = 0.25, 30.0
# The figures are worth a little more than the time that was given.
_GRACE = 2.0
# What is cut twice, because a part of it took the first cut for its own, is cut again.
_AGAIN = 1.0


class _OutOfTime(BaseException):
    """Not an `Exception`, since what is cut must not take it for a failure of its own."""


class Deadline:
    """The end of the `seconds` that a run may take since `started`, a time of `time.monotonic`.

    `left_out` names what there was no time for.
    """

    def __init__(self, seconds: float | None, started: float) -> None:
        self._seconds = math.inf if seconds is None else seconds
        self._end = started + self._seconds
        self.left_out: list[str] = []

    @property
    def left(self) -> float:
        """The seconds that are left, infinite without a limit."""
        return self._end - time.monotonic()

    @property
    def for_training(self) -> float:
        """The seconds that training may take from now on."""
        return max(self.left - min(_SHARE * self._seconds, _MOST), 0.0)

    def bounded(
        self, what: str, work: Callable[[], None], share: float = 1.0, grace: bool = False
    ) -> bool:
        """Do the work until a `share` of what is left is used up; whether that was time enough.

        If not, `what` is among what is left out. With `grace` there are at least two seconds. A
        call into compiled code ends first. Where a process has no alarm (on Windows, or in another
        thread), work that has time at all is done to its end.
        """
        seconds = max(self.left * share, _GRACE if grace else 0.0)
        try:
            with _cut_after(seconds):
                work()
        except _OutOfTime:
            self.left_out.append(what)
            return False
        return True


@contextmanager
def _cut_after(seconds: float) -> Iterator[None]:
    has_alarm = hasattr(signal, "setitimer")
    if seconds == math.inf:
        yield
    elif seconds <= 0:
        raise _OutOfTime
    elif not has_alarm or threading.current_thread() is not threading.main_thread():
        yield
    else:
        before = signal.signal(signal.SIGALRM, _stop)
        signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _stop(*_: object) -> None:
    raise _OutOfTime
