"""The layers and losses as plain functions: PyTorch's `torch.nn.functional`."""

from retrograd.nn.activation import (
    elu,
    gelu,
    hardtanh,
    leaky_relu,
    mish,
    relu6,
    selu,
    silu,
    softplus,
)
from retrograd.nn.classification_losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    nll_loss,
)
from retrograd.nn.dropout import dropout
from retrograd.nn.embedding import embedding, one_hot
from retrograd.nn.normalization import batch_norm, layer_norm
from retrograd.nn.regression_losses import (
    huber_loss,
    l1_loss,
    mse_loss,
    poisson_nll_loss,
    quantile_loss,
    smooth_l1_loss,
)
from retrograd.ops import linear, log_softmax, relu, sigmoid, softmax, tanh

__all__ = [
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "hardtanh",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mish",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "poisson_nll_loss",
    "quantile_loss",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]
