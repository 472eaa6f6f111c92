"""Nested containers: leaves out in one order, and back where they were."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import jax
import pytest

from retrograd.pytree import flatten, rebuild, skeleton


class Pair(NamedTuple):
    left: object
    right: object


VALUES = [
    3,
    [],
    (),
    {},
    [1, (2, [3, {"b": 4, "a": 5}])],
    Pair(1, [2, Pair(3, ())]),
    {"z": 1, "a": {"y": (2,), "b": [3]}},
]


def taken_apart(value: object) -> tuple[object, list[object]]:
    leaves: list[object] = []

    def leaf(each: object) -> str:
        leaves.append(each)
        return "*"

    return flatten(value, leaf), leaves


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_is_taken_apart_is_put_together_again(value: object) -> None:
    layout, leaves = taken_apart(value)
    rest = iter(leaves)
    again = rebuild(layout, lambda said: next(rest))
    assert again == value
    assert type(again) is type(value)
    assert next(rest, None) is None


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_leaves_come_in_jax_s_order(value: object) -> None:
    assert taken_apart(value)[1] == jax.tree_util.tree_leaves(value)


def test_a_dict_keeps_the_order_of_its_keys_whatever_the_order_of_its_leaves() -> None:
    layout, leaves = taken_apart({"b": 1, "a": 2})
    assert leaves == [2, 1]
    rest = iter(leaves)
    assert list(rebuild(layout, lambda said: next(rest)).items()) == [("b", 1), ("a", 2)]


def test_dicts_that_differ_in_order_alone_have_equal_skeletons() -> None:
    one, other = (taken_apart(value)[0] for value in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert one != other  # each is put together as it was
    assert skeleton(one) == skeleton(other) == {"a": "*", "b": "*"}


def test_layouts_are_keys_that_say_what_stands_where() -> None:
    layouts = [taken_apart(value)[0] for value in VALUES]
    assert len(set(layouts)) == len(VALUES)
    assert taken_apart(VALUES[4])[0] == layouts[4]


def test_a_dict_of_another_class_is_a_dict() -> None:
    layout, leaves = taken_apart(OrderedDict(b=1, a=2))
    assert leaves == [2, 1]
    assert rebuild(layout, lambda said: said) == {"b": "*", "a": "*"}
