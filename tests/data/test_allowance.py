"""A few of the data may be left out, however little there is."""

from __future__ import annotations

import pytest

from retrograd.data.allowance import allowed


@pytest.mark.parametrize(
    ("total", "most"),
    [(0, 0), (9, 0), (10, 1), (49, 4), (50, 5), (122, 5), (500, 5), (600, 6), (10_000, 100)],
)
def test_five_at_most_a_tenth_or_one_in_a_hundred(total: int, most: int) -> None:
    assert allowed(total) == most


def test_the_users_share_is_taken_as_it_is() -> None:
    assert allowed(100, 0.0) == 0
    assert allowed(100, 0.25) == 25
