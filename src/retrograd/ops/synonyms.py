"""PyTorch's second names of operations: short ones, NumPy's, and older ones."""

from __future__ import annotations

from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import abs, divide, multiply, negative, sign, subtract
from retrograd.ops.elementwise.comparison import (
    greater,
    greater_equal,
    less,
    less_equal,
    not_equal,
)
from retrograd.ops.elementwise.powers import power
from retrograd.ops.elementwise.trigonometric import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
)
from retrograd.ops.linalg.products import dot, multi_dot
from retrograd.ops.linalg.solve import inv, pinv
from retrograd.ops.reductions.cumulative import trapezoid
from retrograd.ops.shapes.parts import concatenate, split
from retrograd.ops.shapes.shape import movedim, transpose
from retrograd.ops.shapes.stacks import vstack

__all__ = [
    "absolute",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cat",
    "chain_matmul",
    "concat",
    "ge",
    "gt",
    "inverse",
    "le",
    "lt",
    "moveaxis",
    "mul",
    "ne",
    "neg",
    "pinverse",
    "pow",
    "row_stack",
    "sgn",
    "split_with_sizes",
    "sub",
    "swapaxes",
    "swapdims",
    "trapz",
    "true_divide",
    "vdot",
]

absolute = abs
arccos, arccosh, arcsin, arcsinh = acos, acosh, asin, asinh
arctan, arctan2, arctanh = atan, atan2, atanh
cat = concat = concatenate
ge, gt, le, lt, ne = greater_equal, greater, less_equal, less, not_equal
inverse, pinverse = inv, pinv
moveaxis = movedim
mul, neg, sub, true_divide = multiply, negative, subtract, divide
pow = power
row_stack = vstack
sgn = sign
split_with_sizes = split
swapaxes = swapdims = transpose
trapz = trapezoid
vdot = dot


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices; see `multi_dot`."""
    return multi_dot(list(matrices))
