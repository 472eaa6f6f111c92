"""Elementwise entries of the database."""

from __future__ import annotations

from typing import Any

import retrograd as rg
from opinfo.compare import Case
from opinfo.helpers import expressed, named
from retrograd import ops

__all__ = ["TABLE"]


def _divided(step: Any) -> Any:
    return lambda x, y, rounding_mode=None: step(x / y)


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """`clip` takes numbers as bounds; tensors are chosen by `where`."""
    if not isinstance(min, rg.Tensor) and not isinstance(max, rg.Tensor):
        return ops.clip(x, min=min, max=max)
    x = x if min is None else ops.where(x < min, min, x)
    return x if max is None else ops.where(x > max, max, x)


def _polygamma(x: Any, n: int) -> Any:
    return ops.polygamma(n, x)


TABLE: dict[str, Case] = {
    "abs": named(ops.abs),
    "acos": named(ops.acos),
    "acosh": named(ops.acosh),
    "add": expressed(lambda x, y, alpha=1: x + y * alpha, "x + y * alpha"),
    "sub": expressed(lambda x, y, alpha=1: x - y * alpha, "x - y * alpha"),
    "rsub": expressed(lambda x, y, alpha=1: y - x * alpha, "y - x * alpha"),
    "mul": named(ops.multiply),
    "div.no_rounding_mode": named(ops.divide),
    "div.trunc_rounding": expressed(_divided(ops.trunc), "trunc(x / y)"),
    "div.floor_rounding": expressed(_divided(ops.floor), "floor(x / y)"),
    "true_divide": named(ops.divide),
    "__radd__": expressed(lambda x, y: y + x, "y + x"),
    "__rdiv__": expressed(lambda x, y: y / x, "y / x"),
    "__rmul__": expressed(lambda x, y: y * x, "y * x"),
    "__rpow__": expressed(lambda x, y: y**x, "y ** x"),
    "__rsub__": expressed(lambda x, y: y - x, "y - x"),
    "__rmod__": expressed(lambda x, y: ops.remainder(y, x), "remainder(y, x)"),
    "neg": named(ops.negative),
    "pow": named(ops.power),
    "float_power": expressed(lambda x, y: x.astype("float64") ** y, 'x.astype("float64") ** y'),
    "ldexp": expressed(lambda x, n: x * 2.0**n, "x * 2.0 ** n"),
    "double": expressed(lambda x, **options: x.astype("float64"), 'astype("float64")'),
    "float": expressed(lambda x, **options: x.astype("float32"), 'astype("float32")'),
    "half": expressed(lambda x, **options: x.astype("float16"), 'astype("float16")'),
    "square": named(ops.square),
    "reciprocal": expressed(lambda x: 1 / x, "1 / x"),
    "addcmul": expressed(lambda x, a, b, value=1: x + a * b * value, "x + value * a * b"),
    "addcdiv": expressed(lambda x, a, b, value=1: x + a / b * value, "x + value * a / b"),
    "asin": named(ops.asin),
    "asinh": named(ops.asinh),
    "atan": named(ops.atan),
    "atan2": named(ops.atan2),
    "atanh": named(ops.atanh),
    "ceil": named(ops.ceil),
    "clamp": expressed(_clamp, "clip"),
    "clamp_max": expressed(lambda x, b: _clamp(x, max=b), "clip(x, max=b)"),
    "clamp_min": expressed(lambda x, b: _clamp(x, min=b), "clip(x, min=b)"),
    "copysign": named(ops.copysign),
    "cos": named(ops.cos),
    "cosh": named(ops.cosh),
    "deg2rad": named(ops.deg2rad),
    "digamma": named(ops.digamma),
    "erf": named(ops.erf),
    "erfc": named(ops.erfc),
    "erfinv": named(ops.erfinv),
    "exp": named(ops.exp),
    "exp2": named(ops.exp2),
    "expm1": named(ops.expm1),
    "floor": named(ops.floor),
    "fmax": named(ops.fmax),
    "fmin": named(ops.fmin),
    "fmod": named(ops.fmod),
    "frac": named(ops.frac),
    "hypot": named(ops.hypot),
    "i0": named(ops.i0),
    "special.i0e": named(ops.i0e),
    "special.i1": named(ops.i1),
    "special.i1e": named(ops.i1e),
    "lerp": named(ops.lerp),
    "lgamma": named(ops.lgamma),
    "log": named(ops.log),
    "log10": named(ops.log10),
    "log1p": named(ops.log1p),
    "log2": named(ops.log2),
    "logaddexp": named(ops.logaddexp),
    "logaddexp2": named(ops.logaddexp2),
    "logit": named(ops.logit),
    "max.binary": named(ops.maximum),
    "maximum": named(ops.maximum),
    "min.binary": named(ops.minimum),
    "minimum": named(ops.minimum),
    "mvlgamma.mvlgamma_p_1": named(ops.mvlgamma),
    "mvlgamma.mvlgamma_p_3": named(ops.mvlgamma),
    "mvlgamma.mvlgamma_p_5": named(ops.mvlgamma),
    "nan_to_num": named(ops.nan_to_num),
    "polygamma.polygamma_n_0": expressed(_polygamma, "polygamma"),
    "polygamma.polygamma_n_1": expressed(_polygamma, "polygamma"),
    "polygamma.polygamma_n_2": expressed(_polygamma, "polygamma"),
    "polygamma.polygamma_n_3": expressed(_polygamma, "polygamma"),
    "polygamma.polygamma_n_4": expressed(_polygamma, "polygamma"),
    "special.polygamma.special_polygamma_n_0": expressed(_polygamma, "polygamma"),
    "rad2deg": named(ops.rad2deg),
    "remainder": named(ops.remainder),
    "round": named(ops.round),
    "round.decimals_0": named(ops.round),
    "round.decimals_3": named(ops.round),
    "round.decimals_neg_3": named(ops.round),
    "rsqrt": named(ops.rsqrt),
    "nn.functional.relu": named(ops.relu),
    "sigmoid": named(ops.sigmoid),
    "sign": named(ops.sign),
    "sgn": named(ops.sign),
    "sin": named(ops.sin),
    "sinc": named(ops.sinc),
    "sinh": named(ops.sinh),
    "special.entr": named(ops.entr),
    "special.erfcx": named(ops.erfcx),
    "special.log_ndtr": named(ops.log_ndtr),
    "special.ndtr": named(ops.ndtr),
    "special.ndtri": named(ops.ndtri),
    "special.xlog1py": named(ops.xlog1py),
    "sqrt": named(ops.sqrt),
    "tan": named(ops.tan),
    "tanh": named(ops.tanh),
    "trunc": named(ops.trunc),
    "where": expressed(lambda x, mask, y: ops.where(mask, x, y), "where(mask, x, y)"),
    "xlogy": named(ops.xlogy),
    "masked_fill": named(ops.masked_fill),
}
