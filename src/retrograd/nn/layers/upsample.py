"""Resizing as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrograd.nn.module import Module
from retrograd.ops.spatial.interpolation import interpolate
from retrograd.tensor import Tensor

__all__ = ["Upsample"]


class Upsample(Module):
    """Resizes the spatial axes: (n, c, spatial) -> (n, c, spatial').

    Give either `size` or `scale_factor`. `mode` is "nearest", "nearest-exact", "linear",
    "bilinear", "trilinear" or "bicubic". Raises ValueError for arguments that do not fit the input.
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: Any) -> Tensor:
        return interpolate(
            x,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        by = f"size={self.size}" if self.scale_factor is None else f"scale={self.scale_factor}"
        return f"{by}, mode={self.mode!r}"
