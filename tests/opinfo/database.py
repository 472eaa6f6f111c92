"""PyTorch's OpInfo database: its operations that support autograd, and their samples as arrays."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

# The database imports test-only packages, some of which warn on import.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db

__all__ = ["OPERATIONS", "Sample", "full_name", "samples", "theirs"]


def full_name(op: Any) -> str:
    """The name of an entry, with its variant: `div.floor_rounding`."""
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else str(op.name)


# The same name may stand for several entries that differ in dtypes only; the first holds float64.
OPERATIONS: dict[str, Any] = {full_name(op): op for op in op_db if op.supports_autograd}


class Sample(NamedTuple):
    """One call: its arguments, with tensors of float64 values that float32 holds exactly."""

    input: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    process: Callable[[Any], Any]  # what makes the result unique, such as the sign of a vector


def samples(op: Any) -> Iterator[Sample]:
    """The real-valued samples of `op`, the same at every call."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each in op.sample_inputs("cpu", torch.float64, requires_grad=True):
            kwargs = {name: rounded(value) for name, value in each.kwargs.items()}
            args = tuple(rounded(value) for value in each.args)
            yield Sample(rounded(each.input), args, kwargs, each.output_process_fn_grad)


def rounded(value: Any) -> Any:
    """Tensors as leaves with values that float32 holds, so that both precisions see one problem."""
    if isinstance(value, torch.Tensor):
        leaf = value.detach()
        if leaf.dtype == torch.float64:
            leaf = leaf.to(torch.float32).to(torch.float64)
            # Rounding must not move a value out of the domain that the sample was drawn from.
            leaf = torch.where(leaf.abs() > value.detach().abs(), _towards_zero(leaf), leaf)
        return leaf.requires_grad_(value.requires_grad)
    if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        return type(value)(rounded(each) for each in value)
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return value


def _towards_zero(values: torch.Tensor) -> torch.Tensor:
    single = values.to(torch.float32)
    return torch.nextafter(single, torch.zeros_like(single)).to(torch.float64)


class Answer(NamedTuple):
    """What PyTorch computes for a sample, in float64."""

    outputs: list[np.ndarray[Any, Any]]
    weights: list[np.ndarray[Any, Any] | None]  # the cotangent of each output
    first: list[np.ndarray[Any, Any]]  # the gradient of each tensor that requires one
    slopes: list[np.ndarray[Any, Any]]  # the weights of the first gradients in the second order
    second: list[np.ndarray[Any, Any]] | None  # and of each cotangent


def theirs(
    op: Any,
    sample: Sample,
    part: Callable[[Any], Any] | None = None,
    wrapped: bool = False,
    order: int = 2,
) -> Answer:
    """PyTorch's value and gradients of `part` of its result, weighed with fixed random cotangents.

    `wrapped` calls the operation as PyTorch's own gradient checks do.
    """
    second = op.supports_gradgrad and order == 2
    rng = np.random.default_rng(0)
    # Of its kernels for attention only the plain one can be differentiated twice.
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
        warnings.simplefilter("ignore")
        called = functools.partial(op.gradcheck_wrapper, op.op) if wrapped else op.op
        result = sample.process(called(sample.input, *sample.args, **sample.kwargs))
        result = result if part is None else part(result)
        outputs = flat_tensors(result)
        leaves = [tensor for tensor in flat_tensors(sample[:3]) if tensor.requires_grad]
        roots = [out for out in outputs if out.requires_grad]
        draws = [rng.uniform(0.5, 1.5, out.shape) if out.requires_grad else None for out in outputs]
        cotangents = [torch.tensor(w, requires_grad=True) for w in draws if w is not None]
        if any(out.is_complex() for out in roots):
            raise TypeError("a complex result")
        first = _grad(roots, leaves, cotangents, create_graph=second)
        slopes = [rng.uniform(0.5, 1.5, leaf.shape) for leaf in leaves]
        found = None
        if second:
            pairs = [(g, w) for g, w in zip(first, slopes, strict=True) if g is not None]
            total = [(g * torch.tensor(w)).sum() for g, w in pairs if g.requires_grad]
            points = [*leaves, *cotangents]
            found = _arrays(_grad(total, points, None, create_graph=False), points)
    return Answer(
        [out.detach().numpy() for out in outputs], draws, _arrays(first, leaves), slopes, found
    )


def _grad(
    roots: list[torch.Tensor], leaves: list[torch.Tensor], cotangents: Any, create_graph: bool
) -> list[torch.Tensor | None]:
    if not roots or not leaves:
        return [None] * len(leaves)
    return list(
        torch.autograd.grad(roots, leaves, cotangents, create_graph=create_graph, allow_unused=True)
    )


def _arrays(
    found: list[torch.Tensor | None], points: list[torch.Tensor]
) -> list[np.ndarray[Any, Any]]:
    return [
        np.zeros(tuple(point.shape)) if each is None else each.detach().numpy(force=True)
        for each, point in zip(found, points, strict=True)
    ]


def flat_tensors(value: Any) -> list[torch.Tensor]:
    """Every tensor inside nested lists, tuples and dicts, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [tensor for each in value for tensor in flat_tensors(each)]
    return []


@functools.cache
def numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    """NumPy's name of a dtype of PyTorch's."""
    return np.dtype(torch.empty((), dtype=dtype).numpy().dtype)
