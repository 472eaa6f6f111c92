"""Clipping, parameters as a vector, and weights computed from others."""

from retrograd.nn.utils.clipping import (
    clip_grad_norm_,
    clip_grad_norm_per_layer_,
    clip_grad_value_,
    get_total_norm,
)
from retrograd.nn.utils.vectors import parameters_to_vector, vector_to_parameters
from retrograd.nn.utils.weights import (
    remove_spectral_norm,
    remove_weight_norm,
    spectral_norm,
    weight_norm,
)

__all__ = [
    "clip_grad_norm_",
    "clip_grad_norm_per_layer_",
    "clip_grad_value_",
    "get_total_norm",
    "parameters_to_vector",
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]
