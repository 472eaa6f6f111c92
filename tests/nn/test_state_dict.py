"""A state has PyTorch's names, passes through safetensors both ways, and loads whole or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from support.networks import floats, small_network

import retrograd as rg
from retrograd import nn


def test_a_safetensors_file_of_a_torch_model_loads_as_it_is(tmp_path: Any) -> None:
    theirs, x = small_network(torch.nn), floats(6, 4)
    theirs(torch.from_numpy(x))  # moves the running statistics
    safetensors.torch.save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    ours = small_network(nn)
    ours.load_state_dict(safetensors.numpy.load_file(tmp_path / "model.safetensors"))
    expected = theirs.eval()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours.eval()(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_a_saved_state_loads_into_torch(tmp_path: Any) -> None:
    ours = small_network(nn)
    safetensors.numpy.save_file(ours.state_dict(), tmp_path / "model.safetensors")
    theirs = small_network(torch.nn)
    theirs.load_state_dict(safetensors.torch.load_file(tmp_path / "model.safetensors"))
    weight = theirs[3].inner.weight.detach().numpy()
    np.testing.assert_array_equal(ours[3].inner.weight.numpy(), weight)


def test_a_state_is_a_snapshot() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    before = model.state_dict()
    kept = {name: value.copy() for name, value in before.items()}
    model[0].weight.data += 1
    model[0].bias.data = floats(2)
    model.load_state_dict(kept)
    kept["0.weight"] += 5
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_state_with_every_fault_is_refused_whole_with_every_name() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = model.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    state["1.weight"] = state["1.weight"].T
    state["2.gamma"] = state.pop("0.bias")
    with pytest.raises(ValueError, match="left as it was") as refusal:
        model.load_state_dict(state)
    message = str(refusal.value)
    assert "1.weight has shape (3, 1), expected (1, 3)" in message
    assert "missing: 0.bias" in message
    assert "unexpected: 2.gamma" in message
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_not_strict_passes_over_names_but_not_over_shapes() -> None:
    model = nn.Linear(2, 3)
    found = model.load_state_dict({"weight": np.ones((3, 2)), "gamma": np.ones(1)}, strict=False)
    assert found == (["bias"], ["gamma"])
    assert model.weight.numpy().tolist() == np.ones((3, 2)).tolist()
    with pytest.raises(ValueError, match=r"weight has shape \(2,\), expected \(3, 2\)"):
        model.load_state_dict({"weight": np.ones(2)}, strict=False)
    with pytest.raises(ValueError, match="weight: expected numbers"):
        model.load_state_dict({"weight": np.full((3, 2), "a")}, strict=False)


def test_loading_keeps_dtypes_and_takes_tensors() -> None:
    model = nn.BatchNorm1d(2)
    state = {name: rg.Tensor(value.astype("float64")) for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    assert {value.dtype.name for value in model.state_dict().values()} == {"float32", "int64"}


def test_a_compiled_step_uses_the_weights_loaded_after_it_was_traced() -> None:
    model, x = nn.Linear(3, 1), floats(4, 3)
    predict = rg.compile(lambda x: model(x))
    predict(x)
    model.load_state_dict({"weight": np.ones((1, 3)), "bias": np.zeros(1)})
    np.testing.assert_allclose(predict(x).numpy(), x.sum(1, keepdims=True), rtol=1e-6)
