"""Rprop: resilient propagation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params
from retrograd.optim.slots import Slots

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Steps by the sign of the gradient alone, longer while it stays and shorter when it turns.

        s ← clip(s η⁺)  where g · g' > 0,  clip(s η⁻) where g · g' < 0        g' of the step before
        g ← 0           where g · g' < 0
        x ← x − s sign(g)

    Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning" (1993). It
    is for gradients of all rows: noise turns signs.

    The first s is `lr`; `etas` are (η⁻, η⁺), `step_sizes` the least and the largest s. Raises
    ValueError unless 0 < η⁻ < 1 < η⁺.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
    ) -> None:
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(
                f"Rprop: etas must be below 1 (above 0) and above 1; found {etas[0]} and {etas[1]}"
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
            },
        )

    def _update(
        self,
        xp: Namespace,
        x: Array,
        g: Array,
        slots: Slots,
        lr: Any,
        t: Any,
        options: Mapping[str, Any],
    ) -> Array:
        shorter, longer = options["etas"]
        along = g * slots["prev"]
        factor = xp.where(along > 0, longer, xp.where(along < 0, shorter, 1.0)).astype(x.dtype)
        sizes = xp.where(t == 1, lr, slots["step_size"]).astype(x.dtype)
        sizes = slots["step_size"] = xp.clip(sizes * factor, *options["step_sizes"])
        g = slots["prev"] = xp.where(along < 0, 0, g)
        return x - xp.sign(g) * sizes
