"""Every optimizer takes PyTorch's path with the options with which PyTorch tests its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import optim
from torchdb.database import OPTIMIZERS
from torchdb.missing import MISSING_OPTIMIZERS, OPTIONS_LEFT_OUT
from torchdb.optimizers import (
    by_retrograd,
    by_torch,
    error_inputs,
    inputs,
    left_out,
    plain,
    tolerance,
)
from torchdb.report import PAGE, listed_names

OURS = [name for name in OPTIMIZERS if hasattr(optim, name)]
INPUTS = [
    pytest.param(name, plain(options), id=f"{name}, {description}")
    for name in OURS
    for description, options in inputs(name)
    if left_out(options) is None
]


@pytest.mark.parametrize(("name", "options"), INPUTS)
def test_float64_eagerly_is_pytorchs_path_to_1e_10(name: str, options: dict[str, Any]) -> None:
    ours, theirs = by_retrograd(name, options, "float64", False), by_torch(name, options, "float64")
    for mine, right in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, right, rtol=0, atol=tolerance(name, 1e-10))


# Rprop steps by the sign of a product of gradients; with these factors one comes so near 0 that the
# rounding of float32 decides it, and the paths part. In float64 they are one.
PART_IN_SINGLE = {"Rprop, non-default etas"}
IN_SINGLE = [each for each in INPUTS if each.id not in PART_IN_SINGLE]


@pytest.mark.parametrize(("name", "options"), IN_SINGLE)
def test_float32_compiled_is_pytorchs_path_to_float32_precision(
    name: str, options: dict[str, Any]
) -> None:
    ours, theirs = by_retrograd(name, options, "float32", True), by_torch(name, options, "float32")
    for mine, right in zip(ours, theirs, strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, right, rtol=1e-4, atol=tolerance(name, 1e-5))


REFUSED = [
    pytest.param(name, params, options, id=f"{name}, {description}")
    for name in OURS
    for description, params, options in error_inputs(name)
]


@pytest.mark.parametrize(("name", "params", "options"), REFUSED)
def test_what_pytorch_refuses_is_refused(name: str, params: Any, options: dict[str, Any]) -> None:
    parameters: dict[int, rg.Parameter] = {}
    with pytest.raises((ValueError, TypeError)):
        getattr(optim, name)(
            [rg.Parameter(np.ones((2, 2)))] if params is None else converted(params, parameters),
            **converted(options, parameters),
        )


def converted(value: Any, parameters: dict[int, rg.Parameter]) -> Any:
    """Parameters as ours, the same one for the same one."""
    if isinstance(value, torch.nn.Parameter):
        return parameters.setdefault(id(value), rg.Parameter(value.detach().numpy()))
    if isinstance(value, torch.Tensor):
        return rg.Tensor(value.numpy())
    if isinstance(value, list | tuple):
        return type(value)(converted(each, parameters) for each in value)
    if isinstance(value, dict):
        return {name: converted(each, parameters) for name, each in value.items()}
    return value


@pytest.mark.parametrize("option", OPTIONS_LEFT_OUT)
@pytest.mark.parametrize("name", OURS)
def test_an_option_that_is_left_out_is_refused(name: str, option: str) -> None:
    with pytest.raises(TypeError, match=option):
        getattr(optim, name)([rg.Parameter(np.ones(2))], **{option: True})


def test_the_optimizers_that_are_missing_are_those_known_to_be() -> None:
    missing = set(OPTIMIZERS) - set(OURS)
    assert missing == set(MISSING_OPTIMIZERS)


def test_docs_coverage_modules_lists_the_optimizers_as_they_are() -> None:
    listed = listed_names(PAGE.read_text(encoding="utf-8"))
    assert {name: listed.get(f"optim.{name}") for name in OPTIMIZERS} == {
        name: name in OURS for name in OPTIMIZERS
    }
