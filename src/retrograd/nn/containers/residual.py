"""Connections that bypass a module."""

from __future__ import annotations

from retrograd.nn.module import Module
from retrograd.tensor import Tensor

__all__ = ["Residual"]


class Residual(Module):
    """y = x + module(x), so that the cotangent also flows back unchanged (He et al. 2016).

    Raises ValueError if the module changes the shape.
    """

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.module(x)
        if out.shape != x.shape:
            raise ValueError(
                f"Residual: x + module(x) needs equal shapes; x has shape {tuple(x.shape)} and "
                f"{type(self.module).__name__} made it {tuple(out.shape)}. End the module with a "
                f"layer that gives {x.shape[-1] if x.ndim else 1} features again"
            )
        return x + out
