"""Methods that give the same values otherwise: of another dtype, shape, place or owner."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from retrograd import devices, ops
from retrograd.arrays import Array, DType, namespace

if TYPE_CHECKING:
    from retrograd.tensor import Tensor

__all__ = ["Conversions", "sizes"]


def sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    one = len(given) == 1 and isinstance(given[0], tuple | list)
    return tuple(given[0] if one else given)


class Conversions:
    """What `Tensor` inherits of conversions, copies and descriptions."""

    __slots__ = ()

    data: Array

    if TYPE_CHECKING:  # what `Tensor` has

        @classmethod
        def _wrap(cls, array: Array, node: None) -> Tensor: ...
        def _sum_to(self, shape: tuple[builtins.int, ...]) -> Tensor: ...
        def item(self) -> Any: ...

    # Its dtype ------------------------------------------------------------------------------------

    def to(self, *wanted: Any, dtype: DType | None = None, device: Any = None, **how: Any) -> Any:
        """The values as another dtype, given as such or as a tensor that has it.

        A device is accepted if it is there; see `rg.device`. Nothing is copied where nothing
        changes. Raises TypeError for what is neither, ValueError for a device that is not there.
        """
        if unknown := how.keys() - {"non_blocking", "copy", "memory_format"}:
            raise TypeError(f"to() has no argument {min(unknown)!r}")
        for each in wanted:
            if isinstance(each, Conversions):
                dtype = each.data.dtype
            elif isinstance(each, devices.Device) or names_a_device(each):
                device = each
            elif not isinstance(each, builtins.bool):
                dtype = each
        devices.check(device)
        same = dtype is None or np.dtype(dtype) == self.data.dtype
        if same:
            return ops.clone(self) if how.get("copy") else self
        return ops.cast(self, dtype=np.dtype(dtype))

    def type_as(self, other: Tensor) -> Tensor:
        """The values as the dtype of `other`."""
        return self.to(other.dtype)

    def float(self) -> Tensor:
        """The values as float32."""
        return self.to(np.float32)

    def double(self) -> Tensor:
        """The values as float64."""
        return self.to(np.float64)

    def half(self) -> Tensor:
        """The values as float16."""
        return self.to(np.float16)

    def bfloat16(self) -> Tensor:
        """The values as bfloat16: float32's range with 8 bits of precision."""
        import ml_dtypes

        return self.to(ml_dtypes.bfloat16)

    def long(self) -> Tensor:
        """The values as int64, without their fractions."""
        return self.to(np.int64)

    def int(self) -> Tensor:
        """The values as int32, without their fractions."""
        return self.to(np.int32)

    def short(self) -> Tensor:
        """The values as int16, without their fractions."""
        return self.to(np.int16)

    def char(self) -> Tensor:
        """The values as int8, without their fractions."""
        return self.to(np.int8)

    def byte(self) -> Tensor:
        """The values as uint8, without their fractions."""
        return self.to(np.uint8)

    def bool(self) -> Tensor:
        """Whether each element is not 0."""
        return self.to(np.bool_)

    # Its place and its owner ----------------------------------------------------------------------

    @property
    def device(self) -> devices.Device:
        """Where the values are."""
        return devices.at(self.data)

    @property
    def is_cuda(self) -> builtins.bool:
        """Whether the values are on a GPU."""
        return self.device.type == "cuda"

    def cpu(self) -> Self:
        """The tensor itself: what leaves a compiled step is read on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """The tensor itself where JAX has a GPU; ValueError where it has none."""
        devices.check("cuda")
        return self

    def contiguous(self) -> Self:
        """The tensor itself: how elements lie in memory is the engine's business."""
        return self

    def is_contiguous(self) -> builtins.bool:
        """True; see `contiguous`."""
        return True

    def clone(self) -> Tensor:
        """A copy, through which gradients flow."""
        return ops.clone(self)

    # Its shape ------------------------------------------------------------------------------------

    def view_as(self, other: Tensor) -> Tensor:
        """The elements in the shape of `other`."""
        return ops.reshape(self, shape=other.shape)

    reshape_as = view_as

    def expand_as(self, other: Tensor) -> Tensor:
        """The elements repeated to the shape of `other`."""
        return ops.broadcast_to(self, shape=other.shape)

    def repeat(self, *repeats: Any) -> Tensor:
        """The tensor `repeats[i]` times along axis i, aligned at the last axis."""
        return ops.tile(self, sizes(repeats))

    tile = repeat

    def sum_to_size(self, *size: Any) -> Tensor:
        """Summed over the axes that were broadcast from `size`."""
        return self._sum_to(sizes(size))

    # New tensors like it --------------------------------------------------------------------------

    def new_tensor(
        self, data: Any, dtype: DType | None = None, requires_grad: builtins.bool = False
    ) -> Tensor:
        """`data`, copied, as a tensor of this one's dtype."""
        made = self._wrap(np.array(data, dtype or self.data.dtype), None)
        made.requires_grad = requires_grad
        return made

    def new_zeros(self, *size: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
        """Zeros of this tensor's dtype."""
        return self.new_full(sizes(size), 0, dtype=dtype, device=device)

    def new_ones(self, *size: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
        """Ones of this tensor's dtype."""
        return self.new_full(sizes(size), 1, dtype=dtype, device=device)

    new_empty = new_zeros

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: DType | None = None, device: Any = None
    ) -> Any:
        """One number everywhere, of this tensor's dtype."""
        devices.check(device)
        xp = namespace(self.data)
        return self._wrap(xp.full(tuple(size), fill_value, dtype or self.data.dtype), None)

    # What it is -----------------------------------------------------------------------------------

    def is_floating_point(self) -> builtins.bool:
        """Whether the elements are floating-point numbers."""
        return self.data.dtype.kind in "fV"

    def nelement(self) -> builtins.int:
        """The number of elements."""
        return self.data.size

    def ndimension(self) -> builtins.int:
        """The number of axes."""
        return self.data.ndim

    def element_size(self) -> builtins.int:
        """The bytes of one element."""
        return self.data.dtype.itemsize

    itemsize = property(element_size)

    @property
    def nbytes(self) -> builtins.int:
        """The bytes of all elements."""
        return self.data.size * self.data.dtype.itemsize

    def __format__(self, spec: str) -> str:
        """A single number by its format, as in f"{loss:.3f}"; TypeError for several."""
        if spec and self.data.size == 1:
            return format(self.item(), spec)
        return super().__format__(spec)

    if not TYPE_CHECKING:  # it would answer for every name

        def __getattr__(self, name: str) -> Any:
            """Only for names that do not exist: an AttributeError that says what to use."""
            owner = f"{type(self).__name__!r} object"
            if name.startswith("_"):
                raise AttributeError(f"{owner} has no attribute {name!r}")
            from retrograd.elsewhere import missing  # rarely needed

            raise missing(owner, "torch.Tensor", name, dir(type(self)))


def names_a_device(value: Any) -> bool:
    """Whether a string names a place rather than a dtype."""
    return isinstance(value, str) and value.partition(":")[0] in {"cpu", "cuda", "tpu", "mps"}
