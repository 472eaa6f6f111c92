"""Schedule-free AdamW: averages in the place of a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Closure, Optimizer, Params, average, rounded
from retrograd.optim.slots import Slots
from retrograd.variable import Parameter

__all__ = ["AdamWScheduleFree"]


class AdamWScheduleFree(Optimizer):
    """AdamW that needs no schedule: it steps from an average, and answers with an average.

        y = (1 − β₁) z + β₁ x                       the weights while training; g is taken there
        v ← β₂ v + (1 − β₂) g²
        z ← z − γₜ [g / (√(v / (1 − β₂ᵗ)) + ε) + λ y]
        c = γₜ² / (γ₁² + ... + γₜ²)
        x ← (1 − c) x + c z                         the weights to use

    with γₜ = γ min(1, t / `warmup_steps`). Call `optimizer.eval()` before the model is used or
    saved, which puts x in the parameters, and `optimizer.train()` before training goes on.

    Defazio et al., "The road less scheduled" (2024), algorithm 1 with warm-up and AdamW's base.

    `lr` is γ, `betas` (β₁, β₂), `eps` ε, `weight_decay` λ. PyTorch has none.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2.5e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "warmup_steps": warmup_steps,
            },
        )
        self._training = True

    def _shapes(self, parameter: Parameter) -> Mapping[str, tuple[int, ...]]:
        return {"weight_sum": ()}

    def step(self, closure: Closure | None = None) -> Any:
        """Take a step; raises RuntimeError after `eval()`."""
        if not self._training:
            raise RuntimeError(
                "AdamWScheduleFree: the parameters hold the averages; call optimizer.train() first"
            )
        return super().step(closure)

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
        y, first = x, t == 1
        z, x = xp.where(first, y, slots["z"]), xp.where(first, y, slots["x"])
        v = slots["exp_avg_sq"] = average(slots["exp_avg_sq"], xp.square(g), beta2)
        scale = xp.sqrt(v / rounded(1 - beta2**t, y.dtype))
        scale += options["eps"]
        gamma = lr * xp.minimum(1.0, t / max(options["warmup_steps"], 1))
        z = slots["z"] = z - rounded(gamma, y.dtype) * (g / scale + options["weight_decay"] * y)
        total = slots["weight_sum"] = xp.asarray(slots["weight_sum"] + gamma**2, y.dtype)
        c = xp.where(total > 0, gamma**2 / xp.where(total > 0, total, 1.0), 1.0)
        x = slots["x"] = x + rounded(c, y.dtype) * (z - x)
        return average(z, x, 1 - beta1)

    def eval(self) -> None:
        """Put the averages x in the parameters."""
        if self._training:
            for group in self.param_groups:
                for parameter, steps in zip(group.params, group.steps, strict=True):
                    if steps:
                        parameter.data = self.state[parameter]["x"].astype(parameter.dtype)
        self._training = False

    def train(self) -> None:
        """Put the weights y, from which steps are taken, in the parameters."""
        if not self._training:
            for group in self.param_groups:
                share = 1 - group["betas"][0]
                for parameter, steps in zip(group.params, group.steps, strict=True):
                    slots = self.state[parameter]
                    if steps:
                        mixed = average(slots["z"], slots["x"], share)
                        parameter.data = mixed.astype(parameter.dtype)
        self._training = True
