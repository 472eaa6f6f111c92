"""Muon: momentum made orthogonal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.optim.base import Optimizer, Params, average, rounded
from retrograd.optim.slots import Slots
from retrograd.variable import Parameter

__all__ = ["Muon"]


class Muon(Optimizer):
    """Steps whose singular values are all about 1, for the matrices within a network.

        b ← μ b + (1 − μ) g
        u = (1 − μ) g + μ b                         with `nesterov`; else u = b
        O ≈ U Vᵀ of u = U S Vᵀ                      by `ns_steps` of X ← a X + (b A + c A²) X
        x ← (1 − γ λ) x − γ' O                      A = X Xᵀ, from X = u / ‖u‖

    γ' is γ √max(1, rows / columns), or with `adjust_lr_fn="match_rms_adamw"`
    0.2 γ √max(rows, columns), so that rates found for AdamW serve.

    Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); Liu et al.,
    "Muon is scalable for LLM training" (2025). PyTorch iterates in bfloat16; this one in
    the matrix's dtype.

    `lr` is γ, `weight_decay` λ, `momentum` μ, `ns_coefficients` (a, b, c), `eps` the least ‖u‖.
    Raises ValueError for a parameter that is not a matrix (train those with AdamW beside it), or
    another `adjust_lr_fn`.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                "Muon: adjust_lr_fn must be 'original' or 'match_rms_adamw'; found "
                f"{adjust_lr_fn!r}"
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )

    def _shapes(self, parameter: Parameter) -> Mapping[str, tuple[int, ...]]:
        if parameter.ndim != 2:
            raise ValueError(
                f"Muon trains matrices; found a parameter of shape {parameter.shape}. Give it to "
                "another optimizer, as optim.AdamW"
            )
        return {}

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
        mu = options["momentum"]
        b = slots["momentum_buffer"] = average(slots["momentum_buffer"], g, mu)
        u = average(g, b, 1 - mu) if options["nesterov"] else b
        rows, columns = x.shape
        factor = math.sqrt(max(1.0, rows / columns))
        if options["adjust_lr_fn"] == "match_rms_adamw":
            factor = 0.2 * math.sqrt(max(rows, columns))
        x = rounded(1 - lr * options["weight_decay"], x.dtype) * x
        return x - rounded(lr * factor, x.dtype) * _orthogonal(xp, u, options)


def _orthogonal(xp: Namespace, u: Array, options: Mapping[str, Any]) -> Array:
    """About U Vᵀ of u = U S Vᵀ: an odd polynomial, applied again and again, draws S to 1."""
    a, b, c = options["ns_coefficients"]
    tall = u.shape[0] > u.shape[1]
    wide = u.T if tall else u
    wide = wide / xp.maximum(xp.linalg.norm(wide), options["eps"])
    for _ in range(options["ns_steps"]):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * (gram @ gram)) @ wide
    return wide.T if tall else wide
