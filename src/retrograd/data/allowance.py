"""How much of the data may be left out because it cannot be read or is empty."""

from __future__ import annotations

__all__ = ["allowed"]

_SHARE = 0.01
# Of few examples a single bad one is more than that share.
_FEW, _FEW_OF = 5, 10


def allowed(total: int, share: float | None = None) -> int:
    """How many of `total` files or rows may be left out: the user's `share` of them, if there is
    one; else 1 %, or as many as five if that is at most a tenth."""
    if share is not None:
        return int(share * total)
    return max(int(_SHARE * total), min(_FEW, total // _FEW_OF))
