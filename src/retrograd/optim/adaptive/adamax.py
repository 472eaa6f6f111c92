"""Adamax: Adam by the largest gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, penalized, rounded
from retrograd.optim.slots import Slots

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam whose scale is the largest gradient so far, as it fades.

        g ← g + λ x
        m ← β₁ m + (1 − β₁) g
        u ← max(β₂ u, |g| + ε)
        x ← x − γ / (1 − β₁ᵗ) m / u

    Kingma and Ba, "Adam: a method for stochastic optimization" (2015), algorithm 2; the ε is
    PyTorch's.

    `lr` is γ, `betas` (β₁, β₂), `eps` ε, `weight_decay` λ.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
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
        g = penalized(xp, g, x, options)
        beta1, beta2 = options["betas"]
        m = slots["exp_avg"] = average(slots["exp_avg"], g, beta1)
        u = xp.maximum(beta2 * slots["exp_inf"], xp.abs(g) + options["eps"])
        slots["exp_inf"] = u
        return x - rounded(lr / (1 - beta1**t), x.dtype) * (m / u)
