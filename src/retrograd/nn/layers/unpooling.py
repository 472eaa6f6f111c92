"""Maxima laid back where max pooling took them, and pooling by a norm, as layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from retrograd import ops
from retrograd.arrays import namespace
from retrograd.nn.arguments import integers
from retrograd.nn.module import Module
from retrograd.ops.spatial import pooling
from retrograd.ops.spatial.arguments import Sizes, batched, sizes
from retrograd.tensor import Tensor

__all__ = [
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]


def _unpool(axes: int) -> Callable[..., Tensor]:
    name = f"max_unpool{axes}d"

    def unpool(
        input: Any,
        indices: Any,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        output_size: Sequence[int] | None = None,
    ) -> Tensor:
        x, alone = batched(name, input, axes)
        places = integers(f"{name}: indices", indices)
        places = ops.unsqueeze(places, 0) if alone else places
        if places.shape != x.shape:
            raise ValueError(
                f"{name}: the indices have shape {tuple(places.shape)}, the maxima {x.shape}"
            )
        kernel = sizes(name, "kernel_size", kernel_size, axes)
        steps = kernel if stride is None else sizes(name, "stride", stride, axes)
        around = sizes(name, "padding", padding, axes, least=0)
        found = tuple(output_size or ())[-axes:] or tuple(
            (n - 1) * step - 2 * p + k
            for n, k, step, p in zip(x.shape[2:], kernel, steps, around, strict=True)
        )
        lead = x.shape[:2]
        empty = Tensor(namespace(x.data).zeros((*lead, math.prod(found)), x.dtype))
        flat = ops.scatter(empty, 2, places.reshape(*lead, -1), x.reshape(*lead, -1))
        out = flat.reshape(*lead, *found)
        return ops.squeeze(out, 0) if alone else out

    unpool.__name__ = unpool.__qualname__ = name
    unpool.__doc__ = (
        "Maxima laid back at the `indices` that max pooling returned, 0 elsewhere.\n\n"
        "The output's spatial sizes are `output_size`, by default the smallest that the windows\n"
        "cover. Raises ValueError for shapes that do not fit, TypeError for other indices."
    )
    return unpool


max_unpool1d, max_unpool2d, max_unpool3d = map(_unpool, (1, 2, 3))


class _MaxUnpool(Module):
    run: Callable[..., Tensor]

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding

    def forward(self, x: Any, indices: Any, output_size: Sequence[int] | None = None) -> Tensor:
        return type(self).run(x, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Maxima back where `MaxPool1d(return_indices=True)` took them: (n, c, length) -> longer."""

    run = staticmethod(max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Maxima back where `MaxPool2d(return_indices=True)` took them; 0 elsewhere."""

    run = staticmethod(max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Maxima back where `MaxPool3d(return_indices=True)` took them; 0 elsewhere."""

    run = staticmethod(max_unpool3d)


class _LPPool(Module):
    run: Callable[..., Tensor]

    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, x: Any) -> Tensor:
        return type(self).run(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}"


class LPPool1d(_LPPool):
    """(Σ xᵖ)^(1/p) over every window: (n, c, length) -> (n, c, length')."""

    run = staticmethod(pooling.lp_pool1d)


class LPPool2d(_LPPool):
    """(Σ xᵖ)^(1/p) over every window: (n, c, height, width) -> (n, c, height', width')."""

    run = staticmethod(pooling.lp_pool2d)


class LPPool3d(_LPPool):
    """(Σ xᵖ)^(1/p) over every window: (n, c, d, h, w) -> (n, c, d', h', w')."""

    run = staticmethod(pooling.lp_pool3d)
