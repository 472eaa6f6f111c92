"""Parameters as one vector and back."""

from __future__ import annotations

from collections.abc import Iterable

from retrograd import ops
from retrograd.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters, one after the other; gradients flow through."""
    return ops.concatenate([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Set the parameters from a vector as `parameters_to_vector` makes it.

    Raises ValueError for a vector of another length; nothing is then changed.
    """
    parameters = list(parameters)
    sizes = [parameter.numel() for parameter in parameters]
    if vec.shape != (sum(sizes),):
        raise ValueError(
            f"vector_to_parameters: the parameters have {sum(sizes)} elements, found a vector of "
            f"shape {tuple(vec.shape)}"
        )
    parts = ops.split(vec.detach(), sizes)
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.data = part.reshape(parameter.shape).astype(parameter.dtype).data
