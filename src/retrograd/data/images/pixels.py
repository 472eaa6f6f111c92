"""The format of all images of a run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SUFFIXES", "PixelFormat"]

SUFFIXES = frozenset(
    f".{ending}"
    for endings in ("png gif webp", "jpg jpeg jpe jfif", "tif tiff bmp dib", "pgm ppm pbm pnm")
    for ending in endings.split()
)


@dataclass(frozen=True)
class PixelFormat:
    """1 channel (gray), 3 (red, green, blue), or as many as an array has; bytes or float32."""

    channels: int
    height: int
    width: int
    dtype: str = "uint8"

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    def __str__(self) -> str:
        colors = {1: "gray", 3: "color"}.get(self.channels, f"{self.channels} channels")
        values = "" if self.dtype == "uint8" else f", {self.dtype} values"
        return f"{self.height}×{self.width}, {colors}{values}"
