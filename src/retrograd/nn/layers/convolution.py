"""Convolution layers, and their transposes, over one to three spatial axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.nn import init
from retrograd.nn.module import Module
from retrograd.ops.spatial import convolution
from retrograd.ops.spatial.arguments import Sizes, sizes
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Shape = tuple[int, ...]


class _Convolution(Module):
    """What convolutions and their transposes share: the weight, its start, and their arguments."""

    axes: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        dilation: Sizes,
        groups: int,
        bias: bool,
        transposed: bool,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: in_channels {in_channels} and out_channels {out_channels} must be "
                f"multiples of groups, found {groups}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = sizes(name, "kernel_size", kernel_size, self.axes)
        self.stride = sizes(name, "stride", stride, self.axes)
        self.dilation = sizes(name, "dilation", dilation, self.axes)
        self.groups = groups
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        self.weight = Parameter(np.empty(shape, np.float32))
        self.bias = Parameter(np.empty(out_channels, np.float32)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights."""
        fan_in = self.weight.shape[1] * math.prod(self.kernel_size)
        if fan_in == 0:
            return
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def _repr(self, padding: object, *more: str) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}",
            f"stride={self.stride}",
        ]
        if padding != (0,) * self.axes:
            parts.append(f"padding={padding!r}")
        if self.dilation != (1,) * self.axes:
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join([*parts, *more])


class _Conv(_Convolution):
    run: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, dilation, groups, bias, transposed=False
        )
        name = type(self).__name__
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"{name}: padding_mode must be zeros, reflect, replicate or circular, found "
                f"{padding_mode!r}"
            )
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(
                    f"{name}: padding is numbers, 'same' or 'valid', found {padding!r}"
                )
            self.padding: str | Shape = padding
        else:
            self.padding = sizes(name, "padding", padding, self.axes, least=0)
        self.padding_mode = padding_mode

    def forward(self, x: Tensor) -> Tensor:
        padding: Sizes | str = self.padding
        if self.padding_mode != "zeros":
            x, padding = ops.pad(x, self._widths(), self.padding_mode), 0
        return type(self).run(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _widths(self) -> list[int]:
        """The padding before and after each spatial axis, the last axis first."""
        if self.padding == "valid":
            each = [(0, 0)] * self.axes
        elif self.padding == "same":
            reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            each = [(n // 2, n - n // 2) for n in reach]
        else:
            each = [(int(n), int(n)) for n in self.padding]
        return [n for pair in reversed(each) for n in pair]

    def extra_repr(self) -> str:
        mode = self.padding_mode
        return self._repr(self.padding, *([f"padding_mode={mode!r}"] if mode != "zeros" else []))


class Conv1d(_Conv):
    """Slides a kernel along a signal: (n, in, length) -> (n, out, length'); n may be missing.

    `weight` has shape `(out, in / groups, kernel)`, `bias` `(out,)`; both start uniform on
    ±1 / sqrt(in / groups · kernel), as PyTorch's. `padding` may be "same" or "valid";
    `padding_mode` "zeros", "reflect", "replicate" or "circular".
    Raises ValueError for arguments or an input that do not fit.
    """

    axes = 1
    run = staticmethod(convolution.conv1d)


class Conv2d(_Conv):
    """Slides a kernel over an image: (n, in, height, width) -> (n, out, height', width').

    As `Conv1d`, over two axes; `weight` has shape `(out, in / groups, kh, kw)`.
    """

    axes = 2
    run = staticmethod(convolution.conv2d)


class Conv3d(_Conv):
    """Slides a kernel through a volume: (n, in, d, h, w) -> (n, out, d', h', w').

    As `Conv1d`, over three axes; `weight` has shape `(out, in / groups, kd, kh, kw)`.
    """

    axes = 3
    run = staticmethod(convolution.conv3d)


class _ConvTranspose(_Convolution):
    run: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, dilation, groups, bias, transposed=True
        )
        name = type(self).__name__
        self.padding = sizes(name, "padding", padding, self.axes, least=0)
        self.output_padding = sizes(name, "output_padding", output_padding, self.axes, least=0)

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """`output_size`, the spatial sizes wanted, chooses the output padding."""
        extra = self.output_padding if output_size is None else self._extra(x, output_size)
        return type(self).run(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            extra,
            self.groups,
            self.dilation,
        )

    def _extra(self, x: Any, output_size: Sequence[int]) -> Shape:
        """The output padding that gives `output_size`."""
        wanted = tuple(output_size)[-self.axes :]
        least = [
            (n - 1) * step - 2 * p + d * (k - 1) + 1
            for n, step, p, d, k in zip(
                x.shape[-self.axes :],
                self.stride,
                self.padding,
                self.dilation,
                self.kernel_size,
                strict=True,
            )
        ]
        extra = tuple(size - low for size, low in zip(wanted, least, strict=True))
        if any(e < 0 or e >= step for e, step in zip(extra, self.stride, strict=True)):
            most = [low + step - 1 for low, step in zip(least, self.stride, strict=True)]
            raise ValueError(
                f"{type(self).__name__}: an input of shape {tuple(x.shape)} can become the "
                f"spatial sizes {tuple(least)} to {tuple(most)}, found output_size={wanted}"
            )
        return extra

    def extra_repr(self) -> str:
        extra = self.output_padding
        shown = [f"output_padding={extra}"] if any(extra) else []
        return self._repr(self.padding, *shown)


class ConvTranspose1d(_ConvTranspose):
    """The transpose of `Conv1d`, which lengthens: (n, in, length) -> (n, out, length').

    `weight` has shape `(in, out / groups, kernel)`. length' is
    (length - 1) · stride - 2 · padding + dilation · (kernel - 1) + output_padding + 1.
    Raises ValueError for arguments or an input that do not fit.
    """

    axes = 1
    run = staticmethod(convolution.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Conv2d`: (n, in, height, width) -> (n, out, height', width').

    As `ConvTranspose1d`, over two axes.
    """

    axes = 2
    run = staticmethod(convolution.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The transpose of `Conv3d`: (n, in, d, h, w) -> (n, out, d', h', w').

    As `ConvTranspose1d`, over three axes.
    """

    axes = 3
    run = staticmethod(convolution.conv_transpose3d)
