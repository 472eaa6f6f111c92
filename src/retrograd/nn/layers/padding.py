"""Padding as layers: constants, zeros, reflections, repeated edges, and circles."""

from __future__ import annotations

from collections.abc import Sequence

from retrograd import ops
from retrograd.nn.module import Module
from retrograd.tensor import Tensor

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    axes: int
    mode: str
    value = 0.0

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        widths = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)
        if len(widths) != 2 * self.axes:
            raise ValueError(
                f"{type(self).__name__}: expected one width or {2 * self.axes}, found {padding}"
            )
        self.padding = widths

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim not in (self.axes + 1, self.axes + 2):
            raise ValueError(
                f"{type(self).__name__}: expected (n, channels, {self.axes} spatial), or those "
                f"without n; found an input of shape {tuple(x.shape)}"
            )
        return ops.pad(x, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad1d(_Pad):
    """`value` around signals: (n, c, length) -> (n, c, left + length + right).

    `padding` is one width or (left, right). Raises ValueError for another number of widths, or an
    input with other axes.
    """

    axes, mode = 1, "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad2d(ConstantPad1d):
    """`value` around images, (n, c, height, width); `padding` is one width or (left, right, top,
    bottom).
    """

    axes = 2


class ConstantPad3d(ConstantPad1d):
    """`value` around volumes, (n, c, d, h, w); one width or six, those of the last axis first."""

    axes = 3


class ZeroPad1d(_Pad):
    """0 around signals; as `ConstantPad1d`."""

    axes, mode = 1, "constant"


class ZeroPad2d(_Pad):
    """0 around images; as `ConstantPad2d`."""

    axes, mode = 2, "constant"


class ZeroPad3d(_Pad):
    """0 around volumes; as `ConstantPad3d`."""

    axes, mode = 3, "constant"


class ReflectionPad1d(_Pad):
    """Signals reflected at their ends, which are not repeated; widths as `ConstantPad1d`'s."""

    axes, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Images reflected at their edges; widths as `ConstantPad2d`'s."""

    axes, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Volumes reflected at their faces; widths as `ConstantPad3d`'s."""

    axes, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Signals with their ends repeated; widths as `ConstantPad1d`'s."""

    axes, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Images with their edges repeated; widths as `ConstantPad2d`'s."""

    axes, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Volumes with their faces repeated; widths as `ConstantPad3d`'s."""

    axes, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Signals that go on from their other end; widths as `ConstantPad1d`'s."""

    axes, mode = 1, "circular"


class CircularPad2d(_Pad):
    """Images that go on from their other edge; widths as `ConstantPad2d`'s."""

    axes, mode = 2, "circular"


class CircularPad3d(_Pad):
    """Volumes that go on from their other face; widths as `ConstantPad3d`'s."""

    axes, mode = 3, "circular"
