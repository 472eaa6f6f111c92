"""Checks of a network's initial weights, and of the activations between its layers."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retrograd import nn
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.finding import Finding, Severity
from retrograd.diagnosis.record.record import Weights
from retrograd.diagnosis.register import check
from retrograd.tensor import Tensor

__all__ = ["looked_up", "matrices"]

# The initializations of He et al. 2015 and Glorot & Bengio 2010 give rms · sqrt(fan-in) between 1
# and 2.4, PyTorch's layers 0.58. Beyond the limits a layer multiplies its input by 3.5 or divides
# it by 10.
_LARGE, _SMALL = 3.5, 0.1
# Weights that start at zero get _MOVES steps of at most _STEP, on _ROWS rows, to move; afterward at
# most this share of a layer's units (_TWINS) may have a twin.
_MOVES, _STEP, _ROWS, _TWINS = 4, 0.05, 64, 0.25
_LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class Matrix:
    """The weights of a Linear, convolution or recurrent layer at the start of training."""

    weights: Weights
    fan_in: int
    rms: float

    @property
    def name(self) -> str:
        return self.weights.name

    @property
    def gain(self) -> float:
        """The factor by which the layer scales independent inputs."""
        return self.rms * math.sqrt(self.fan_in)


def matrices(case: Case) -> list[Matrix]:
    """The weight matrices, first layer first; not embeddings, which are looked up."""
    embeddings = looked_up(case)
    return [
        Matrix(each, math.prod(each.shape[1:]), math.hypot(each.mean, each.std))
        for each in case.weights
        if len(each.shape) >= 2
        and "weight" in each.name.rpartition(".")[2]
        and each.layer not in embeddings
    ]


def looked_up(case: Case) -> set[str]:
    """The names of the embeddings."""
    found = {each.name for each in case.layers if each.kind == "Embedding"}
    if case.model is not None:
        found |= {n for n, m in case.model.named_modules() if isinstance(m, nn.Embedding)}
    return found


def _normalizes(case: Case) -> bool:
    """Whether a normalization layer undoes the scale of the weights."""
    kinds = {each.kind for each in case.layers}
    if case.model is not None:
        kinds |= {type(each).__name__ for each in case.model.modules()}
    return any("Norm" in kind for kind in kinds)


@check("RG105")
def zero_weights(case: Case) -> Iterator[Finding]:
    """RG105. Weights start at zero and stay there, or their units stay identical.

    Zero itself is no fault: last layers, last layers of residual branches (Zhang et al. 2019,
    Fixup), and up-projections of adapters (Hu et al. 2021, LoRA) start there by design. They move
    in the first step and pass a gradient in the second. Before a run, the check tries a few steps
    on a copy; after a run, it looks at the final weights.
    """
    zero = [each for each in matrices(case) if each.rms == 0 and each.weights.trained]
    if not zero or (case.has_run and len(case.steps) < _MOVES):
        return  # below a last layer of zeros, the first gradients are 0 in a good network too
    model = case.model if case.has_run else _moved(case)
    stuck = [each for each in zero if _is_stuck(each, model, case)]
    if stuck:
        yield finding(
            "RG105",
            f"All weights of {_names(stuck)} start at 0.",
            layers=[each.name for each in stuck],
            matrices=len(stuck),
        )


def _is_stuck(matrix: Matrix, model: nn.Module | None, case: Case) -> bool:
    """Whether the weights are still zero in `model`, or many of their units identical.

    Without a model, whether they never got a gradient.
    """
    parameter = None if model is None else dict(model.named_parameters()).get(matrix.name)
    if model is None or parameter is None:
        gradients = case.series("gradient_norm", matrix.name)
        return bool(len(gradients)) and bool((gradients[np.isfinite(gradients)] == 0).all())
    values = np.asarray(parameter.data, np.float64)
    size = float(np.abs(values).max())
    if size == 0:
        return True
    # Only in these layers are the rows known to be units; elsewhere they may be words.
    if not isinstance(dict(model.named_modules()).get(matrix.weights.layer), _LINEAR):
        return False
    rows = np.round(values.reshape(len(values), -1) / size, 5)
    counts = np.unique(rows, axis=0, return_counts=True)[1]
    return bool(counts[counts > 1].sum() > _TWINS * len(rows))


def _moved(case: Case) -> nn.Module | None:
    """A copy of the model after a few gradient steps on a random sum of its outputs."""
    if case.model is None or case.sample is None:
        return None
    model = copy.deepcopy(case.model).eval()
    rows = case.sample.rows(np.arange(min(_ROWS, len(case.sample))))
    weights = None
    for _ in range(_MOVES):
        outputs = model(*map(Tensor, rows.inputs))
        if weights is None:
            weights = np.random.default_rng(0).normal(size=outputs.shape).astype(np.float32)
        model.zero_grad()
        (outputs * weights).sum().backward()
        for parameter in model.parameters():
            if parameter.requires_grad and parameter.grad is not None:
                gradient = np.nan_to_num(np.asarray(parameter.grad))
                step = _STEP / max(float(np.abs(gradient).max()), 1e-30)
                parameter.data = np.asarray(parameter.data) - (step * gradient).astype(
                    gradient.dtype
                )
    return model


@check("RG106")
def alike_units(case: Case) -> Iterator[Finding]:
    """RG106. Units with identical weights never diverge (Goodfellow et al. 2016, 8.4).

    With weights drawn at random, more than half of a layer's units never share their weights by
    coincidence. Nor do the columns of an embedding diverge that start at one value.
    """
    embeddings = looked_up(case)
    constant = [
        each.name
        for each in case.weights
        if each.layer in embeddings and each.min == each.max != 0 and math.prod(each.shape[1:]) > 1
    ]
    if constant:
        value = next(each.min for each in case.weights if each.name == constant[0])
        yield finding(
            "RG106",
            f"All values of {', '.join(constant)} start at {value:g}, so that the columns stay "
            "alike.",
            layers=constant,
            equal_units=1.0,
        )
    shares = {
        each: each.weights.equal_units or 0.0
        for each in matrices(case)
        if each.rms > 0 and each.fan_in > 1
    }
    alike = [each for each, share in shares.items() if share > 0.5]
    if alike:
        share = shares[alike[0]]
        yield finding(
            "RG106",
            f"In {_names(alike)}, {share:.0%} of the units have the same weights as another unit.",
            layers=[each.name for each in alike],
            equal_units=share,
        )


@check("RG107", "RG108")
def scale_of_weights(case: Case) -> Iterator[Finding]:
    """RG107 and RG108, see _LARGE and _SMALL; notes if a normalization layer undoes the scale.

    "Too small" uses the mean of fan-in and fan-out, as Xavier initialization does. It skips the
    last layer, which many networks start small on purpose.
    """
    found = [each for each in matrices(case) if each.rms > 0]
    large = sorted((each for each in found if each.gain > _LARGE), key=lambda each: -each.gain)
    severity: Severity = "note" if _normalizes(case) else "warning"
    if large:
        worst = large[0]
        yield finding(
            "RG107",
            f"The initial weights of {_names(large)} are so large that a layer multiplies the size "
            f"of its input by {worst.gain:.3g}; 0.6 to 2.4 is usual.",
            severity=severity,
            layers=[each.name for each in large],
            gain=worst.gain,
            std=worst.weights.std,
        )
    small = [
        each
        for each in found[:-1]
        if each.rms * math.sqrt((each.fan_in + each.weights.shape[0]) / 2) < _SMALL
    ]
    if small:
        worst = min(small, key=lambda each: each.gain)
        yield finding(
            "RG108",
            f"The initial weights of {_names(small)} are so small that a layer multiplies the size "
            f"of its input by {worst.gain:.2g}; 0.6 to 2.4 is usual.",
            severity=severity,
            layers=[each.name for each in small],
            gain=worst.gain,
            std=worst.weights.std,
        )


@check("RG109", reads=("model",))
def no_activation(case: Case, model: nn.Module) -> Iterator[Finding]:
    """RG109. A model of several layers is affine: f((a + b) / 2) = (f(a) + f(b)) / 2.

    Tested on pairs of rows, moved to ten times their distance from the mean to catch any bend
    between them. Or two Linear layers follow each other in a Sequential.
    """
    pairs = list(_side_by_side(model))
    if len(matrices(case)) > 1 and _is_affine(case):
        yield finding(
            "RG109",
            "The outputs are a linear function of the inputs: the output for the mean of two rows "
            "is the mean of their outputs.",
            layers=[each.name for each in matrices(case)],
        )
    elif pairs:
        yield finding(
            "RG109",
            f"There is no activation between the layers {pairs[0][0]} and {pairs[0][1]}.",
            layers=[name for pair in pairs for name in pair],
            pairs=len(pairs),
        )


_PASSING = (nn.Dropout, nn.Identity, nn.Flatten)


def _side_by_side(model: nn.Module) -> Iterator[tuple[str, str]]:
    for path, module in model.named_modules():
        if not isinstance(module, nn.Sequential):
            continue
        before: str | None = None
        for name, child in module.named_children():
            if isinstance(child, _LINEAR):
                if before is not None:
                    yield before, f"{path}.{name}" if path else name
                before = f"{path}.{name}" if path else name
            elif not isinstance(child, _PASSING):
                before = None


def _is_affine(case: Case) -> bool:
    if case.sample is None or case.outputs is None or case._predict is None:
        return False
    inputs = case.sample.inputs
    if len(inputs) != 1 or inputs[0].dtype.kind != "f" or len(inputs[0]) < 8:
        return False
    rows = inputs[0].astype(np.float64)
    if not np.isfinite(rows).all():
        return False
    far = rows.mean(0) + 10 * (rows - rows.mean(0))
    half = len(far) // 2
    last = case.last_operation
    middle = (far[:half] + far[half : 2 * half]) / 2
    # As many rows each time as made `outputs`, so that the compiled model is at hand.
    ends, middles = (
        _centered(case._predict((x.astype(inputs[0].dtype),)).astype(np.float64), last)
        for x in (far, np.resize(middle, far.shape))
    )
    at_a, at_b, between = ends[:half], ends[half : 2 * half], middles[:half]
    if not all(np.isfinite(each).all() for each in (at_a, at_b, between)):
        return False
    size = float(np.abs(at_a - at_b).max())
    return size > 1e-6 and float(np.abs((at_a + at_b) / 2 - between).max()) < 1e-4 * size


def _centered(outputs: np.ndarray, last: str) -> np.ndarray:
    """The scores, with a final softmax undone."""
    if last == "softmax":
        with np.errstate(divide="ignore"):
            outputs = np.log(outputs)
    if last in ("softmax", "log_softmax"):
        outputs = outputs - outputs.mean(-1, keepdims=True)
    return outputs


def _names(found: list[Matrix]) -> str:
    shown = ", ".join(each.name for each in found[:3])
    return shown if len(found) <= 3 else f"{shown} and {len(found) - 3} more"
