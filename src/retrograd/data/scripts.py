"""Writing systems whose words do not stand between spaces, and the signs that belong to a letter.

Each is the inside of a regular expression's character class, for `re` and for Arrow alike.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable
from functools import cache

__all__ = ["IDEOGRAPHS", "UNSPACED_LETTERS", "combining"]

_JOINERS = (0x200C, 0x200D)  # zero width non-joiner and joiner, which stand within words
# The blocks of Unicode that hold marks, so that the million other code points are not asked.
_MARKED = (range(0x300, 0x3100), range(0xA000, 0x20000), range(0xE0100, 0xE01F0))


def _ranges(*ends: tuple[int, int]) -> str:
    return "".join(
        chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in ends
    )


def _runs(points: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Adjacent numbers as pairs of the first and the last."""
    for _, group in itertools.groupby(enumerate(points), lambda placed: placed[1] - placed[0]):
        run = [point for _, point in group]
        yield run[0], run[-1]


IDEOGRAPHS = _ranges(
    (0x3005, 0x3007), (0x3040, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0xA4CF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F), (0x20000, 0x3FFFD),
)  # fmt: skip
"""Chinese characters, Japanese kana, Bopomofo and Yi: about two to a word."""

UNSPACED_LETTERS = _ranges(
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAD),
    (0x1B00, 0x1B7F), (0xA980, 0xA9DF), (0xA9E0, 0xA9FF), (0xAA60, 0xAADF),
)  # fmt: skip
"""Thai, Lao, Burmese, Khmer, Tai, Balinese and Javanese, with their signs: about four to a word."""


@cache
def combining() -> str:
    """Accents, vowel signs and other marks on the letter before, and what joins letters."""
    points = (point for block in _MARKED for point in block)
    marks = [point for point in points if unicodedata.category(chr(point)).startswith("M")]
    return _ranges(*_runs(sorted([*marks, *_JOINERS])))
