"""A step along a direction that fulfills the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from retrograd.arrays import Array

__all__ = ["Point", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9  # c₁ and c₂ of Nocedal and Wright, section 3.1
MOST = 25


class Point(NamedTuple):
    """A place on the line: how far along, the loss, its gradient, and its slope along the line."""

    t: float
    loss: float
    gradient: Array
    slope: float


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, longest: float, tolerance: float
) -> tuple[Point, int]:
    """A point with f ≤ f₀ + c₁ t f₀' and |f'| ≤ c₂ |f₀'|, and how many points were tried.

    `at` evaluates a point; `t` is the first to try, `longest` the largest element of the direction.
    Where such a point is not found in 25 trials or the interval becomes shorter than `tolerance`,
    the best one so far.

    Nocedal and Wright, "Numerical optimization" (2006), algorithms 3.5 and 3.6.
    """
    search = _LineSearch(at, start)
    bracket = search.bracketed(t)
    if len(bracket) == 2:
        bracket = search.narrowed(bracket, longest, tolerance)
    return min(bracket, key=lambda point: point.loss), search.tried


class _LineSearch:
    def __init__(self, at: Callable[[float], Point], start: Point) -> None:
        self.at = at
        self.start = start
        self.tried = 0

    def try_at(self, t: float) -> Point:
        self.tried += 1
        return self.at(t)

    def too_high(self, point: Point) -> bool:
        return point.loss > self.start.loss + DECREASE * point.t * self.start.slope

    def flat(self, point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * self.start.slope

    def bracketed(self, t: float) -> list[Point]:
        """A point that will do, or two between which there is one (algorithm 3.5)."""
        before, here = self.start, self.try_at(t)
        while self.tried <= MOST:
            if self.too_high(here) or (self.tried > 2 and here.loss >= before.loss):
                return [before, here]
            if self.flat(here):
                return [here]
            if here.slope >= 0:
                return [before, here]
            nearest, farthest = here.t + 0.01 * (here.t - before.t), here.t * 10
            t = cubic_minimum(before, here, nearest, farthest)
            before, here = here, self.try_at(t)
        return [self.start, here]

    def narrowed(self, bracket: list[Point], longest: float, tolerance: float) -> list[Point]:
        """The interval around a point that will do, made smaller and smaller (algorithm 3.6)."""
        low, high = sorted(bracket, key=lambda point: point.loss)
        stuck = False
        while self.tried <= MOST and abs(high.t - low.t) * longest >= tolerance:
            left, right = sorted((low.t, high.t))
            first, second = sorted((low, high), key=lambda point: point.t)
            t = cubic_minimum(first, second, left, right)
            # Twice near an end: step a tenth of the interval inward.
            margin = 0.1 * (right - left)
            near = min(right - t, t - left) < margin
            if near and (stuck or t >= right or t <= left):
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                near = False
            stuck = near
            here = self.try_at(t)
            if self.too_high(here) or here.loss >= low.loss:
                high = here
                if high.loss < low.loss:
                    low, high = high, low
                continue
            if self.flat(here):
                return [here]
            if here.slope * (high.t - low.t) >= 0:
                high = low
            low = here
        return [low, high]


def cubic_minimum(a: Point, b: Point, lowest: float, highest: float) -> float:
    """Where the cubic through two points with their slopes is least, held within the bounds.

    Nocedal and Wright, equation 3.59; the middle of the bounds where it has no minimum.
    """
    if b.t == a.t:
        return (lowest + highest) / 2
    if b.t < a.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (lowest + highest) / 2
    d2 = math.sqrt(square)
    divisor: Any = b.slope - a.slope + 2 * d2
    if divisor == 0:
        return (lowest + highest) / 2
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / divisor)
    return min(max(t, lowest), highest)
