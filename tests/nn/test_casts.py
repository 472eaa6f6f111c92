"""A module becomes another dtype in place, and stays where it is."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn


@pytest.mark.parametrize(
    ("name", "dtype"), [("float", "float32"), ("double", "float64"), ("half", "float16")]
)
def test_the_dtypes_have_their_methods(name: str, dtype: str) -> None:
    module = nn.BatchNorm1d(2).to(rg.float64)
    assert getattr(module, name)() is module
    assert {p.dtype for p in module.parameters()} == {np.dtype(dtype)}
    assert module.running_mean.dtype == dtype
    assert module.num_batches_tracked.dtype == rg.int64
    assert nn.Linear(1, 1).bfloat16().weight.dtype == rg.bfloat16


def test_to_takes_dtypes_tensors_and_the_device_that_is_there() -> None:
    module = nn.Linear(2, 1)
    before = module.weight
    assert module.to("cpu").to(rg.device("cpu")).cpu() is module
    assert module.to(device="cpu", dtype=rg.float64).weight.dtype == rg.float64
    assert module.to(rg.ones(1, dtype=rg.float16)).weight.dtype == rg.float16
    assert module.type(rg.float32).weight is before
    with pytest.raises(ValueError, match="there is no device tpu here"):
        module.to("tpu")
    with pytest.raises(TypeError, match="they cannot become int64"):
        module.to(rg.int64)
