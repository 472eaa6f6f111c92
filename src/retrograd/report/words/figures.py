"""Format numbers for people."""

from __future__ import annotations

import math

__all__ = ["cut", "duration", "figure", "percent", "power_of_ten", "shape", "short"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure(value: float, digits: int = 4) -> str:
    """`value` with `digits` significant digits, but all digits before the point: 0.06834, 245,120,
    3.1×10⁻⁷.
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if -4 < exponent < 15:
        text = f"{value:,.{max(digits - 1 - exponent, 0)}f}"
        return _trimmed(text).replace("-", "−")
    return _scientific(mantissa, exponent)


def short(value: float, digits: int = 4) -> str:
    """`value` with a power of ten, whatever its size: 2.5×10⁸; 0 stays 0."""
    if value == 0:
        return "0"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    return _scientific(mantissa, int(power))


def power_of_ten(power: int) -> str:
    """10 to the power, written out if short: 0.001, 1, 1,000, 10⁻⁶."""
    if -4 < power < 4:
        return figure(10.0**power)
    return f"10{str(power).translate(_SUPERSCRIPTS)}"


def percent(share: float) -> str:
    """A share as a percentage, with a non-breaking space: 0.1234 -> 12.3 %."""
    return f"{figure(100 * share, 3)}\u00a0%"


def duration(seconds: float) -> str:
    """A time span in the two largest of its units: 0.34 s, 12 s, 2 min 5 s, 1 h 3 min."""
    if seconds < 59.5:
        return f"{figure(seconds, 2)} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def shape(sizes: tuple[int, ...]) -> str:
    """(8, 128) as 8 × 128."""
    return " × ".join(map(str, sizes)) or "1"


def cut(text: str, longest: int = 60) -> str:
    """The text, shortened if it is too long."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _scientific(mantissa: str, exponent: int) -> str:
    return f"{_trimmed(mantissa)}×10{str(exponent).translate(_SUPERSCRIPTS)}".replace("-", "−")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
