"""How much of a long text is read: as much as a training step has memory for."""

from __future__ import annotations

from retrograd.kinds.table.options import TableOptions
from retrograd.kinds.text.architectures import NUMBERS

__all__ = ["longest_read"]

# Of a step: 2 GB of float32. The same on every machine, so that a run can be repeated elsewhere.
_NUMBERS_A_STEP = 1 << 29
# Never less, since batches shrink with the data and not with its texts.
_LEAST = 256


def longest_read(architecture: str, batch_size: int) -> int:
    """The number of tokens, a power of two, up to which a network reads texts in such batches."""
    per_token, per_pair = NUMBERS[architecture]
    most, longest = TableOptions.ranges["max_tokens"][1], _LEAST
    while 2 * longest <= most and (
        batch_size * 2 * longest * (per_token + per_pair * 2 * longest) <= _NUMBERS_A_STEP
    ):
        longest *= 2
    return longest
