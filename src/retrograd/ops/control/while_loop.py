"""A loop that goes on as long as a condition holds; see `scan` for what a step may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrograd.arrays import is_jax, state
from retrograd.autodiff.tape import Tensor
from retrograd.ops.control.loops import scan
from retrograd.ops.control.trees import flatten, rebuild, same_layout
from retrograd.ops.elementwise.selection import where

__all__ = ["while_loop"]


def while_loop(
    cond_fn: Callable[[Any], Any],
    body_fn: Callable[[Any], Any],
    carry: Any,
    max_steps: int | None = None,
) -> Any:
    """`carry = body_fn(carry)` as long as `cond_fn(carry)` holds, at most `max_steps` times.

    A gradient must know how many steps it goes back over: in a compiled step `max_steps` says how
    long the loop can get, and what comes after its end is computed and not used. Raises ValueError
    for a compiled loop without it.
    """
    leaves: list[Tensor] = []
    layout = flatten(carry, leaves)
    if state.trace is None and not any(is_jax(leaf.data) for leaf in leaves):
        taken = 0
        while (max_steps is None or taken < max_steps) and bool(cond_fn(carry)):
            carry = body_fn(carry)
            taken += 1
        return carry
    if max_steps is None:
        raise ValueError("while_loop: in a compiled step say how long it can get: max_steps=...")

    def step(carry: Any, _: None) -> tuple[Any, Any]:
        old: list[Tensor] = []
        new: list[Tensor] = []
        flatten(carry, old)
        same_layout(body_fn, "while_loop", flatten(body_fn(carry), new), layout)
        goes_on = cond_fn(carry)
        kept = [where(goes_on, b, a) for a, b in zip(old, new, strict=True)]
        return rebuild(layout, iter(kept)), None

    return scan(step, carry, length=max_steps)[0]
