"""Files written whole or not at all, and the operating system's errors in plain words."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from retrograd.errors import DataError, UsageError
from retrograd.wording import did_you_mean

__all__ = ["atomic_write", "existing_file", "make_folder", "plain_reason", "refuse_taken"]

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than the system allows",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "the folder does not exist",
    errno.ENOTDIR: "part of the path is a file, not a folder",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENAMETOOLONG: "the name is too long",
}


def plain_reason(error: OSError) -> str:
    """What the operating system refused, in plain words."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


def existing_file(path: str | os.PathLike[str]) -> Path:
    """`path` as a `Path`, or a DataError that suggests similar names in that folder."""
    path = Path(path)
    if path.is_file():
        return path
    if path.is_dir():
        raise DataError(f"{path} is a folder; expected a file.")
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"No such file: {path} (the folder {folder} does not exist).")
    names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    raise DataError(f"No such file: {path}.{did_you_mean(path.name, names)}")


def refuse_taken(path: Path, force: bool) -> None:
    """Raise UsageError for a file that is to be written where one stands, unless by `force`.

    Also where no folder can be made for it; nothing is made yet.
    """
    if path.is_dir():
        raise UsageError(f"Cannot write {path}: {_REASONS[errno.EISDIR]}.")
    if path.exists() and not force:
        raise UsageError(
            f"{path} exists already; what is there is kept. Give another name with --out, or "
            "--force to replace it."
        )
    folder = next(each for each in path.absolute().parents if each.exists())
    if not folder.is_dir():
        raise UsageError(f"Cannot write {path}: {_REASONS[errno.ENOTDIR]}.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"Cannot write {path}: {_REASONS[errno.EACCES]} in {folder}.")


def make_folder(path: Path) -> None:
    """Make the folder in which `path` is to be written; UsageError if the system refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"Cannot make the folder {path.parent}: {plain_reason(error)}.") from error


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it becomes `path` when the block ends without an error.

    The block writes the whole file to the path it is given (same suffix, same folder, so that the
    rename does not cross file systems). An existing file at `path` stays until the new one is
    complete and on the disk; if the block fails or is interrupted, nothing new is left behind.

    Raises UsageError, naming `path` and the reason, when the system refuses to write: no such
    folder, no permission, a full disk. Any other error of the block passes through unchanged.
    """
    path = Path(path)
    part = path.with_name(f".{secrets.token_hex(6)}.part{path.suffix}")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        # Refuses an unwritable folder before the block does any work.
        part.touch(exist_ok=False)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        concerns_another_file = error.filename not in (None, str(part), part)
        if concerns_another_file:
            raise
        raise UsageError(f"Cannot write {path}: {plain_reason(error)}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
