"""Adafactor: Adam in less memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.dtypes import finfo
from retrograd.optim.base import Optimizer, Params, rounded
from retrograd.optim.slots import Slots
from retrograd.variable import Parameter

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adam whose mean of squares is kept as one row and one column of each matrix.

        ρ = min(γ, 1 / √t),  α = max(ε₂, RMS(x)) ρ,  β̂ = 1 − t^τ
        x ← x − γ λ x
        R ← β̂ R + (1 − β̂) mean of g² over columns,  C ← β̂ C + (1 − β̂) mean of g² over rows
        V = R C / mean(R)                           of a vector: V ← β̂ V + (1 − β̂) g²
        u = g / √max(V, ε₁²)
        x ← x − α u / max(1, RMS(u) / d)

    Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost" (2018),
    algorithm 4, as PyTorch arranges it.

    `lr` is γ, `beta2_decay` τ, `eps` (ε₁, ε₂) with the dtype's precision for None, `d` d,
    `weight_decay` λ. Raises ValueError for a `beta2_decay` above 0, an ε below 0 or a d below 1.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        if beta2_decay > 0 or d < 1 or min(eps[0] or 0, eps[1]) < 0:
            raise ValueError(
                "Adafactor: beta2_decay must be at most 0, d at least 1, and both eps at least 0; "
                f"found {beta2_decay}, {d} and {eps}"
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
            },
        )

    def _shapes(self, parameter: Parameter) -> Mapping[str, tuple[int, ...]]:
        shape = parameter.shape
        if len(shape) < 2:
            return {}
        return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}

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
        eps1, eps2 = options["eps"]
        eps1 = float(finfo(x.dtype).eps) if eps1 is None else eps1
        rate = xp.minimum(lr, t**-0.5)
        alpha = xp.maximum(eps2, _rms(xp, x)) * rounded(rate, x.dtype)
        if decay := options["weight_decay"]:
            x = rounded(1 - lr * decay, x.dtype) * x
        fresh = rounded(1.0 * t ** options["beta2_decay"], x.dtype)
        squares = xp.square(g)
        if x.ndim > 1:
            rows, columns = slots["row_var"], slots["col_var"]
            rows = rows + fresh * (xp.mean(squares, -1, keepdims=True) - rows)
            columns = columns + fresh * (xp.mean(squares, -2, keepdims=True) - columns)
            slots["row_var"], slots["col_var"] = rows, columns
            v = rows @ columns / xp.maximum(xp.mean(rows, -2, keepdims=True), eps1)
        else:
            v = slots["variance"] + fresh * (squares - slots["variance"])
            slots["variance"] = v
        u = g / xp.sqrt(xp.maximum(v, eps1 * eps1))
        return x - alpha / xp.maximum(1.0, _rms(xp, u) / options["d"]) * u


def _rms(xp: Namespace, values: Array) -> Array:
    """The root of the mean of squares."""
    return xp.sqrt(xp.mean(xp.square(values)))
