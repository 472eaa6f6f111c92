"""What stands between layers: the sigmoid, relu and its smooth form."""

from __future__ import annotations

from retrograd.arrays import Array, Namespace, special
from retrograd.autodiff.primitive import primitive

__all__ = ["relu", "sigmoid", "softplus"]


@primitive(single=True)
def sigmoid(xp: Namespace, x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow: (1 + tanh(x/2)) / 2 is the same function."""
    return 0.5 * xp.tanh(0.5 * x) + 0.5 if xp.__name__ == "numpy" else special(xp).expit(x)


sigmoid.pullbacks(x=lambda g, out: g * (out * (1 - out)))


@primitive
def relu(xp: Namespace, x: Array) -> Array:
    """max(x, 0), whose slope at 0 is 0."""
    return xp.maximum(x, 0)


@primitive
def where_positive(xp: Namespace, x: Array, sign: Array) -> Array:
    """x where the other operand is positive, else 0: the gate that relu is, one operation."""
    return xp.multiply(x, xp.greater(sign, 0).astype(x.dtype))


relu.pullbacks(x=lambda g, out: where_positive(g, out))
where_positive.pullbacks(x=lambda g, sign: where_positive(g, sign), sign=None)


@primitive(single=True)
def softplus(xp: Namespace, x: Array) -> Array:
    """log(1 + exp(x)), without overflow."""
    return xp.logaddexp(x, xp.zeros_like(x))


softplus.pullbacks(x=lambda g, x: g * sigmoid(x))
