"""Numbers on pages read well and stay true."""

from __future__ import annotations

import math

import pytest

from retrograd.report.words.figures import cut, figure, percent, shape


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (245120.4, "245,120"),
        (-1234567, "−1,234,567"),
        (0.0683449, "0.06834"),
        (99999.6, "100,000"),
        (9.99996, "10"),
        (0.5, "0.5"),
        (3.14e-7, "3.14×10⁻⁷"),
        (-2.5e20, "−2.5×10²⁰"),
        (math.nan, "not a number"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_a_number_is_written_as_people_read_it(value: float, text: str) -> None:
    assert figure(value) == text


def test_any_number_keeps_its_digits() -> None:
    for exponent in range(-30, 31):
        value = 1.2345678 * 10.0**exponent
        text = figure(value, 5).replace(",", "")
        mantissa, _, power = text.partition("×10")
        power = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        read = float(mantissa) * 10.0 ** int(power or 0)
        assert read == pytest.approx(value, rel=5e-5)


def test_small_helpers() -> None:
    assert percent(0.12345) == "12.3\u00a0%"
    assert shape((8, 128)) == "8 × 128"
    assert shape(()) == "1"
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
