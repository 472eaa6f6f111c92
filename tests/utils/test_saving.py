"""A state comes back from its file as it was; PyTorch reads it, and ours reads PyTorch's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import DataError, UsageError
from retrograd.utils import saving


def test_a_modules_state_is_a_plain_file_that_pytorch_reads(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    rg.save(model, tmp_path / "model.safetensors")
    theirs = torch.nn.Linear(3, 2)
    theirs.load_state_dict(safetensors.torch.load_file(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(theirs.weight.detach().numpy(), model.weight.numpy())
    twin = nn.Linear(3, 2)
    twin.load_state_dict(rg.load_state(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(twin.weight.numpy(), model.weight.numpy())


def test_pytorchs_file_is_read(tmp_path: Path) -> None:
    safetensors.torch.save_file({"w": torch.arange(3.0)}, tmp_path / "theirs.safetensors")
    np.testing.assert_array_equal(rg.load_state(tmp_path / "theirs.safetensors")["w"], [0, 1, 2])


def test_a_checkpoint_of_several_states_resumes_the_same_path(tmp_path: Path) -> None:
    def trained(model: nn.Module, optimizer: optim.Adam, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            rg.sum(model(rg.ones(1, 3)) ** 2).backward()
            optimizer.step()

    model = nn.Linear(3, 2)
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    trained(model, optimizer, 3)
    kept = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    rg.save(kept, tmp_path / "checkpoint")
    back = rg.load_state(tmp_path / "checkpoint")
    assert back["epoch"] == 3
    assert back["optimizer"]["param_groups"] == kept["optimizer"]["param_groups"]
    twin = nn.Linear(3, 2)
    second = optim.Adam(twin.parameters())
    twin.load_state_dict(back["model"])
    second.load_state_dict(back["optimizer"])
    trained(model, optimizer, 2)
    trained(twin, second, 2)
    np.testing.assert_array_equal(twin.weight.numpy(), model.weight.numpy())


def test_what_nests_keeps_its_shape(tmp_path: Path) -> None:
    state = {"a": [1, (2.5, "x", None)], 3: rg.arange(2), "t": np.arange(4).reshape(2, 2).T}
    saving.save(state, tmp_path / "state")
    back = saving.load_state(tmp_path / "state")
    assert back["a"] == [1, (2.5, "x", None)]
    assert back[3].tolist() == [0, 1]
    assert back["t"].tolist() == [[0, 2], [1, 3]]


def test_what_is_no_state_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="save: a/f is function; a state is made of dicts"):
        rg.save({"a": {"f": lambda: 0}}, tmp_path / "state")
    assert not (tmp_path / "state").exists()
    (tmp_path / "text").write_text("no tensors here")
    with pytest.raises(DataError, match="text is not a safetensors file"):
        rg.load_state(tmp_path / "text")
