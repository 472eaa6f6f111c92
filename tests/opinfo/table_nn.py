"""Entries of `torch.nn.functional`: activations, losses, convolution, pooling and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from opinfo.compare import Case
from opinfo.database import Sample
from opinfo.helpers import expressed, named
from retrograd import ops
from retrograd.nn import functional

__all__ = ["TABLE"]


def _plain(function: Any) -> Any:
    """Without `inplace=`, which changes nothing here."""

    def called(*args: Any, inplace: bool = False, **options: Any) -> Any:
        return function(*args, **options)

    return called


def _activation(function: Any, **options: Any) -> Case:
    return Case(_plain(function), f"`{function.__name__}`", **options)


def _loss(function: Any, **options: Any) -> Case:
    """Without the arguments that PyTorch deprecates."""

    def called(*args: Any, size_average: Any = None, reduce: Any = None, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return Case(called, f"`{function.__name__}`", **options)


def _interpolated(function: Any = functional.interpolate, **fixed: Any) -> Case:
    def called(x: Any, size: Any = None, scale_factor: Any = None, **options: Any) -> Any:
        return function(x, size, scale_factor, **options | fixed)

    return Case(called, "`interpolate`")


def _dropout_free(sample: Sample) -> str | None:
    if sample.kwargs.get("dropout_p", 0.0) > 0:
        return "random numbers"
    return None


def _broadcast_target(sample: Sample) -> str | None:
    if sample.args and sample.input.shape != sample.args[0].shape:
        return "targets of another shape than the predictions are refused"
    return None


def _ctc(log_p: Any, *args: Any, **options: Any) -> Any:
    """PyTorch's samples go through the softmax, without which its gradient is not one."""
    as_arrays = [np.asarray(x) if isinstance(x, tuple | list) else x for x in args]
    return functional.ctc_loss(ops.log_softmax(log_p, dim=2), *as_arrays, **options)


def _with_distance(*args: Any, distance_function: Any = None, **options: Any) -> Any:
    """The samples' own distance is PyTorch's layer."""
    return functional.triplet_margin_with_distance_loss(
        *args, distance_function=functional.pairwise_distance, **options
    )


def _bag(weight: Any, index: Any, offsets: Any = None, **options: Any) -> Any:
    for unused in ("max_norm", "norm_type", "scale_grad_by_freq", "sparse"):
        options.pop(unused, None)
    return functional.embedding_bag(index, weight, offsets, **options)


def _batch_norm(
    x: Any, mean: Any, var: Any, *args: Any, training: bool = False, **options: Any
) -> Any:
    """In training the running statistics only move, as tests/torchdb sees."""
    running = (None, None) if training else (mean, var)
    return functional.batch_norm(x, *running, *args, training=training, **options)


def _instance_norm(
    x: Any, running_mean: Any = None, running_var: Any = None, **options: Any
) -> Any:
    running = (running_mean, running_var) if options.get("use_input_stats") is False else ()
    return functional.instance_norm(x, *running, **options)


def _one_axis(sample: Sample) -> str | None:
    return "an input without channels is refused" if sample.input.ndim < 2 else None


def _glu(x: Any, dim: int = -1) -> Any:
    a, b = ops.chunk(x, 2, dim)
    return a * ops.sigmoid(b)


def _prelu(x: Any, weight: Any) -> Any:
    several = weight.numel() > 1 and x.ndim > 1
    shape = (1, -1, *[1] * (x.ndim - 2)) if several else (1,) * x.ndim
    return ops.where(x > 0, x, x * weight.reshape(shape))


def _embedding(weight: Any, index: Any, padding_idx: Any = None, **options: Any) -> Any:
    return functional.embedding(index, weight, padding_idx)


def _embedding_options(sample: Sample) -> str | None:
    if "max_norm" in sample.kwargs:
        return "`max_norm` changes the weights in place"
    if sample.kwargs.get("scale_grad_by_freq"):
        return "`scale_grad_by_freq` is not the gradient"
    return None


def _bilinear(a: Any, b: Any, weight: Any, bias: Any = None) -> Any:
    out = ops.einsum("...i,oij,...j->...o", a, weight, b)
    return out if bias is None else out + bias


TABLE: dict[str, Case] = {
    # Activations
    "nn.functional.leaky_relu": _activation(functional.leaky_relu),
    "nn.functional.elu": _activation(functional.elu),
    "nn.functional.selu": _activation(functional.selu),
    "nn.functional.gelu": _activation(functional.gelu),
    "nn.functional.silu": _activation(functional.silu),
    "nn.functional.softplus": _activation(functional.softplus),
    "nn.functional.mish": _activation(functional.mish),
    "nn.functional.hardtanh": _activation(functional.hardtanh),
    "nn.functional.relu6": _activation(functional.relu6),
    "nn.functional.logsigmoid": expressed(lambda x: -ops.softplus(-x), "-softplus(-x)"),
    "nn.functional.softsign": expressed(lambda x: x / (1 + ops.abs(x)), "x / (1 + abs(x))"),
    "nn.functional.tanhshrink": expressed(lambda x: x - ops.tanh(x), "x - tanh(x)"),
    "nn.functional.glu": expressed(_glu, "a * sigmoid(b)"),
    "nn.functional.prelu": expressed(_prelu, "where(x > 0, x, x * weight)"),
    "nn.functional.bilinear": expressed(_bilinear, 'einsum("...i,oij,...j->...o", a, weight, b)'),
    "nn.functional.celu": expressed(
        _plain(
            lambda x, alpha=1.0: ops.where(x > 0, x, alpha * ops.expm1(ops.clip(x, max=0) / alpha))
        ),
        "where(x > 0, x, alpha * expm1(x / alpha))",
    ),
    "nn.functional.hardsigmoid": expressed(
        _plain(lambda x: functional.relu6(x + 3) / 6),
        "relu6(x + 3) / 6",
        tolerance=100.0,
        because="the slope 1/6 is a float32 number there",
    ),
    "nn.functional.hardswish": expressed(
        _plain(lambda x: x * (functional.relu6(x + 3) / 6)), "x * relu6(x + 3) / 6"
    ),
    "nn.functional.hardshrink": expressed(
        lambda x, lambd=0.5: ops.where(ops.abs(x) > lambd, x, 0), "where(abs(x) > lambd, x, 0)"
    ),
    "nn.functional.softshrink": expressed(
        lambda x, lambd=0.5: ops.where(ops.abs(x) > lambd, x - lambd * ops.sign(x), 0),
        "where(abs(x) > lambd, x - lambd * sign(x), 0)",
    ),
    "nn.functional.threshold": expressed(
        _plain(lambda x, threshold, value: ops.where(x > threshold, x, value)),
        "where(x > threshold, x, value)",
    ),
    # Losses
    "nn.functional.cross_entropy": _loss(functional.cross_entropy),
    "nn.functional.nll_loss": _loss(functional.nll_loss),
    "nn.functional.binary_cross_entropy_with_logits": _loss(
        functional.binary_cross_entropy_with_logits
    ),
    "nn.functional.mse_loss": _loss(functional.mse_loss),
    "nn.functional.l1_loss": _loss(functional.l1_loss),
    "nn.functional.smooth_l1_loss": _loss(functional.smooth_l1_loss),
    "nn.functional.huber_loss": _loss(functional.huber_loss),
    "nn.functional.poisson_nll_loss": _loss(functional.poisson_nll_loss),
    "nn.functional.binary_cross_entropy": _loss(functional.binary_cross_entropy),
    "nn.functional.kl_div": _loss(functional.kl_div),
    "nn.functional.gaussian_nll_loss": _loss(functional.gaussian_nll_loss, skip=_broadcast_target),
    "nn.functional.soft_margin_loss": _loss(functional.soft_margin_loss),
    "nn.functional.hinge_embedding_loss": _loss(functional.hinge_embedding_loss),
    "nn.functional.margin_ranking_loss": _loss(functional.margin_ranking_loss),
    "nn.functional.multi_margin_loss": _loss(functional.multi_margin_loss),
    "nn.functional.multilabel_margin_loss": _loss(functional.multilabel_margin_loss),
    "nn.functional.multilabel_soft_margin_loss": _loss(functional.multilabel_soft_margin_loss),
    "nn.functional.cosine_embedding_loss": _loss(functional.cosine_embedding_loss),
    "nn.functional.triplet_margin_loss": _loss(functional.triplet_margin_loss),
    "nn.functional.triplet_margin_with_distance_loss": expressed(
        _with_distance, "triplet_margin_with_distance_loss"
    ),
    "nn.functional.ctc_loss": expressed(_ctc, "ctc_loss(log_softmax(x))", wrapped=True, order=1),
    # Embedding and normalization
    "nn.functional.embedding_bag": expressed(_bag, "embedding_bag", skip=_embedding_options),
    "nn.functional.embedding": expressed(_embedding, "embedding", skip=_embedding_options),
    "nn.functional.layer_norm": named(functional.layer_norm),
    "nn.functional.batch_norm": expressed(_batch_norm, "batch_norm", skip=_one_axis),
    "nn.functional.batch_norm.without_cudnn": expressed(_batch_norm, "batch_norm", skip=_one_axis),
    "nn.functional.instance_norm": expressed(_instance_norm, "instance_norm"),
    "nn.functional.group_norm": named(functional.group_norm),
    "nn.functional.rms_norm": named(functional.rms_norm),
    "nn.functional.local_response_norm": named(functional.local_response_norm),
    "nn.functional.normalize": named(functional.normalize),
    "nn.functional.cosine_similarity": named(functional.cosine_similarity),
    "nn.functional.pairwise_distance": named(functional.pairwise_distance),
    # Images
    "nn.functional.conv1d": named(functional.conv1d),
    "nn.functional.conv2d": named(functional.conv2d),
    "nn.functional.conv3d": named(functional.conv3d),
    "nn.functional.conv_transpose1d": named(functional.conv_transpose1d),
    "nn.functional.conv_transpose2d": named(functional.conv_transpose2d),
    "nn.functional.conv_transpose3d": named(functional.conv_transpose3d),
    "nn.functional.unfold": named(functional.unfold),
    "nn.functional.adaptive_avg_pool1d": named(functional.adaptive_avg_pool1d),
    "nn.functional.adaptive_avg_pool2d": named(functional.adaptive_avg_pool2d),
    "nn.functional.adaptive_avg_pool3d": named(functional.adaptive_avg_pool3d),
    "nn.functional.adaptive_max_pool1d": named(functional.adaptive_max_pool1d),
    "nn.functional.adaptive_max_pool2d": named(functional.adaptive_max_pool2d),
    "nn.functional.adaptive_max_pool3d": named(functional.adaptive_max_pool3d),
    "nn.functional.avg_pool1d": named(functional.avg_pool1d),
    "nn.functional.avg_pool2d": named(functional.avg_pool2d),
    "nn.functional.avg_pool3d": named(functional.avg_pool3d),
    "nn.functional.max_pool1d": named(functional.max_pool1d),
    "nn.functional.max_pool2d": named(functional.max_pool2d),
    "nn.functional.max_pool3d": named(functional.max_pool3d),
    "nn.functional.interpolate.nearest": _interpolated(),
    "nn.functional.interpolate.nearest-exact": _interpolated(),
    "nn.functional.interpolate.linear": _interpolated(),
    "nn.functional.interpolate.bilinear": _interpolated(),
    "nn.functional.interpolate.bicubic": _interpolated(),
    "nn.functional.interpolate.trilinear": _interpolated(),
    "nn.functional.interpolate.area": _interpolated(),
    "nn.functional.pixel_shuffle": named(functional.pixel_shuffle),
    "nn.functional.pixel_unshuffle": named(functional.pixel_unshuffle),
    "nn.functional.channel_shuffle": named(functional.channel_shuffle),
    "nn.functional.scaled_dot_product_attention": named(
        functional.scaled_dot_product_attention, skip=_dropout_free
    ),
}
