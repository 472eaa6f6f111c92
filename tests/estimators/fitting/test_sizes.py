"""Rounded sizes: few, near, and never below what is needed."""

from __future__ import annotations

from retrograd.estimators.fitting.sizes import few_more, rounded_up


def test_sizes_are_at_least_what_is_needed_and_at_most_a_quarter_more() -> None:
    for size in range(33, 3000):
        assert size <= rounded_up(size) <= 1.25 * size
        assert size <= rounded_up(size, largest_step=64) < size + 64
    assert [rounded_up(size) for size in (1, 8, 9, 16, 17, 32)] == [8, 8, 16, 16, 32, 32]
    assert rounded_up(1, least=32) == rounded_up(32, least=32) == 32
    # Four sizes for each doubling.
    assert {rounded_up(size) for size in range(65, 129)} == {80, 96, 112, 128}


def test_steps_are_two_or_three_times_a_power_of_two() -> None:
    found = [few_more(steps) for steps in range(1, 26)]
    assert sorted(set(found)) == [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
    assert all(few >= steps for steps, few in enumerate(found, 1))
    assert max(map(few_more, range(1, 65))) == 64  # the most steps of a call
