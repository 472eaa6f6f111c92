"""Which operations a model is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.arrays import state
from retrograd.autodiff.primitive import Primitive
from retrograd.autodiff.tape import no_grad
from retrograd.tensor import Tensor

__all__ = ["operations"]

Array = np.ndarray[Any, Any]

# These give what is there another shape or another type, and leave the numbers as they are.
_SHAPES = frozenset({"reshape", "permute", "broadcast_to", "pick", "cast"})


def operations(model: nn.Module, inputs: Sequence[Array]) -> tuple[str, ...]:
    """The names of the primitives that run for `inputs` in evaluation mode, in order."""
    names: list[str] = []

    def watch(applied: Primitive, operands: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        state.watch = None
        try:
            # The weights' own reshaping is no step of the forward pass.
            if applied.name not in _SHAPES:
                names.append(applied.name)
            return applied(*operands, **attributes)
        finally:
            state.watch = watch

    was_training = model.training
    before, state.watch = state.watch, watch
    try:
        with no_grad():
            model.eval()(*map(Tensor, inputs))
    finally:
        state.watch = before
        model.train(was_training)
    return tuple(names)
