"""Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, penalized, rounded
from retrograd.optim.slots import Slots

__all__ = ["Adam", "moments_step"]


def moments_step(
    xp: Namespace, g: Array, slots: Slots, lr: Any, t: Any, options: Mapping[str, Any]
) -> Array:
    """γ m̂ / (√v̂ + ε), the step of Adam and AdamW; moves the moments on."""
    beta1, beta2 = options["betas"]
    m = slots["exp_avg"] = average(slots["exp_avg"], g, beta1)
    v = slots["exp_avg_sq"] = average(slots["exp_avg_sq"], xp.square(g), beta2)
    if options["amsgrad"]:
        v = slots["max_exp_avg_sq"] = xp.maximum(slots["max_exp_avg_sq"], v)
    # With c = √(1 − β₂ᵗ) the step is (γ c / (1 − β₁ᵗ)) m / (√v + ε c): the numbers are corrected
    # instead of the arrays, as the paper proposes at the end of its section 2.
    c = (1 - beta2**t) ** 0.5
    scale = xp.sqrt(v)
    scale += rounded(options["eps"] * c, g.dtype)
    step = m / scale
    step *= rounded(lr * c / (1 - beta1**t), g.dtype)
    return step


class Adam(Optimizer):
    """Adam: moving averages of the gradient and of its square, each corrected for its start at 0.

        g ← g + λ x + λ₁ sign(x)
        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²          AMSGrad: the largest v so far takes its place below
        m̂ = m / (1 − β₁ᵗ)
        v̂ = v / (1 − β₂ᵗ)
        x ← x − γ m̂ / (√v̂ + ε)

    Kingma and Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1; Reddi, Kale and
    Kumar, "On the convergence of Adam and beyond" (2018), for AMSGrad.

    `lr` is γ, `betas` (β₁, β₂), `eps` ε, `weight_decay` λ; `l1`, λ₁, is not in PyTorch.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        l1: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "l1": l1,
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
        return x - moments_step(xp, penalized(xp, g, x, options), slots, lr, t, options)
