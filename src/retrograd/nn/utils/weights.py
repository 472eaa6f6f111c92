"""Weights that are computed from others before each forward: by direction and length, by spectrum.

Hooks keep the computed weight in the module while its forward runs, and afterwards as a plain
tensor; what is trained and saved are its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.arrays import namespace, state
from retrograd.autodiff.hooks import Handle
from retrograd.nn.module import Module
from retrograd.random import host_rng
from retrograd.tensor import Tensor
from retrograd.variable import Buffer, Parameter

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Train a weight's length g and direction v apart: w = g v / ‖v‖.

    The norm is taken over all axes but `dim`, or over all with None. The parameters `weight_g` and
    `weight_v` take the place of `weight` (Salimans & Kingma 2016). Returns the module.
    """
    weight = module.get_parameter(name)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(_length(weight.detach(), dim).data))
    module.register_parameter(f"{name}_v", Parameter(weight.data))

    def computed(own: Any) -> Tensor:
        g, v = getattr(own, f"{name}_g"), getattr(own, f"{name}_v")
        return v * (g / _length(v, dim))

    return _computes(module, name, computed)


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight one Parameter again, of the value that it has. Returns the module."""
    return _settled(module, name, (f"{name}_g", f"{name}_v"))


def _length(v: Tensor, dim: int | None) -> Tensor:
    axes = tuple(axis for axis in range(v.ndim) if dim is None or axis != dim % v.ndim)
    return ops.norm(v, 2, axes, keepdim=dim is not None)


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int = 0
) -> Any:
    """Divide a weight by its largest singular value: w / σ, σ = uᵀ W v.

    W is the weight as a matrix with `dim` as rows. u and v are kept as buffers and move by
    `n_power_iterations` in each forward in training (Miyato et al. 2018). The parameter
    `weight_orig` takes the place of `weight`. Returns the module.
    """
    weight = module.get_parameter(name)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", Parameter(weight.data))
    matrix = _matrix(weight.detach(), dim)
    for part, size in zip("uv", matrix.shape, strict=True):
        drawn = host_rng().standard_normal(size).astype(weight.dtype)
        module.register_buffer(f"{name}_{part}", Buffer(drawn / np.linalg.norm(drawn)))

    def computed(own: Any) -> Tensor:
        original = getattr(own, f"{name}_orig")
        matrix = _matrix(original, dim)
        left, right = getattr(own, f"{name}_u"), getattr(own, f"{name}_v")
        if own.training:
            values = matrix.data
            u, v = left.data, right.data
            for _ in range(n_power_iterations):
                v = _unit(values.T @ u, eps)
                u = _unit(values @ v, eps)
            left.data, right.data = u, v
        sigma = ops.dot(left.detach(), ops.matmul(matrix, right.detach()))
        return original / sigma

    return _computes(module, name, computed)


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight one Parameter again, of the value that it has. Returns the module."""
    return _settled(module, name, (f"{name}_orig", f"{name}_u", f"{name}_v"))


def _matrix(weight: Tensor, dim: int) -> Tensor:
    rows = ops.movedim(weight, dim, 0)
    return rows.reshape(rows.shape[0], -1)


def _unit(vector: Any, eps: float) -> Any:
    xp = namespace(vector)
    return vector / xp.maximum(xp.linalg.norm(vector), eps)


def _computes(module: Any, name: str, computed: Callable[[Any], Tensor]) -> Any:
    """Let `module` compute the weight `name` before each forward."""

    def before(own: Module, inputs: Any) -> None:
        vars(own)[name] = computed(own)

    def after(own: Module, inputs: Any, output: Any) -> None:
        if state.trace is not None:  # what is traced must not outlive its step
            del vars(own)[name]

    handles = module.register_forward_pre_hook(before), module.register_forward_hook(after)
    vars(module).setdefault("_computed", {})[name] = handles, computed
    vars(module)[name] = computed(module).detach()
    return module


def _settled(module: Any, name: str, parts: tuple[str, ...]) -> Any:
    kept: dict[str, Any] = vars(module).get("_computed", {})
    if name not in kept:
        raise ValueError(f"{type(module).__name__}.{name} is not computed from other weights")
    handles: tuple[Handle, ...]
    handles, computed = kept.pop(name)
    for handle in handles:
        handle.remove()
    weight = Parameter(computed(module).detach().data)
    for part in (name, *parts):
        vars(module).pop(part, None)
    setattr(module, name, weight)
    return module
