"""Which operations a model runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.primitive import Primitive
from retrograd.autodiff.tape import no_grad
from retrograd.tensor import Tensor

__all__ = ["operations"]

Array = np.ndarray[Any, Any]

# These change only the shape or the dtype, not the values.
_SHAPES = frozenset({"reshape", "permute", "broadcast_to", "pick", "cast"})


def operations(model: nn.Module, inputs: Sequence[Array]) -> tuple[str, ...]:
    """The names of the primitives that run for `inputs` in evaluation mode, in order."""
    names: list[str] = []

    def note(applied: Primitive, *_: Any) -> None:
        # Reshaping, for example of weights, is not a step of the forward pass.
        if applied.name not in _SHAPES:
            names.append(applied.name)

    with nn.evaluating(model), no_grad(), hooks(operation=note):
        model(*map(Tensor, inputs))
    return tuple(names)
