"""AdaGrad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, penalized, rounded
from retrograd.optim.slots import Slots

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """AdaGrad: each weight's step shrinks with the squared gradients that it has seen.

        g ← g + λ x + λ₁ sign(x)
        s ← s + g²
        x ← x − γ / (1 + (t − 1) η) · g / (√(s₀ + s) + ε)

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization" (2011), figure 1 with a diagonal matrix.

    `lr` is γ, `lr_decay` η, `weight_decay` λ, `initial_accumulator_value` s₀, `eps` ε; `l1`, λ₁, is
    not in PyTorch. The saved `sum` is s without s₀, which PyTorch's includes.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        l1: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
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
        s = slots["sum"] = slots["sum"] + xp.square(g)
        scale = xp.sqrt(options["initial_accumulator_value"] + s)
        scale += options["eps"]
        return x - rounded(lr / (1 + (t - 1) * options["lr_decay"]), x.dtype) * (g / scale)
