"""Methods that change a tensor: `x.add_(1)` is `x.add(1)`, held by x from then on.

A tensor never changes under a graph: what was computed from it keeps the values that it was
computed from. So only what nothing else stands on can be changed: tensors that own their values and
need no gradient, and leaves under `no_grad()`. A part of another tensor (`x[0]`, `x.reshape(...)`)
is refused, since the whole would not change with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from retrograd import ops
from retrograd.arrays import Array, namespace, state

if TYPE_CHECKING:
    from retrograd.autodiff.tape import Node

__all__ = ["InPlace"]


def in_place(operation: Callable[..., Any]) -> Callable[..., Any]:
    """`operation` as a method after which its first argument, the tensor, holds the result."""

    def changed(self: Any, *arguments: Any, **options: Any) -> Any:
        name = f"{operation.__name__}_"
        self._must_be_free(name)
        return self._changed(name, operation(self.detach(), *arguments, **options).data)

    changed.__doc__ = operation.__doc__
    return changed


class InPlace:
    """What `Tensor` inherits of methods that change it; each returns the tensor."""

    __slots__ = ()

    data: Array

    if TYPE_CHECKING:  # what `Tensor` has
        _node: Node | None

        @property
        def is_leaf(self) -> bool: ...

    def _must_be_free(self, name: str) -> None:
        """Raise RuntimeError for a tensor of a graph, or one whose values are others' too."""
        if self._node is not None and (state.recording or not self.is_leaf):
            raise RuntimeError(
                f"{name}: a tensor that a gradient flows through cannot be changed; compute a new "
                "one, or change a leaf under rg.no_grad()"
            )
        if self._is_shared():
            raise RuntimeError(
                f"{name}: this tensor is a part or another shape of a tensor that would not change "
                f"with it, or is inside a compiled step; use x = x.{name[:-1]}(...), or rg.where, "
                "rg.index_put or rg.scatter on the whole"
            )

    def _is_shared(self) -> bool:
        """Whether the values may be another tensor's too."""
        return state.trace is not None or getattr(self.data, "base", None) is not None

    def _changed(self, name: str, array: Array) -> Self:
        shape, dtype = self.data.shape, self.data.dtype
        if array.shape != shape:
            raise ValueError(f"{name}: the result has shape {array.shape}, the tensor {shape}")
        if array.dtype.kind in "fV" and dtype.kind not in "fV":
            raise TypeError(f"{name}: a tensor of {dtype} cannot hold a result of {array.dtype}")
        self.data = array.astype(dtype)
        return self

    def zero_(self) -> Self:
        """0 everywhere."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Self:
        """`value` everywhere."""
        self._must_be_free("fill_")
        xp = namespace(self.data)
        return self._changed("fill_", xp.full(self.data.shape, value, self.data.dtype))

    def copy_(self, src: Any, non_blocking: bool = False) -> Self:
        """The values of `src`, broadcast to this shape and cast to this dtype."""
        self._must_be_free("copy_")
        values = getattr(src, "data", src)
        xp = namespace(self.data, values)
        cast = xp.asarray(values).astype(self.data.dtype)
        return self._changed("copy_", xp.array(xp.broadcast_to(cast, self.data.shape)))

    def fill_diagonal_(self, fill_value: float) -> Self:
        """`fill_value` on the main diagonal of a matrix."""
        self._must_be_free("fill_diagonal_")
        xp = namespace(self.data)
        diagonal = np.eye(*self.data.shape, dtype=np.bool_)
        return self._changed("fill_diagonal_", xp.where(diagonal, fill_value, self.data))

    def detach_(self) -> Self:
        """Cut this tensor off from the graph."""
        tensor: Any = self
        tensor._node = None
        return self

    abs_ = in_place(ops.abs)
    absolute_ = in_place(ops.absolute)
    acos_ = in_place(ops.acos)
    acosh_ = in_place(ops.acosh)
    add_ = in_place(ops.add)
    addbmm_ = in_place(ops.addbmm)
    addcdiv_ = in_place(ops.addcdiv)
    addcmul_ = in_place(ops.addcmul)
    addmm_ = in_place(ops.addmm)
    addmv_ = in_place(ops.addmv)
    addr_ = in_place(ops.addr)
    arccos_ = in_place(ops.arccos)
    arccosh_ = in_place(ops.arccosh)
    arcsin_ = in_place(ops.arcsin)
    arcsinh_ = in_place(ops.arcsinh)
    arctan2_ = in_place(ops.arctan2)
    arctan_ = in_place(ops.arctan)
    arctanh_ = in_place(ops.arctanh)
    asin_ = in_place(ops.asin)
    asinh_ = in_place(ops.asinh)
    atan2_ = in_place(ops.atan2)
    atan_ = in_place(ops.atan)
    atanh_ = in_place(ops.atanh)
    baddbmm_ = in_place(ops.baddbmm)
    bitwise_and_ = in_place(ops.bitwise_and)
    bitwise_left_shift_ = in_place(ops.bitwise_left_shift)
    bitwise_not_ = in_place(ops.bitwise_not)
    bitwise_or_ = in_place(ops.bitwise_or)
    bitwise_right_shift_ = in_place(ops.bitwise_right_shift)
    bitwise_xor_ = in_place(ops.bitwise_xor)
    ceil_ = in_place(ops.ceil)
    clamp_ = in_place(ops.clamp)
    clamp_max_ = in_place(ops.clamp_max)
    clamp_min_ = in_place(ops.clamp_min)
    clip_ = in_place(ops.clip)
    copysign_ = in_place(ops.copysign)
    cos_ = in_place(ops.cos)
    cosh_ = in_place(ops.cosh)
    cumprod_ = in_place(ops.cumprod)
    cumsum_ = in_place(ops.cumsum)
    deg2rad_ = in_place(ops.deg2rad)
    digamma_ = in_place(ops.digamma)
    div_ = in_place(ops.div)
    divide_ = in_place(ops.divide)
    erf_ = in_place(ops.erf)
    erfc_ = in_place(ops.erfc)
    erfinv_ = in_place(ops.erfinv)
    exp2_ = in_place(ops.exp2)
    exp_ = in_place(ops.exp)
    expm1_ = in_place(ops.expm1)
    fix_ = in_place(ops.trunc)
    float_power_ = in_place(ops.float_power)
    floor_ = in_place(ops.floor)
    floor_divide_ = in_place(ops.floor_divide)
    fmod_ = in_place(ops.fmod)
    frac_ = in_place(ops.frac)
    gcd_ = in_place(ops.gcd)
    heaviside_ = in_place(ops.heaviside)
    hypot_ = in_place(ops.hypot)
    i0_ = in_place(ops.i0)
    index_add_ = in_place(ops.index_add)
    index_copy_ = in_place(ops.index_copy)
    index_fill_ = in_place(ops.index_fill)
    index_put_ = in_place(ops.index_put)
    lcm_ = in_place(ops.lcm)
    ldexp_ = in_place(ops.ldexp)
    lerp_ = in_place(ops.lerp)
    lgamma_ = in_place(ops.lgamma)
    log10_ = in_place(ops.log10)
    log1p_ = in_place(ops.log1p)
    log2_ = in_place(ops.log2)
    log_ = in_place(ops.log)
    logical_and_ = in_place(ops.logical_and)
    logical_not_ = in_place(ops.logical_not)
    logical_or_ = in_place(ops.logical_or)
    logical_xor_ = in_place(ops.logical_xor)
    logit_ = in_place(ops.logit)
    masked_fill_ = in_place(ops.masked_fill)
    masked_scatter_ = in_place(ops.masked_scatter)
    mul_ = in_place(ops.mul)
    multiply_ = in_place(ops.multiply)
    mvlgamma_ = in_place(ops.mvlgamma)
    nan_to_num_ = in_place(ops.nan_to_num)
    neg_ = in_place(ops.neg)
    negative_ = in_place(ops.negative)
    polygamma_ = in_place(ops.polygamma)
    pow_ = in_place(ops.pow)
    put_ = in_place(ops.put)
    rad2deg_ = in_place(ops.rad2deg)
    reciprocal_ = in_place(ops.reciprocal)
    relu_ = in_place(ops.relu)
    remainder_ = in_place(ops.remainder)
    round_ = in_place(ops.round)
    rsqrt_ = in_place(ops.rsqrt)
    scatter_ = in_place(ops.scatter)
    scatter_add_ = in_place(ops.scatter_add)
    scatter_reduce_ = in_place(ops.scatter_reduce)
    sgn_ = in_place(ops.sgn)
    sigmoid_ = in_place(ops.sigmoid)
    sign_ = in_place(ops.sign)
    sin_ = in_place(ops.sin)
    sinc_ = in_place(ops.sinc)
    sinh_ = in_place(ops.sinh)
    sqrt_ = in_place(ops.sqrt)
    square_ = in_place(ops.square)
    sub_ = in_place(ops.sub)
    subtract_ = in_place(ops.subtract)
    tan_ = in_place(ops.tan)
    tanh_ = in_place(ops.tanh)
    tril_ = in_place(ops.tril)
    triu_ = in_place(ops.triu)
    true_divide_ = in_place(ops.true_divide)
    trunc_ = in_place(ops.trunc)
    xlogy_ = in_place(ops.xlogy)
