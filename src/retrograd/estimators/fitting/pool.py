"""Things that are costly to make, lent to one borrower at a time and kept for the next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

__all__ = ["Pool"]

T = TypeVar("T")


class Pool(Generic[T]):
    """At most `most` things that nobody borrows, by their key; the least recently used go first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._idle: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def borrowed(self, key: Hashable, make: Callable[[], T]) -> Iterator[T]:
        """The thing of that key, made if none is idle; one that fails in use is not kept."""
        with self._lock:
            found = self._idle.pop(key, None)
        lent = make() if found is None else found
        yield lent
        with self._lock:
            self._idle[key] = lent
            self._idle.move_to_end(key)
            while len(self._idle) > self.most:
                self._idle.popitem(last=False)
