"""Parameters in lists and dicts are found, saved and named as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.nn.containers.parameters import ParameterDict, ParameterList


def built(n: Any, parameter: Any) -> Any:
    module = n.Module()
    module.rows = n.ParameterList([parameter([1.0]), parameter([2.0, 3.0])])
    module.named = n.ParameterDict({"a": parameter([4.0])})
    module.rows.append(parameter([5.0]))
    module.named["b"] = parameter([6.0])
    return module


def test_the_names_and_values_are_torchs() -> None:
    ours = built(nn, rg.Parameter)
    theirs = built(torch.nn, lambda values: torch.nn.Parameter(torch.tensor(values)))
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(value, state[name].numpy())


def test_a_list_is_a_list() -> None:
    rows = ParameterList([np.zeros(1, np.float32)])
    rows.extend([rg.ones(2)])
    assert len(rows) == 2
    assert all(isinstance(each, rg.Parameter) for each in rows)
    rows[-1] = rg.Parameter([7.0])
    assert rows[1].tolist() == [7]
    with pytest.raises(IndexError):
        rows[2]


def test_a_dict_is_a_dict() -> None:
    named = ParameterDict({"a": rg.ones(1)})
    named.update({"b": rg.ones(2)})
    assert named.keys() == ["a", "b"] == list(named)
    assert [value.numel() for value in named.values()] == [1, 2]
    assert "a" in named
    del named["a"]
    assert len(named) == 1
    assert named.items()[0][0] == "b"
    with pytest.raises(ValueError, match="has an attribute 'keys' already"):
        named["keys"] = rg.ones(1)


def test_modules_are_inserted_and_taken_out() -> None:
    for n in (nn, torch.nn):
        held = n.ModuleList([n.ReLU(), n.Tanh()])
        held.insert(1, n.Sigmoid())
        del held[0]
        assert [type(each).__name__ for each in held] == ["Sigmoid", "Tanh"]
        assert type(held.pop(0)).__name__ == "Sigmoid"
        assert [name for name, _ in held.named_children()] == ["0"]
        assert len(held + n.ModuleList([n.ReLU()])) == 2
        chain = n.Sequential(n.ReLU(), n.Tanh(), n.Sigmoid())
        del chain[1]
        assert [type(each).__name__ for each in chain] == ["ReLU", "Sigmoid"]
        named = n.ModuleDict({"a": n.ReLU(), "b": n.Tanh()})
        assert type(named.pop("a")).__name__ == "ReLU"
        named.clear()
        assert len(named) == 0
