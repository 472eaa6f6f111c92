"""Lion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, rounded
from retrograd.optim.slots import Slots

__all__ = ["Lion"]


class Lion(Optimizer):
    """Steps of equal size by the sign of a momentum.

        c = β₁ m + (1 − β₁) g
        x ← x − γ (sign(c) + λ x)
        m ← β₂ m + (1 − β₂) g

    Chen et al., "Symbolic discovery of optimization algorithms" (2023), program 1. Its learning
    rate is three to ten times smaller than AdamW's, its decay that much larger.

    `lr` is γ, `betas` (β₁, β₂), `weight_decay` λ. PyTorch has no Lion.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "weight_decay": weight_decay,
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
        beta1, beta2 = options["betas"]
        m = slots["exp_avg"]
        step = xp.sign(average(m, g, beta1)) + options["weight_decay"] * x
        slots["exp_avg"] = average(m, g, beta2)
        return x - rounded(lr, x.dtype) * step
