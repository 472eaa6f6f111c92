"""Remedies for the network: weights, activations, normalization, dropout and size.

Each changes the network that `Program.model` builds, before its first step. Only modules are
changed; functions called within a forward() stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from retrograd import nn
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.variants import Variants

__all__ = [
    "activation_leaky_relu",
    "activation_relu",
    "add_activation",
    "add_normalization",
    "batch_norm_momentum",
    "initialize",
    "larger_model",
    "lower_dropout",
    "places",
    "raise_dropout",
    "residual",
    "smaller_model",
]


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
BOUNDED = (nn.Sigmoid, nn.Tanh, nn.Hardtanh)
RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish)
ACTIVATIONS = (*BOUNDED, *RECTIFIERS, nn.Softplus, nn.Softmax, nn.LogSoftmax)
NORMALIZATIONS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm,
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d,
)  # fmt: skip
_BATCH_NORMS = {nn.Conv1d: nn.BatchNorm1d, nn.Conv2d: nn.BatchNorm2d, nn.Conv3d: nn.BatchNorm3d}
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)

Place = tuple[nn.Module, str, Any]
"""A module within a network: its parent, its name there, and the module itself."""


def places(model: nn.Module) -> list[Place]:
    """Every place of a module without submodules, in order of definition.

    A module that several places share, as one ReLU between all layers, is there as often.
    """
    found: dict[tuple[int, str], Place] = {}
    for name, child in vars(model).items():
        if isinstance(child, nn.Module):
            below = [(model, name, child)] if _is_leaf(child) else places(child)
            found |= {(id(parent), n): (parent, n, each) for parent, n, each in below}
    return list(found.values())


def _is_leaf(module: nn.Module) -> bool:
    return next(iter(module.children()), None) is None


def _matrices(model: nn.Module) -> list[Place]:
    return [place for place in places(model) if isinstance(place[2], (nn.Linear, *CONVOLUTIONS))]


def _hidden(model: nn.Module) -> list[Place]:
    """All activations except one at the very end."""
    found = places(model)
    return [place for place in found[:-1] if isinstance(place[2], ACTIVATIONS)]


def _built(program: Program) -> nn.Module:
    """The network as the program builds it, to inspect."""
    return program.model()


def _changed(program: Program, change: Callable[[nn.Module], nn.Module | None]) -> Program:
    """The program with `change` applied to its network; `change` may return a new network."""
    build = program.model

    def model() -> nn.Module:
        built = build()
        return change(built) or built

    return replace(program, model=model)


# Initial weights ----------------------------------------------------------------------------------


def initialize(program: Program, finding: Finding | None) -> Variants[Program]:
    """Reinitialize all weights: Kaiming's distribution for ReLU and the like, Xavier's for tanh and
    sigmoid; the last layer and other kinds of layers use their defaults; biases are 0. Embeddings
    have a standard deviation of 1, or of 0.1, as suits factors that are multiplied."""
    built = _built(program)
    name = "xavier_uniform_" if _is_bounded(built) else "kaiming_uniform_"
    words = f"nn.init.{name} for every layer but the last"
    if not any(isinstance(each, nn.Embedding) for each in built.modules()):
        return [(words, _changed(program, _draw_anew))]
    return [
        (f"{words}, normal_(std={std:g}) for embeddings",
         _changed(program, partial(_draw_anew, embedded=std)))
        for std in (0.1, 1.0)
    ]  # fmt: skip


def _is_bounded(model: nn.Module) -> bool:
    hidden = [each for _, _, each in _hidden(model)]
    return bool(hidden) and all(isinstance(each, BOUNDED) for each in hidden)


def _draw_anew(model: nn.Module, embedded: float = 1.0) -> None:
    is_bounded = _is_bounded(model)
    matrices = [each for _, _, each in _matrices(model)]
    for module in model.modules():
        reset = getattr(module, "reset_parameters", None)
        if reset is not None:
            reset()
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=embedded)
    for layer in matrices[:-1]:
        if is_bounded:
            nn.init.xavier_uniform_(layer.weight)
        else:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    for layer in matrices:
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


# Activations and normalization --------------------------------------------------------------------


def activation_relu(program: Program, finding: Finding | None) -> Variants[Program]:
    """Replace every hidden sigmoid and tanh with ReLU, with Kaiming initialization."""
    return _with_activation(program, BOUNDED, nn.ReLU)


def activation_leaky_relu(program: Program, finding: Finding | None) -> Variants[Program]:
    """Replace every hidden ReLU with LeakyReLU."""
    return _with_activation(program, (nn.ReLU, nn.ReLU6), lambda: nn.LeakyReLU(0.1))


def _with_activation(
    program: Program, kinds: tuple[type[nn.Module], ...], make: Callable[[], nn.Module]
) -> Variants[Program]:
    found = {type(each).__name__ for _, _, each in _hidden(_built(program))}
    old = sorted(found & {kind.__name__ for kind in kinds})
    if not old:
        return []

    def change(model: nn.Module) -> None:
        for parent, name, module in _hidden(model):
            if isinstance(module, kinds):
                parent.add_module(name, make())
        _draw_anew(model)

    return [(f"{' and '.join(old)} -> {type(make()).__name__}", _changed(program, change))]


def add_activation(program: Program, finding: Finding | None) -> Variants[Program]:
    """Add a ReLU after every linear layer that is directly followed by another."""

    def bare(model: nn.Module) -> list[Place]:
        found, kinds = places(model), (nn.Linear, *CONVOLUTIONS)
        nexts = [module for _, _, module in found[1:]]
        # Only normalization, dropout and reshaping may lie between the two layers.
        chosen = []
        for place, _ in zip(found, nexts, strict=False):
            if not isinstance(place[2], kinds):
                continue
            after = found[found.index(place) + 1 :]
            following = next(
                (m for _, _, m in after if isinstance(m, (*kinds, *ACTIVATIONS))), None
            )
            if isinstance(following, kinds):
                chosen.append(place)
        return chosen

    def change(model: nn.Module) -> None:
        for parent, name, layer in bare(model):
            parent.add_module(name, nn.Sequential(layer, nn.ReLU()))

    count = len(bare(_built(program)))
    return [(f"a ReLU after {count} layers", _changed(program, change))] if count else []


def add_normalization(program: Program, finding: Finding | None) -> Variants[Program]:
    """Add LayerNorm after each hidden linear layer, BatchNorm after each convolution."""
    built = _built(program)
    if len(_matrices(built)) < 2 or any(isinstance(m, NORMALIZATIONS) for m in built.modules()):
        return []

    def change(model: nn.Module) -> None:
        for parent, name, layer in _matrices(model)[:-1]:
            kind = _BATCH_NORMS.get(type(layer))
            norm = nn.LayerNorm(layer.out_features) if kind is None else kind(layer.out_channels)
            parent.add_module(name, nn.Sequential(layer, norm))

    return [("normalization after each hidden layer", _changed(program, change))]


def batch_norm_momentum(program: Program, finding: Finding | None) -> Variants[Program]:
    """The usual momentum of 0.1, and batches of at least 16 rows."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    if not any(isinstance(module, kinds) for module in _built(program).modules()):
        return []

    def change(model: nn.Module) -> None:
        for module in model.modules():
            if isinstance(module, kinds):
                module.momentum = 0.1

    changed = replace(_changed(program, change), batch_size=max(16, program.batch_size))
    return [("momentum=0.1 in every BatchNorm", changed)]


def residual(program: Program, finding: Finding | None) -> Variants[Program]:
    """Use x + layer(x) for every hidden linear layer with as many outputs as inputs."""

    def square(model: nn.Module) -> list[Place]:
        return [
            place
            for place in _matrices(model)[:-1]
            if isinstance(place[2], nn.Linear) and place[2].in_features == place[2].out_features
        ]

    def change(model: nn.Module) -> None:
        for parent, name, layer in square(model):
            parent.add_module(name, nn.Residual(layer))

    count = len(square(_built(program)))
    return [(f"{count} layers as nn.Residual", _changed(program, change))] if count else []


# Dropout and size ---------------------------------------------------------------------------------


def raise_dropout(program: Program, finding: Finding | None) -> Variants[Program]:
    """Dropout of 0.2 and 0.5, in the existing layers or else after each hidden activation."""
    built = _built(program)
    known = [module.p for module in built.modules() if isinstance(module, _DROPOUTS)]
    if not known and not _hidden(built):
        return []

    def change(model: nn.Module, p: float) -> None:
        if known:
            _set_dropout(model, p)
            return
        for parent, name, module in _hidden(model):
            parent.add_module(name, nn.Sequential(module, nn.Dropout(p)))

    levels = [p for p in (0.2, 0.5) if p > max(known, default=0.0)]
    before = max(known, default=0.0)
    return [
        (f"dropout {before:g} -> {p:g}", _changed(program, partial(change, p=p))) for p in levels
    ]


def lower_dropout(program: Program, finding: Finding | None) -> Variants[Program]:
    """Dropout of 0.2, and none."""
    known = [m.p for m in _built(program).modules() if isinstance(m, _DROPOUTS) and m.p]
    return [
        (f"dropout {max(known):g} -> {p:g}", _changed(program, partial(_set_dropout, p=p)))
        for p in ((0.2, 0.0) if known else ())
        if p < max(known)
    ]


def _set_dropout(model: nn.Module, p: float) -> None:
    for module in model.modules():
        if isinstance(module, _DROPOUTS):
            module.p = p


def larger_model(program: Program, finding: Finding | None) -> Variants[Program]:
    """Hidden layers 4 and 16 times as wide, if the network is one Sequential."""
    return _resized(program, 4, 1) + _resized(program, 16, 1)


def smaller_model(program: Program, finding: Finding | None) -> Variants[Program]:
    """Hidden layers a quarter as wide, if the network is one Sequential."""
    return _resized(program, 1, 4)


def _resized(program: Program, times: int, parts: int) -> Variants[Program]:
    built = _built(program)
    if not isinstance(built, nn.Sequential) or _wider(built, times, parts) is None:
        return []
    change = f"hidden layers {times} times as wide" if times > 1 else f"1/{parts} as wide"
    return [(change, _changed(program, lambda model: _wider(model, times, parts)))]


def _wider(model: nn.Module, times: int, parts: int) -> nn.Module | None:
    """A Sequential with other widths and new weights; None if a layer is not supported.

    All widths are scaled except the first input and the last output; a Flatten in between keeps the
    factor.
    """
    layers = [layer for _, _, layer in places(model)]
    matrices = [each for each in layers if isinstance(each, (nn.Linear, *CONVOLUTIONS))]
    if len(matrices) < 2 or any(not _is_leaf(each) for each in model.children()):
        return None

    def resized(features: int) -> int:
        return max(1, features * times // parts)

    def same(features: int) -> int:
        return features

    made: list[nn.Module] = []
    scaled = False  # whether the layer's input is scaled
    for layer in layers:
        if isinstance(layer, (nn.Linear, *CONVOLUTIONS)):
            before, scaled = scaled, layer is not matrices[-1]
            made.append(_like(layer, resized if before else same, resized if scaled else same))
        elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            features = resized(layer.num_features) if scaled else layer.num_features
            made.append(type(layer)(features, momentum=layer.momentum))
        elif isinstance(layer, nn.LayerNorm) and len(layer.normalized_shape) == 1:
            (features,) = layer.normalized_shape
            made.append(nn.LayerNorm(resized(features) if scaled else features))
        elif next(iter(layer.parameters()), None) is None:
            made.append(layer)
        else:
            return None
    return nn.Sequential(*made)


def _like(layer: Any, size: Callable[[int], int], out: Callable[[int], int]) -> nn.Module:
    has_bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return nn.Linear(size(layer.in_features), out(layer.out_features), bias=has_bias)
    return type(layer)(
        size(layer.in_channels),
        out(layer.out_channels),
        layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        bias=has_bias,
    )
