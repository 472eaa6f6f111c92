"""The methods of the table are PyTorch's: each gives what the function of its name gives."""

from __future__ import annotations

import inspect

import numpy as np
import torch

import retrograd as rg
from retrograd.inherited.method_table import MethodTable


def test_every_method_of_the_table_is_torchs_too() -> None:
    names = {name for name in vars(MethodTable) if not name.startswith("_")}
    assert names - set(dir(torch.Tensor)) == set()
    assert all(inspect.isfunction(vars(MethodTable)[name]) for name in names)


def test_a_method_is_its_operation_with_the_tensor_first() -> None:
    x = np.random.default_rng(0).standard_normal((3, 4))
    ours, theirs = rg.tensor(x), torch.tensor(x)
    for a, b in [
        (ours.topk(2, dim=0), theirs.topk(2, dim=0)),
        (ours.chunk(2, 1), theirs.chunk(2, 1)),
        (ours.unbind(), theirs.unbind()),
        ([ours.gather(1, rg.zeros(3, 1).long())], [theirs.gather(1, torch.zeros(3, 1).long())]),
        ([ours.masked_fill(ours > 0, 9.0)], [theirs.masked_fill(theirs > 0, 9.0)]),
        ([ours.index_select(1, rg.tensor([2]))], [theirs.index_select(1, torch.tensor([2]))]),
        ([ours.narrow(1, 1, 2), ours.select(0, 1)], [theirs.narrow(1, 1, 2), theirs.select(0, 1)]),
        ([ours.t().mm(ours)], [theirs.t().mm(theirs)]),
        ([ours.clamp(0.1).pow(2).any()], [theirs.clamp(0.1).pow(2).any()]),
        ([ours.roll(1, 0), ours.tril(-1)], [theirs.roll(1, 0), theirs.tril(-1)]),
        ([ours.gt(0).all(), ours.median()], [theirs.gt(0).all(), theirs.median()]),
    ]:
        for found, expected in zip(a, b, strict=True):
            np.testing.assert_allclose(found.numpy(), expected.numpy())


def test_bits_and_whole_quotients_are_torchs() -> None:
    ours, theirs = rg.tensor([6, 3, -7]), torch.tensor([6, 3, -7])
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "floor_divide"):
        found = getattr(ours, name)(rg.tensor([2, 1, 2]))
        expected = getattr(theirs, name)(torch.tensor([2, 1, 2]))
        np.testing.assert_array_equal(found.numpy(), expected.numpy())
        changed = getattr(rg.tensor([6, 3, -7]), f"{name}_")(2)
        np.testing.assert_array_equal(changed.numpy(), getattr(theirs, name)(2).numpy())
    np.testing.assert_array_equal(ours.bitwise_not().numpy(), theirs.bitwise_not().numpy())
