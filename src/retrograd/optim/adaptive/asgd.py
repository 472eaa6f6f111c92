"""ASGD: averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, penalized, rounded
from retrograd.optim.slots import Slots
from retrograd.variable import Parameter

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Stochastic gradient descent with a falling step, and an average of the weights beside it.

        g ← g + λ x
        x ← (1 − l η) x − η g
        a ← a + μ (x − a)                               a is `state[x]["ax"]`
        η ← γ / (1 + l γ t)^α,  μ ← 1 / max(1, t − t₀)

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992); steps as in
    Bottou, "Large-scale machine learning with stochastic gradient descent" (2010).

    `lr` is γ, `lambd` l, `alpha` α, `t0` t₀, `weight_decay` λ.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
            },
        )

    def _shapes(self, parameter: Parameter) -> Mapping[str, tuple[int, ...]]:
        return {"eta": (), "mu": ()}

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
        decay = options["lambd"]
        eta = xp.where(t == 1, lr, slots["eta"])
        mu = xp.where(t == 1, 1.0, slots["mu"])
        x = rounded(1 - decay * eta, x.dtype) * x - rounded(eta, x.dtype) * g
        a = slots["ax"]
        slots["ax"] = a + rounded(mu, x.dtype) * (x - a)
        slots["eta"] = xp.asarray(lr / (1 + decay * lr * t) ** options["alpha"], x.dtype)
        slots["mu"] = xp.asarray(1 / xp.maximum(1.0, t - options["t0"]), x.dtype)
        return x
