"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, decayed, rounded
from retrograd.optim.slots import Slots
from retrograd.variable import Parameter

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam whose step looks ahead by Nesterov's momentum μ, which rises with time.

        μₜ = β₁ (1 − 0.96^(t ψ) / 2),  Πₜ = μ₁ μ₂ ... μₜ
        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²
        x ← x − γ [(1 − μₜ) g / (1 − Πₜ) + μₜ₊₁ m / (1 − Πₜ μₜ₊₁)] / (√(v / (1 − β₂ᵗ)) + ε)

    Dozat, "Incorporating Nesterov momentum into Adam" (2016), algorithm 8.

    `lr` is γ, `betas` (β₁, β₂), `eps` ε, `momentum_decay` ψ. `weight_decay` λ is added to the
    gradient, or with `decoupled_weight_decay` taken off the weights.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _shapes(self, parameter: Parameter) -> Mapping[str, tuple[int, ...]]:
        return {"mu_product": ()}

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
        x, g = decayed(xp, x, g, lr, options)
        beta1, beta2 = options["betas"]
        mu, following = (
            beta1 * (1 - 0.5 * 0.96 ** (count * options["momentum_decay"])) for count in (t, t + 1)
        )
        product = xp.where(t == 1, 1.0, slots["mu_product"]) * mu
        slots["mu_product"] = xp.asarray(product, x.dtype)
        m = slots["exp_avg"] = average(slots["exp_avg"], g, beta1)
        v = slots["exp_avg_sq"] = average(slots["exp_avg_sq"], xp.square(g), beta2)
        scale = xp.sqrt(v / rounded(1 - beta2**t, x.dtype))
        scale += options["eps"]
        step = rounded(lr * (1 - mu) / (1 - product), x.dtype) * g
        step += rounded(lr * following / (1 - product * following), x.dtype) * m
        return x - step / scale
