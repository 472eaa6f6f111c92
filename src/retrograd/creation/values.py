"""New tensors of given values, of one number, of a row of numbers.

`dtype` is a dtype of NumPy's, as such or by name; `device` is accepted where it is there (see
`rg.device`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd import devices
from retrograd.arrays import Array, DType, as_array, namespace
from retrograd.inherited.conversions import sizes
from retrograd.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "scalar_tensor",
    "tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]

# Of values ----------------------------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A copy of `data` (numbers, nested lists, arrays) as a tensor.

    Python's floats become float32, whole numbers int64; arrays keep their dtype. Raises TypeError
    for values that are not real numbers.
    """
    devices.check(device)
    array = as_array(_plain(data), dtype)
    return Tensor(namespace(array).array(array), requires_grad)


def _plain(data: Any) -> Any:
    """`data` with the tensors in it as arrays."""
    if isinstance(data, Tensor):
        return data.data
    if isinstance(data, list | tuple) and any(isinstance(x, Tensor | list | tuple) for x in data):
        inside = [_plain(each) for each in data]
        return namespace(*inside).stack(inside) if isinstance(data[0], Tensor) else inside
    return data


def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, not copied where it is a tensor or an array of that dtype."""
    devices.check(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    plain = _plain(data)
    if isinstance(plain, np.ndarray) and dtype in (None, plain.dtype):
        return from_numpy(plain)
    return Tensor(plain, dtype=dtype)


asarray = as_tensor


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor around the array itself; methods that end in `_` do not reach it.

    Raises TypeError for anything but an array.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected an array, found {type(ndarray).__name__}")
    return Tensor._wrap(as_array(ndarray), None)  # a Tensor's constructor copies


def scalar_tensor(s: float, *, dtype: DType | None = None) -> Tensor:
    """A single number, float32 unless a dtype is given."""
    return Tensor(s, dtype=dtype or np.float32)


# Of one number ------------------------------------------------------------------------------------


def full(
    size: Any,
    fill_value: float,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` everywhere; its dtype is that of the number."""
    devices.check(device)
    number = as_array(fill_value, dtype)
    shape = (size,) if isinstance(size, int) else tuple(size)
    return Tensor(namespace(number).full(shape, number, number.dtype), requires_grad)


def _constant(number: int) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """The function that makes tensors of one number, and that of tensors like another."""

    def constant(
        *size: Any,
        dtype: DType | None = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Tensor:
        return full(
            sizes(size),
            number,
            dtype=dtype or np.float32,
            device=device,
            requires_grad=requires_grad,
        )

    def constant_like(
        input: Tensor,
        *,
        dtype: DType | None = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Tensor:
        return full_like(input, number, dtype=dtype, device=device, requires_grad=requires_grad)

    return constant, constant_like


def full_like(
    input: Tensor,
    fill_value: float,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` everywhere, in the shape and dtype of `input`."""
    return full(
        input.shape,
        fill_value,
        dtype=dtype or input.dtype,
        device=device,
        requires_grad=requires_grad,
    )


zeros, zeros_like = _constant(0)
ones, ones_like = _constant(1)
# Memory that is left as it was saves nothing here; zeros at least are the same each time.
empty, empty_like = zeros, zeros_like

# Of a row of numbers ------------------------------------------------------------------------------


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... below `end`; with one argument 0, 1, ... below it.

    int64 for whole numbers, else float32.
    """
    devices.check(device)
    if end is None:
        start, end = 0, start
    numbers = [each.item() if isinstance(each, Tensor) else each for each in (start, end, step)]
    return _row(np.arange(*numbers), dtype, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, at equal distances."""
    devices.check(device)
    return _row(np.linspace(float(start), float(end), steps), dtype, requires_grad)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """base ** start to base ** end in `steps` numbers with equal quotients."""
    devices.check(device)
    row = np.logspace(float(start), float(end), steps, base=base)
    return _row(row, dtype, requires_grad)


def _row(array: Array, dtype: DType | None, requires_grad: bool) -> Tensor:
    default = np.float32 if array.dtype.kind == "f" else np.int64
    return Tensor(array.astype(dtype or default), requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The (n, m) matrix, m being n by default, with 1 on the main diagonal and 0 elsewhere."""
    devices.check(device)
    return Tensor(np.eye(n, m, dtype=dtype or np.float32), requires_grad)


def tril_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """The rows and the columns of the lower triangle of a (row, col) matrix, (2, count)."""
    return Tensor(np.stack(np.tril_indices(row, offset, col)))


def triu_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """The rows and the columns of the upper triangle of a (row, col) matrix, (2, count)."""
    return Tensor(np.stack(np.triu_indices(row, offset, col)))
