"""Pooling layers: the maximum or mean of windows of one to three spatial axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrograd.nn.module import Module
from retrograd.ops.spatial import adaptive_pooling, pooling
from retrograd.ops.spatial.adaptive_pooling import OutputSize
from retrograd.ops.spatial.arguments import Sizes
from retrograd.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class _MaxPool(Module):
    run: Callable[..., Any]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, x: Any) -> Any:
        return type(self).run(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The maximum of every window: (n, c, length) -> (n, c, length'); n may be missing.

    `stride` is the window's size unless given. Of equal elements the first receives the gradient.
    With `return_indices` the result is `(values, indices)`.
    Raises ValueError for arguments or an input that do not fit.
    """

    run = staticmethod(pooling.max_pool1d)


class MaxPool2d(_MaxPool):
    """The maximum of every window: (n, c, height, width) -> (n, c, height', width').

    As `MaxPool1d`, over two axes.
    """

    run = staticmethod(pooling.max_pool2d)


class MaxPool3d(_MaxPool):
    """The maximum of every window: (n, c, d, h, w) -> (n, c, d', h', w').

    As `MaxPool1d`, over three axes.
    """

    run = staticmethod(pooling.max_pool3d)


class AvgPool1d(Module):
    """The mean of every window: (n, c, length) -> (n, c, length'); n may be missing.

    `stride` is the window's size unless given. Padding counts as zeros, or with
    `count_include_pad=False` not at all.
    Raises ValueError for arguments or an input that do not fit.
    """

    run: Callable[..., Tensor] = staticmethod(pooling.avg_pool1d)

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def _arguments(self) -> tuple[Any, ...]:
        return (
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def forward(self, x: Any) -> Tensor:
        return type(self).run(x, *self._arguments())

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(AvgPool1d):
    """The mean of every window: (n, c, height, width) -> (n, c, height', width').

    As `AvgPool1d`, over two axes. `divisor_override` is what the windows' sums are divided by
    instead of their sizes.
    """

    run = staticmethod(pooling.avg_pool2d)

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def _arguments(self) -> tuple[Any, ...]:
        return (*super()._arguments(), self.divisor_override)


class AvgPool3d(AvgPool2d):
    """The mean of every window: (n, c, d, h, w) -> (n, c, d', h', w'); as `AvgPool2d`."""

    run = staticmethod(pooling.avg_pool3d)


class _Adaptive(Module):
    run: Callable[..., Any]

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        return type(self).run(x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """`output_size` means spread over the signal: (n, c, length) -> (n, c, output_size).

    Window i reaches from floor(i · length / size) to ceil((i + 1) · length / size).
    Raises ValueError for an output size that does not fit.
    """

    run = staticmethod(adaptive_pooling.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    """(n, c, height, width) -> (n, c, *output_size), where None keeps an axis's size.

    As `AdaptiveAvgPool1d`, over two axes; `AdaptiveAvgPool2d(1)` is the mean of each channel.
    """

    run = staticmethod(adaptive_pooling.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_Adaptive):
    """(n, c, d, h, w) -> (n, c, *output_size), where None keeps an axis's size."""

    run = staticmethod(adaptive_pooling.adaptive_avg_pool3d)


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, x: Any) -> Any:
        return type(self).run(x, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The maxima of `AdaptiveAvgPool1d`'s windows: (n, c, length) -> (n, c, output_size).

    With `return_indices` the result is `(values, indices)`.
    Raises ValueError for an output size that does not fit.
    """

    run = staticmethod(adaptive_pooling.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """(n, c, height, width) -> (n, c, *output_size), where None keeps an axis's size."""

    run = staticmethod(adaptive_pooling.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMax):
    """(n, c, d, h, w) -> (n, c, *output_size), where None keeps an axis's size."""

    run = staticmethod(adaptive_pooling.adaptive_max_pool3d)
