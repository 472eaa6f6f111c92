"""Things lent one at a time, kept, and let go of."""

from __future__ import annotations

from itertools import count

import pytest

from retrograd.estimators.fitting.pool import Pool


def test_a_thing_is_made_once_and_lent_to_one_at_a_time() -> None:
    made, pool = count(), Pool[int](2)
    make = made.__next__
    with pool.borrowed("a", make) as first, pool.borrowed("a", make) as second:
        assert (first, second) == (0, 1)
    with pool.borrowed("a", lambda: next(made)) as again:
        assert again in (0, 1)


def test_the_least_recently_used_goes_first() -> None:
    made, pool = count(), Pool[int](2)

    def use(key: str) -> int:
        with pool.borrowed(key, lambda: next(made)) as found:
            return found

    assert [use(key) for key in "abac"] == [0, 1, 0, 2]
    assert [use("a"), use("b")] == [0, 3]


def test_what_fails_in_use_is_not_lent_again() -> None:
    made, pool = count(), Pool[int](2)
    with pytest.raises(KeyError), pool.borrowed("a", lambda: next(made)):
        raise KeyError
    with pool.borrowed("a", lambda: next(made)) as found:
        assert found == 1
