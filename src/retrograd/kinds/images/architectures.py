"""The architectures for images. To add one: its file in `models/`, and an entry here."""

from __future__ import annotations

from retrograd.kinds.base.architectures import Architecture, Architectures
from retrograd.models.images.cnn import CNN
from retrograd.models.images.mlp import MLP
from retrograd.models.images.resnet import ResNet

__all__ = ["ARCHITECTURES"]

ARCHITECTURES = Architectures(
    "images",
    Architecture(
        "mlp",
        "A perceptron over all pixels, with batch normalization and dropout; for small images that "
        "are centered.",
        MLP,
    ),
    Architecture(
        "cnn",
        "Convolutions and max-pooling, as LeNet's (LeCun et al. 1998), with batch normalization; "
        "for small gray images.",
        CNN,
    ),
    Architecture(
        "resnet",
        "Residual basic blocks, CIFAR-style (He et al. 2016); for photographs.",
        ResNet,
    ),
)
