"""Files that unfold to far more than data does are refused by the size that they declare."""

from __future__ import annotations

from retrograd.errors import DataError

__all__ = ["refuse_bomb"]

# Numbers rarely compress to less than a tenth; deflate can pack zeros 1,030 times smaller.
_RATIO = 100
_BYTES = 1 << 30


def refuse_bomb(name: str, packed: int, unpacked: int) -> None:
    """Raise DataError if `packed` bytes declare to unfold to over 1 GiB and over a hundredfold."""
    if unpacked > _BYTES and unpacked > _RATIO * packed:
        raise DataError(
            f"{name} unfolds from {packed:,} bytes to {unpacked:,}, which is what a decompression "
            "bomb does and data hardly ever. If it is yours, write it without compression."
        )
