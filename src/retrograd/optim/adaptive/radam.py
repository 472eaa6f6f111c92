"""RAdam: Adam that waits for its variance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, decayed, rounded
from retrograd.optim.slots import Slots

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Adam whose step is rectified while v rests on few gradients, and is m alone before that.

        ρ∞ = 2 / (1 − β₂) − 1,  ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
        m̂ = m / (1 − β₁ᵗ)
        r = √[(ρ − 4) (ρ − 2) ρ∞ / ((ρ∞ − 4) (ρ∞ − 2) ρ)]
        x ← x − γ m̂ r √(1 − β₂ᵗ) / (√v + ε)        where ρ > 5
        x ← x − γ m̂                                elsewhere

    Liu et al., "On the variance of the adaptive learning rate and beyond" (2020), algorithm 2.

    `lr` is γ, `betas` (β₁, β₂), `eps` ε. `weight_decay` λ is added to the gradient, or with
    `decoupled_weight_decay` taken off the weights.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
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
        x, g = decayed(xp, x, g, lr, options)
        beta1, beta2 = options["betas"]
        m = slots["exp_avg"] = average(slots["exp_avg"], g, beta1)
        v = slots["exp_avg_sq"] = average(slots["exp_avg_sq"], xp.square(g), beta2)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        known = length > 5
        length = xp.where(known, length, 5.0)  # so that the root below exists
        r = (
            (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        ) ** 0.5
        scale = xp.sqrt(v)
        scale += options["eps"]
        rectified = rounded(r * (1 - beta2**t) ** 0.5, x.dtype) / scale
        return x - rounded(lr / (1 - beta1**t), x.dtype) * m * xp.where(known, rectified, 1.0)
