"""Adadelta."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, penalized, rounded
from retrograd.optim.slots import Slots

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Steps in the units of the weights: scaled by past steps over past gradients.

        g ← g + λ x
        v ← ρ v + (1 − ρ) g²
        d ← √(u + ε) / √(v + ε) g
        u ← ρ u + (1 − ρ) d²
        x ← x − γ d

    Zeiler, "Adadelta: an adaptive learning rate method" (2012), algorithm 1.

    `lr` is γ, `rho` ρ, `eps` ε, `weight_decay` λ.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
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
        rho, eps = options["rho"], options["eps"]
        v = slots["square_avg"] = average(slots["square_avg"], xp.square(g), rho)
        u = slots["acc_delta"]
        d = xp.sqrt(u + eps) / xp.sqrt(v + eps) * g
        slots["acc_delta"] = average(u, xp.square(d), rho)
        return x - rounded(lr, x.dtype) * d
