"""One process at a time writes a run folder."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from retrograd.errors import UsageError

if sys.platform != "win32":
    import fcntl

__all__ = ["locked"]

# What a file system without locks answers; a run there does without.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """A block in which no other process writes `folder`; the system ends the lock with the process.

    The folder itself is locked, so that nothing is left in it. Raises UsageError if another
    process, or another block of this one, has it. On Windows no lock is taken.
    """
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Another process is training the run in {folder}. Wait until it has ended, or "
                "stop it first."
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        with suppress(OSError):
            os.close(handle)
