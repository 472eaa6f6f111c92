"""LAMB: layerwise adaptive moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, rounded
from retrograd.optim.slots import Slots

__all__ = ["LAMB"]


class LAMB(Optimizer):
    """Adam whose step is as long as a share γ of the parameter itself, for large batches.

        m̂, v̂ as in Adam
        r = m̂ / (√v̂ + ε) + λ x
        x ← x − γ ‖x‖ / ‖r‖ r               ‖x‖ / ‖r‖ is 1 where either is 0

    You et al., "Large batch optimization for deep learning" (2020), algorithm 2, with φ the
    identity.

    `lr` is γ, `betas` (β₁, β₂), `eps` ε, `weight_decay` λ. PyTorch has no LAMB.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
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
        beta1, beta2 = options["betas"]
        m = slots["exp_avg"] = average(slots["exp_avg"], g, beta1)
        v = slots["exp_avg_sq"] = average(slots["exp_avg_sq"], xp.square(g), beta2)
        scale = xp.sqrt(v / rounded(1 - beta2**t, x.dtype))
        scale += options["eps"]
        r = m / rounded(1 - beta1**t, x.dtype) / scale
        r += options["weight_decay"] * x
        long, wide = xp.linalg.norm(x.reshape(-1)), xp.linalg.norm(r.reshape(-1))
        some = (long > 0) & (wide > 0)
        trust = xp.where(some, long / xp.where(some, wide, 1), 1).astype(x.dtype)
        return x - rounded(lr, x.dtype) * trust * r
