"""A module's parameters and buffers as another dtype, in `Module`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from retrograd import devices
from retrograd.arrays import DType
from retrograd.inherited.conversions import names_a_device
from retrograd.tensor import Tensor

if TYPE_CHECKING:
    from retrograd.variable import Buffer, Parameter

__all__ = ["Casts"]


class Casts:
    """What `Module` inherits of conversions."""

    if TYPE_CHECKING:  # what `Module` has

        def parameters(self) -> Iterator[Parameter]: ...
        def buffers(self) -> Iterator[Buffer]: ...

    def to(self, *wanted: Any, dtype: DType | None = None, device: Any = None) -> Self:
        """Turn floating-point parameters and buffers into a dtype; their gradients are forgotten.

        A tensor stands for its dtype; a device is accepted if it is there (see `rg.device`).
        Raises TypeError for a dtype that is not a floating-point one, ValueError for a device that
        is not there.
        """
        for each in wanted:
            if isinstance(each, devices.Device) or names_a_device(each):
                device = each
            elif not isinstance(each, bool):
                dtype = each.dtype if isinstance(each, Tensor) else each
        devices.check(device)
        return self if dtype is None else self.astype(dtype)

    def astype(self, dtype: DType) -> Self:
        """Turn floating-point parameters and buffers into `dtype`; gradients are forgotten."""
        dtype = np.dtype(dtype)
        if dtype.kind not in "fV":
            raise TypeError(f"parameters are floating-point numbers, they cannot become {dtype}")
        for variable in [*self.parameters(), *self.buffers()]:
            if variable.dtype.kind in "fV":
                variable.data = variable.data.astype(dtype)
                variable.grad = None
        return self

    type = astype

    def float(self) -> Self:
        """Turn parameters and buffers into float32."""
        return self.astype(np.float32)

    def double(self) -> Self:
        """Turn parameters and buffers into float64."""
        return self.astype(np.float64)

    def half(self) -> Self:
        """Turn parameters and buffers into float16."""
        return self.astype(np.float16)

    def bfloat16(self) -> Self:
        """Turn parameters and buffers into bfloat16."""
        import ml_dtypes

        return self.astype(ml_dtypes.bfloat16)

    def cpu(self) -> Self:
        """The module itself: arrays follow the engine that uses them."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """The module itself where JAX has a GPU; ValueError where it has none."""
        devices.check("cuda")
        return self
