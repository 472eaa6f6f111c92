"""Sizes rounded up, so that fits of nearly equal size share one compiled program.

The folds of a cross-validation differ by a row or two, and by a few bins and categories that
happen to be in one and not in another. XLA compiles for exact shapes, and compiling takes a second
where a small fit takes a fifth of one.
"""

from __future__ import annotations

__all__ = ["few_more", "rounded_up"]


def rounded_up(size: int, least: int = 8, largest_step: int = 1 << 62) -> int:
    """A size of at least `size` and `least`, in steps of at most a quarter, or `largest_step`.

    Below 32, powers of two alone.
    """
    power = max(size - 1, 1).bit_length()
    if size <= 32:
        return max(least, 1 << power)
    step = min(largest_step, 1 << (power - 3))
    return max(least, -(-size // step) * step)


def few_more(steps: int) -> int:
    """1, 2, 3, 4, 6, 8, 12, 16, ...: the smallest of these that is at least `steps`."""
    power = 1 << (steps - 1).bit_length()
    return power * 3 // 4 if power >= 4 and steps <= power * 3 // 4 else power
