"""RMSprop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, penalized, rounded
from retrograd.optim.slots import Slots

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop: each weight's step is divided by the root of a moving average of its g².

        g ← g + λ x + λ₁ sign(x)
        v ← α v + (1 − α) g²
        m ← α m + (1 − α) g             centered; else m = 0
        u ← g / (√(v − m²) + ε)
        b ← μ b + u
        x ← x − γ b

    Tieleman and Hinton, "Lecture 6.5: rmsprop" (2012); centered as in Graves, "Generating sequences
    with recurrent neural networks" (2013), equations 38-45, here with ε outside the root.

    `lr` is γ, `eps` ε, `weight_decay` λ, `momentum` μ; `l1`, λ₁, is not in PyTorch. Where rounding
    makes v − m² negative, 0 stands for it; PyTorch's weight becomes NaN.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        l1: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
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
        g = penalized(xp, g, x, options)
        alpha = options["alpha"]
        v = slots["square_avg"] = average(slots["square_avg"], xp.square(g), alpha)
        if options["centered"]:
            m = slots["grad_avg"] = average(slots["grad_avg"], g, alpha)
            v = xp.maximum(v - xp.square(m), 0)
        scale = xp.sqrt(v)
        scale += options["eps"]
        u = g / scale
        if mu := options["momentum"]:
            u = slots["momentum_buffer"] = mu * slots["momentum_buffer"] + u
        return x - rounded(lr, x.dtype) * u
