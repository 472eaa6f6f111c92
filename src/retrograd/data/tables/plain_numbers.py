"""Numbers as people and ledgers write them, as texts that a program reads."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.tables.arrow import nulled

__all__ = ["plain_numbers", "units"]

_MINUS = "[\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d]"
_SPACES = " \u00a0\u2009\u202f"
_APOSTROPHES = "'\u2019"
# A sign, as in US$ or R$, or the code of a currency (ISO 4217) that is traded much.
_CODES = (
    "AED|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|MXN|MYR|NOK|NZD|"
    "PHP|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
_CURRENCY = rf"(?:[A-Z]{{0,3}}\p{{Sc}}|(?i:{_CODES})|kr\.?|zł|Kč|Fr\.)"


def plain_numbers(text: pa.Array, decimal: str) -> pa.Array:
    """Texts that Arrow parses as float64; null where a text is not a number.

    A number may carry a currency, a percent sign (12% is 12), separated thousands (`$1,200.50` with
    `decimal="."`, `1.200,50 €` with `decimal=","`, spaces and apostrophes with both), and a minus
    in front, behind, or as the parentheses of ledgers: (1,002.00) is -1002.
    """
    text = pc.replace_substring_regex(text, pattern=_MINUS, replacement="-")
    space = f"[{_SPACES}]*"
    # The parentheses may stand around the currency or beside it.
    for pattern, replacement in (
        (rf"^([+-]?){space}{_CURRENCY}{space}", r"\1"),
        (rf"{space}(?:%|{_CURRENCY})$", ""),
        (rf"^\({space}(.*?){space}\)$", r"-\1"),
        (rf"^(-){space}{_CURRENCY}{space}", r"\1"),
        (rf"{space}(?:%|{_CURRENCY})$", ""),
        (r"^([^+-].*)-$", r"-\1"),
    ):
        text = pc.replace_substring_regex(text, pattern=pattern, replacement=replacement)
    group = f"[{',' if decimal == '.' else '.'}{_APOSTROPHES}{_SPACES}]"
    point = r"\." if decimal == "." else ","
    # No number begins with a group of nothing: 0,123 has a decimal comma. India writes 12,34,567.
    # Before a decimal mark groups may be of two or three.
    digits = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+|[1-9]\d?(?:,\d\d)+,\d{{3}}|\d+"
    loose = rf"[1-9]\d*(?:{group}\d{{2,3}})+{point}\d+"
    exponent = r"(?:[eE][+-]?\d+)?"
    number = rf"^[+-]?(?:(?:{digits})(?:{point}\d*)?|{point}\d+|{loose}){exponent}$"
    special = r"^[+-]?(?i:inf|infinity)$"
    fits = pc.match_substring_regex(text, pattern=f"{number}|{special}")
    text = nulled(text, pc.invert(fits))
    text = pc.replace_substring_regex(text, pattern=group, replacement="")
    return pc.replace_substring(text, pattern=",", replacement=".")


def units(texts: pa.Array) -> set[str]:
    """The currencies and percent signs that numbers carry; "" for those that carry none."""
    found = pc.extract_regex(texts, pattern=rf"(?P<unit>{_CURRENCY}|%)").field("unit")
    return {each or "" for each in pc.unique(found).to_pylist()}
