"""Entries that fold, order or accumulate along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opinfo.compare import Case
from opinfo.helpers import expressed, named
from retrograd import ops

__all__ = ["TABLE"]


def _with_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    """`dtype=` casts first, as PyTorch documents it."""

    def called(x: Any, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return function(x if dtype is None else x.astype(dtype), *args, **kwargs)

    return called


def _moment(function: Callable[..., Any]) -> Callable[..., Any]:
    """PyTorch's older `unbiased=` and positional order for `var` and `std`."""

    def called(
        x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, correction: Any = 1
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        correction = 1 if correction is None else correction
        return function(
            x, dim or None, int(unbiased) if unbiased is not None else correction, keepdim
        )

    return called


def _with_mean(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(x: Any, *args: Any, **kwargs: Any) -> Any:
        spread = _moment(function)(x, *args, **kwargs)
        dim = kwargs.get("dim", args[0] if args and not isinstance(args[0], bool) else None)
        return spread, ops.mean(x, dim=dim or None, keepdim=kwargs.get("keepdim", False))

    return called


def _no_axes(function: Callable[..., Any]) -> Callable[..., Any]:
    """An empty `dim` means all axes, where NumPy's means none."""

    def called(x: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Any:
        dim = None if isinstance(dim, list | tuple) and not dim else dim
        return _with_dtype(function)(x, dim=dim, keepdim=keepdim, **kwargs)

    return called


def _aminmax(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return ops.amin(x, dim=dim, keepdim=keepdim), ops.amax(x, dim=dim, keepdim=keepdim)


def _topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    return ops.topk(x, k, dim, largest)  # ours are always sorted


def _dist(x: Any, y: Any, p: float = 2) -> Any:
    return ops.norm(x - y, p)


TABLE: dict[str, Case] = {
    "sum": expressed(_no_axes(ops.sum), "sum"),
    "nansum": expressed(_no_axes(ops.nansum), "nansum"),
    "mean": expressed(_no_axes(ops.mean), "mean"),
    "nanmean": expressed(_no_axes(ops.nanmean), "nanmean"),
    "prod": expressed(_with_dtype(ops.prod), "prod"),
    "amax": expressed(_no_axes(ops.amax), "amax"),
    "amin": expressed(_no_axes(ops.amin), "amin"),
    "aminmax": expressed(_aminmax, "amin(x), amax(x)"),
    "logsumexp": named(ops.logsumexp),
    "std": expressed(_moment(ops.std), "std"),
    "std.unbiased": expressed(_moment(ops.std), "std"),
    "var": expressed(_moment(ops.var), "var"),
    "var.unbiased": expressed(_moment(ops.var), "var"),
    "std_mean": expressed(_with_mean(ops.std), "std(x), mean(x)"),
    "std_mean.unbiased": expressed(_with_mean(ops.std), "std(x), mean(x)"),
    "var_mean": expressed(_with_mean(ops.var), "var(x), mean(x)"),
    "var_mean.unbiased": expressed(_with_mean(ops.var), "var(x), mean(x)"),
    "max.reduction_no_dim": named(ops.max),
    "max.reduction_with_dim": named(ops.max),
    "min.reduction_no_dim": named(ops.min),
    "min.reduction_with_dim": named(ops.min),
    "median": named(ops.median),
    "nanmedian": named(ops.nanmedian),
    "quantile": named(ops.quantile),
    "nanquantile": named(ops.nanquantile),
    "kthvalue": named(ops.kthvalue),
    "topk": expressed(_topk, "topk"),
    "sort": expressed(lambda x, *a, stable=True, **k: ops.sort(x, *a, **k), "sort"),
    "msort": expressed(lambda x: ops.sort(x, 0).values, "sort(x, 0).values"),
    "cumsum": expressed(_with_dtype(ops.cumsum), "cumsum"),
    "cumprod": expressed(_with_dtype(ops.cumprod), "cumprod"),
    "cummax": named(ops.cummax),
    "cummin": named(ops.cummin),
    "logcumsumexp": named(ops.logcumsumexp),
    "diff": named(ops.diff),
    "trapezoid": named(ops.trapezoid),
    "trapz": named(ops.trapezoid),
    "cumulative_trapezoid": named(ops.cumulative_trapezoid),
    "cov": named(
        ops.cov, tolerance=1000.0, because="samples with float32 weights are part float32 there"
    ),
    "corrcoef": named(ops.corrcoef),
    "softmax": expressed(_with_dtype(ops.softmax), "softmax"),
    "softmax.with_dtype": expressed(_with_dtype(ops.softmax), "softmax"),
    "log_softmax": expressed(_with_dtype(ops.log_softmax), "log_softmax"),
    "log_softmax.with_dtype": expressed(_with_dtype(ops.log_softmax), "log_softmax"),
    "nn.functional.softmin": expressed(
        _with_dtype(lambda x, dim: ops.softmax(-x, dim)), "softmax(-x, dim)"
    ),
    "nn.functional.softmin.with_dtype": expressed(
        _with_dtype(lambda x, dim: ops.softmax(-x, dim)), "softmax(-x, dim)"
    ),
    "dist": expressed(_dist, "norm(x - y, p)"),
    "linalg.vector_norm": expressed(
        _with_dtype(lambda x, ord=2, dim=None, keepdim=False: ops.norm(x, ord, dim, keepdim)),
        "norm",
    ),
}
