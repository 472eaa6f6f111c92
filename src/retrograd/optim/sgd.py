"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, penalized, rounded
from retrograd.optim.slots import Slots

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum μ and dampening τ.

        g ← g + λ x + λ₁ sign(x)
        b ← μ b + (1 − τ) g             (b ← g in the first step)
        x ← x − γ b                     plain momentum
        x ← x − γ (g + μ b)             Nesterov's

    Polyak, "Some methods of speeding up the convergence of iteration methods" (1964); Nesterov's
    form as in Sutskever et al., "On the importance of initialization and momentum in deep
    learning" (2013), rearranged, as in PyTorch, so that γ scales the step and not the buffer.

    `lr` is γ, `weight_decay` λ; `l1`, λ₁, is not in PyTorch. Raises ValueError for Nesterov's form
    without momentum or with dampening.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        l1: float = 0.0,
    ) -> None:
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError(
                "SGD: nesterov=True needs momentum above 0 and dampening 0; found momentum="
                f"{momentum}, dampening={dampening}"
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
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
        if mu := options["momentum"]:
            b = mu * slots["momentum_buffer"]
            if dampening := options["dampening"]:
                b += rounded(xp.where(t == 1, 1.0, 1 - dampening), x.dtype) * g
            else:
                b += g
            slots["momentum_buffer"] = b
            g = g + mu * b if options["nesterov"] else b
        return x - rounded(lr, x.dtype) * g
