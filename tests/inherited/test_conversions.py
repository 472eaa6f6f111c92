"""A tensor's values as another dtype, shape, place; in print; and what it does not have."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import retrograd as rg

DTYPES = ("float", "double", "half", "long", "int", "short", "char", "byte", "bool")


@pytest.mark.parametrize("name", DTYPES)
def test_each_dtype_has_its_method_as_in_torch(name: str) -> None:
    values = [0.0, 1.5, 3.0]
    found, expected = getattr(rg.tensor(values), name)(), getattr(torch.tensor(values), name)()
    assert found.dtype == expected.numpy().dtype
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_bfloat16_is_ml_dtypes() -> None:
    assert rg.ones(2).bfloat16().dtype == rg.bfloat16


def test_to_takes_a_dtype_a_tensor_and_the_device_that_is_there() -> None:
    x = rg.tensor([1.0, 2.0])
    assert x.to(rg.float64).dtype == rg.float64
    assert x.to("float16").dtype == rg.float16
    assert x.to("cpu", rg.float64).dtype == rg.float64
    assert x.to(rg.device("cpu"), dtype=rg.int64).dtype == rg.int64
    assert x.to(rg.ones(1, dtype=rg.int64)).dtype == x.type_as(rg.arange(1)).dtype == rg.int64
    assert x.to("cpu") is x is x.cpu() is x.contiguous() is x.to(rg.float32, non_blocking=True)
    assert x.to(rg.float32, copy=True) is not x
    with pytest.raises(ValueError, match="there is no device tpu here"):
        x.to("tpu")
    with pytest.raises(TypeError, match="to\\(\\) has no argument 'devise'"):
        x.to(devise="cpu")


def test_gradients_flow_through_conversions() -> None:
    x = rg.tensor([1.0, 2.0], requires_grad=True)
    (x.double().clone().repeat(2, 2) * rg.arange(8).view_as(rg.ones(2, 4))).sum().backward()
    assert x.grad.dtype == rg.float32
    np.testing.assert_array_equal(x.grad.numpy(), [12, 16])


def test_a_clone_is_independent() -> None:
    array = np.zeros(2, np.float32)
    clone = rg.from_numpy(array).clone()
    array[0] = 1
    assert clone.tolist() == [0, 0]


def test_shapes_are_taken_from_others() -> None:
    x = rg.arange(6)
    assert x.view_as(rg.ones(2, 3)).shape == x.reshape_as(rg.ones(3, 2)).T.shape == (2, 3)
    assert rg.ones(3, 1).expand_as(rg.ones(2, 3, 4)).shape == (2, 3, 4)
    assert rg.ones(2, 3).repeat(2, 1).shape == (4, 3)
    assert rg.ones(2, 3).sum_to_size(1, 3).tolist() == [[2, 2, 2]]


def test_a_tensor_describes_itself_as_torchs() -> None:
    x, y = rg.ones(2, 3), torch.ones(2, 3)
    for name in ("element_size", "nelement", "ndimension", "is_floating_point", "is_contiguous"):
        assert getattr(x, name)() == getattr(y, name)()
    for name in ("nbytes", "itemsize", "is_cuda"):
        assert getattr(x, name) == getattr(y, name)


def test_a_single_number_takes_a_format() -> None:
    loss = rg.tensor(1.23456)
    assert f"{loss:.3f}" == "1.235"
    assert f"{rg.tensor([7]):03d}" == "007"
    assert f"{loss}" == str(loss)
    with pytest.raises(TypeError, match="unsupported format string"):
        format(rg.ones(2), ".3f")


def test_what_is_missing_is_said_with_what_to_use() -> None:
    x = rg.ones(2)
    with pytest.raises(AttributeError, match=r"'Tensor' object has no attribute 'squeez'\. Did"):
        x.squeez  # noqa: B018  # reading it is the test
    with pytest.raises(AttributeError, match=r"'as_strided': .*rg\.unfold"):
        x.as_strided  # noqa: B018  # likewise
    assert not hasattr(x, "_nothing")
