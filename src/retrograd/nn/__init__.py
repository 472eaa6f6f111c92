"""Layers, losses and initial weights, with PyTorch's names, shapes and defaults."""

from retrograd.nn import functional, init
from retrograd.nn.activation import (
    ELU,
    GELU,
    SELU,
    Hardtanh,
    LeakyReLU,
    LogSoftmax,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from retrograd.nn.channel_dropout import Dropout1d, Dropout2d, Dropout3d, StochasticDepth
from retrograd.nn.classification_losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    nll_loss,
)
from retrograd.nn.containers import ModuleDict, ModuleList, Sequential
from retrograd.nn.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from retrograd.nn.dropout import Dropout
from retrograd.nn.embedding import Embedding
from retrograd.nn.group_normalization import (
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    RMSNorm,
)
from retrograd.nn.linear import Flatten, Identity, Linear
from retrograd.nn.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    PoissonNLLLoss,
    QuantileLoss,
    SmoothL1Loss,
)
from retrograd.nn.module import Module, observed
from retrograd.nn.multihead import MultiheadAttention
from retrograd.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm
from retrograd.nn.pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from retrograd.nn.positions import LearnedPositions, RotaryPositions, SinusoidalPositions
from retrograd.nn.recurrent import GRU, LSTM, RNN
from retrograd.nn.regression_losses import (
    huber_loss,
    l1_loss,
    mse_loss,
    poisson_nll_loss,
    quantile_loss,
    smooth_l1_loss,
)
from retrograd.nn.repeat import Repeat
from retrograd.nn.residual import Residual
from retrograd.nn.transformer import TransformerEncoder, TransformerEncoderLayer
from retrograd.nn.upsample import Upsample
from retrograd.variable import Buffer, Parameter

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "Hardtanh",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "LearnedPositions",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "NLLLoss",
    "Parameter",
    "PoissonNLLLoss",
    "QuantileLoss",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "Repeat",
    "Residual",
    "RotaryPositions",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SinusoidalPositions",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "StochasticDepth",
    "Tanh",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "Upsample",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "functional",
    "huber_loss",
    "init",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "observed",
    "poisson_nll_loss",
    "quantile_loss",
    "smooth_l1_loss",
]
