"""There is one device at a time, by PyTorch's names for it."""

from __future__ import annotations

import pytest

import retrograd as rg
from retrograd import devices


def test_a_device_is_its_name_and_number() -> None:
    one = devices.Device("cuda:1")
    assert (one.type, one.index, str(one)) == ("cuda", 1, "cuda:1")
    assert one == "cuda:1" == devices.Device("cuda", 1) != devices.Device("cuda")
    assert hash(one) == hash(devices.Device(one))
    assert repr(devices.Device("cpu")) == "device(type='cpu')"
    assert rg.device is devices.Device


def test_the_cpu_is_always_there_and_another_place_is_refused() -> None:
    devices.check(None)
    devices.check("cpu")
    with pytest.raises(ValueError, match="there is no device tpu here: JAX computes on"):
        devices.check("tpu")


def test_an_array_of_either_engine_knows_its_place() -> None:
    assert rg.ones(1).device.type == "cpu"
    inside = []
    step = rg.compile(lambda x: (inside.append(x.device.type), x)[1])
    assert step(rg.ones(1)).device.type == inside[0]
