"""Checks of gradients and units: the gradient at the first layers, dead and saturated units."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.finding import Finding, Severity
from retrograd.diagnosis.record.record import Layer
from retrograd.diagnosis.register import check
from retrograd.wording import count

# A factor of 1/4 per layer, the largest slope of a sigmoid, gives 1e-3 over five layers.
_VANISHED = 1e-3
_EXPLODED = 1e3


def _with_parameters(case: Case) -> list[Layer]:
    return [each for each in case.layers if each.parameters and each.kind != "Embedding"]


@check("RG101", "RG102", reads=("record",))
def flow(case: Case) -> Iterator[Finding]:
    """RG101 and RG102. The ratio of the cotangent norm at the first layer to that at the last.

    Glorot & Bengio 2010 (section 4.2) plot the norm layer by layer; with their scaling, or He's, it
    stays within a factor of ten. Judged by the median step of the first half, since later the
    weights have grown or units have died.
    """
    layers = _with_parameters(case)
    if len(layers) < 3:
        return
    half = slice(0, max(1, len(case.steps) // 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        first = case.series("cotangent_norm", layers[0].name)[half]
        last = case.series("cotangent_norm", layers[-1].name)[half]
        ratios = (first / last)[np.isfinite(first) & (last > 0)]
    if not len(ratios):
        return
    ratio = float(np.median(ratios))
    factor = ratio ** (1 / (len(layers) - 1))
    numbers = {"ratio": ratio, "factor_per_layer": factor}
    steps = (int(case.steps[0]), int(case.steps[half][-1]))
    names = [each.name for each in layers]
    # If the gradient is exactly 0, zero weights or dead units cut it off.
    if 0 < ratio < _VANISHED:
        yield finding(
            "RG101",
            f"The gradient at the first layer, {names[0]}, is {ratio:.1e} times that at the last, "
            f"{names[-1]}: a factor of {factor:.2g} per layer.",
            severity=None if case.fared_badly or ratio < 1e-5 else "warning",
            layers=names,
            steps=steps,
            numbers=numbers,
        )
    elif ratio > _EXPLODED:
        yield finding(
            "RG102",
            f"The gradient at the first layer, {names[0]}, is {ratio:.3g} times that at the last, "
            f"{names[-1]}: a factor of {factor:.2g} per layer.",
            layers=names,
            steps=steps,
            numbers=numbers,
        )


@check("RG102", reads=("record",))
def bursts(case: Case) -> Iterator[Finding]:
    """RG102. The gradient norm is occasionally a thousand times its median.

    Pascanu et al. 2013 attribute this to walls in the loss of a recurrent network; batch noise
    stays within a factor of ten.
    """
    norms = case.series("gradient_norm")
    norms = norms[np.isfinite(norms)]
    if len(norms) < 20:
        return
    middle, top = float(np.median(norms)), float(norms.max())
    often = float(np.mean(norms > 100 * middle))
    if middle > 0 and top > _EXPLODED * middle and often > 0.005 and case.fared_badly:
        step = int(case.steps[int(np.nanargmax(case.series("gradient_norm")))])
        yield finding(
            "RG102",
            f"The gradient's norm is {top:.3g} in step {step}, {top / middle:.2g} times its "
            f"median of {middle:.3g}.",
            severity="warning",
            steps=(step, step),
            largest=top,
            median=middle,
        )


@check("RG103", reads=("record",))
def dead_units(case: Case) -> Iterator[Finding]:
    """RG103. ReLU units were 0 on every row of the recent steps, in the last quarter of the run.

    A few die in any training (Lu et al. 2020). Half of a layer is more than a network can spare;
    nine in ten dead leave a bottleneck. SageMaker Debugger's DeadRelu also uses half.
    """
    if len(case.steps) < 8:
        return
    worst: list[tuple[float, str]] = []
    for layer in case.layers:
        share = _late(case.series("dead", layer.name)) if layer.rectifies else math.nan
        if share >= 0.5 and layer.units >= 4:
            worst.append((share, layer.name))
    if worst:
        worst.sort(key=lambda each: -each[0])
        share, name = worst[0]
        severity: Severity = "error" if share >= 0.9 else "warning"
        yield finding(
            "RG103",
            f"{share:.0%} of the units of {name} are 0 on every row"
            + (
                f", and half or more in {count(len(worst) - 1, 'other layer')}."
                if worst[1:]
                else "."
            ),
            severity=severity if case.fared_badly or share >= 0.95 else "note",
            layers=[each[1] for each in worst],
            steps=_last_quarter(case),
            share=share,
        )


@check("RG104", reads=("record",))
def saturated_units(case: Case) -> Iterator[Finding]:
    """RG104. Outputs of a hidden sigmoid or tanh lie in the outermost 1 % of its range.

    At |tanh| > 0.99 the slope is below 0.02. Glorot & Bengio 2010 (section 3) monitor the same;
    independent inputs of size 1 put 1 % of the outputs there, far less than half. The output layer
    is skipped: there the ends of the range are answers.
    """
    bounded = [each for each in case.layers if each.bounds is not None]
    if bounded and case.layers[-1] is bounded[-1]:
        bounded = bounded[:-1]
    worst: list[tuple[float, str]] = []
    for layer in bounded:
        at_bounds = case.series("at_bounds", layer.name)
        measured = at_bounds[np.isfinite(at_bounds)]
        if len(measured):
            share = max(float(np.median(measured)), float(np.median(measured[:4])))
            worst.append((share, layer.name))
    worst = sorted((each for each in worst if each[0] >= 0.5), reverse=True)
    if worst:
        share, name = worst[0]
        yield finding(
            "RG104",
            f"{share:.0%} of the outputs of {name} lie in the outermost 1 % of its range.",
            severity="warning" if case.fared_badly or share >= 0.75 else "note",
            layers=[each[1] for each in worst],
            steps=(int(case.steps[0]), int(case.steps[-1])),
            share=share,
        )


def _late(values: np.ndarray) -> float:
    """The median of the last quarter, NaN if nothing was measured."""
    late = values[-(len(values) // 4) :]
    late = late[np.isfinite(late)]
    return float(np.median(late)) if len(late) else math.nan


def _last_quarter(case: Case) -> tuple[int, int]:
    return int(case.steps[-(len(case.steps) // 4)]), int(case.steps[-1])
