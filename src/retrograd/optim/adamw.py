"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.adam import moments_step
from retrograd.optim.base import Optimizer, Params, penalty, rounded
from retrograd.optim.slots import Slots

__all__ = ["AdamW"]


class AdamW(Optimizer):
    """Adam, with the decay taken off the weights directly rather than added to the gradient.

        x ← x − γ (λ x + λ₁ sign(x))
        x ← x − γ m̂ / (√v̂ + ε)         m̂, v̂ as in Adam

    Loshchilov and Hutter, "Decoupled weight decay regularization" (2019), algorithm 2, with the
    schedule multiplier in `lr`.

    `lr` is γ, `betas` (β₁, β₂), `eps` ε, `weight_decay` λ; `l1`, λ₁, is not in PyTorch.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
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
        decay = penalty(xp, x, options)
        if decay is not None:
            x = x - rounded(lr, x.dtype) * decay
        return x - moments_step(xp, g, slots, lr, t, options)
