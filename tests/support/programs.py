"""How long the program of a compiled step is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jax
import pytest

import retrograd as rg


class _Traced(Exception):
    """The step has been traced; compiling it would only take time."""


def equations(step: Any, *arrays: Any) -> Counter[str]:
    """How often each of JAX's operations stands in a step's program; loops' bodies count once."""
    traced: list[Any] = []
    jit = jax.jit

    class Spy:
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.jitted = jit(*arguments, **options)

        def __call__(self, *inputs: Any) -> Any:
            return self.jitted(*inputs)

        def trace(self, *inputs: Any) -> Any:
            traced.append(self.jitted.trace(*inputs))
            return self

        def lower(self) -> Any:
            raise _Traced

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "jit", Spy)
        with pytest.raises(_Traced):
            rg.compile(step)(*arrays)
    found: Counter[str] = Counter()
    stack = [traced[-1].jaxpr.jaxpr]
    while stack:
        for equation in stack.pop().eqns:
            found[equation.primitive.name] += 1
            stack.extend(part.jaxpr for part in equation.params.values() if hasattr(part, "jaxpr"))
    return found
