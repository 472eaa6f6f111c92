"""Modules in a row, in a list, in a dict."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from support.networks import floats, small_network

import retrograd as rg
from retrograd import nn


def test_sequential_slices_keep_their_names_and_share_their_weights() -> None:
    model = small_network(nn)
    tail = model[3:]
    assert isinstance(tail, nn.Sequential)
    assert [name for name, _ in tail.named_children()] == ["3", "4"]
    assert tail[-1] is model[4]
    assert len(tail) == 2
    tail.append(nn.ReLU()).append(nn.ReLU())  # by position the second would be named "3" again
    assert len(tail) == 4
    assert tail[0] is model[3]
    with pytest.raises(IndexError, match="holds 5 modules; there is no index 5"):
        model[5]


def test_sequential_runs_what_was_put_in_a_layers_place() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    model[1] = nn.Tanh()
    x = floats(2, 3)
    np.testing.assert_array_equal(model(x).numpy(), np.tanh(model[0](x).numpy()))


def test_sequential_reaches_named_modules_by_name() -> None:
    model = nn.Sequential({"hidden": nn.Linear(3, 4), "out": nn.Linear(4, 1)})
    assert model.hidden is model[0]
    assert list(model.state_dict())[-1] == "out.bias"


def test_module_list_and_dict_are_seen_by_parameters() -> None:
    def collect(n: Any) -> Any:
        layers = n.ModuleList([n.Linear(2, 3)])
        layers.extend([n.Linear(3, 4), n.ReLU()])
        return n.Sequential(OrderedDict(all=n.ModuleDict({"a": layers, "b": n.Linear(1, 1)})))

    ours, theirs = collect(nn), collect(torch.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    inner = ours[0]
    assert (list(inner), len(inner), "a" in inner, "c" in inner) == (["a", "b"], 2, True, False)
    assert [type(layer).__name__ for layer in inner["a"]] == ["Linear", "Linear", "ReLU"]
    del inner["b"]
    assert inner.keys() == ["a"]
    assert inner.values() == [inner["a"]]
    assert inner.items() == [("a", inner["a"])]


@pytest.mark.parametrize(
    ("key", "reason"), [("a.b", "a dot"), ("", "empty"), ("forward", "has an attribute 'forward'")]
)
def test_names_that_would_break_a_path_are_refused(key: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        nn.ModuleDict({key: nn.ReLU()})


def test_only_modules_go_into_a_sequential() -> None:
    with pytest.raises(TypeError, match="1: expected a Module, found function"):
        nn.Sequential(nn.ReLU(), rg.ops.flatten)
