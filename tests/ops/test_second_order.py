"""Second order, compiled by XLA as users do, for each operation: eagerly the same, and no abort."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.samples.composed import COMPOSED
from support.samples.control import CONTROL
from support.samples.elementwise import ELEMENTWISE
from support.samples.index import INDEX
from support.samples.kinds import Sample
from support.samples.linalg import LINALG
from support.samples.matrices import MATRICES
from support.samples.reduce import REDUCE
from support.samples.shape import SHAPE
from support.samples.special import SPECIAL
from support.samples.windows import WINDOWS

import retrograd as rg
from retrograd import ops
from retrograd.autodiff.primitive import REGISTRY

FAMILIES = {
    "composed": COMPOSED,
    "control": CONTROL,
    "elementwise": ELEMENTWISE,
    "index": INDEX,
    "linalg": LINALG,
    "matrices": MATRICES,
    "reduce": REDUCE,
    "shape": SHAPE,
    "special": SPECIAL,
    "windows": WINDOWS,
}


def is_floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def telling(samples: list[Sample]) -> Sample | None:
    """The smallest sample with several numbers in it."""
    sizes = {
        i: sum(x.size for x in each.operands if is_floating(x)) for i, each in enumerate(samples)
    }
    fit = [i for i, size in sizes.items() if size > 1 and "dtype" not in samples[i].attributes]
    return samples[min(fit, key=sizes.__getitem__)] if fit else None


def curvature(name: str, call: Any, sample: Sample, floats: list[Any]) -> Any:
    """The gradient of the sum of squares of the gradient of a weighed sum of squares."""
    function = call or getattr(ops, name, None) or REGISTRY[name]
    places = [i for i, x in enumerate(sample.operands) if is_floating(x)]

    def value(*given: Any) -> Any:
        operands = list(sample.operands)
        for i, x in zip(places, given, strict=True):
            operands[i] = x
        found = function(*operands, **sample.attributes)
        outputs = found if isinstance(found, tuple | list) else (found,)
        smooth = [out for out in outputs if out.dtype.kind == "f"]
        return sum(
            (rg.sum(rg.square(out)) * 0.5 for out in smooth), rg.Tensor(0.0) * given[0].sum()
        )

    every = tuple(range(len(places)))

    def slope(*given: Any) -> Any:
        return sum(rg.sum(rg.square(each)) for each in rg.grad(value, every)(*given))

    return rg.grad(slope, every)(*floats)


@pytest.mark.parametrize("family", FAMILIES)
def test_second_order_compiles_and_agrees_with_eager(family: str) -> None:
    """One program a family, in float64, with XLA's optimizations on."""
    chosen = {}
    for name, op in FAMILIES[family].items():
        sample = telling(op.samples) if op.order == 2 else None
        if sample is not None:
            chosen[name] = (op.call, sample)
    arrays = {
        name: [rg.Tensor(x) for x in sample.operands if is_floating(x)]
        for name, (_, sample) in chosen.items()
    }

    def step(arrays: dict[str, list[Any]]) -> dict[str, Any]:
        return {name: curvature(name, *chosen[name], arrays[name]) for name in chosen}

    found = rg.compile(step)(arrays)
    expected = step(arrays)
    for name in chosen:
        for mine, right in zip(found[name], expected[name], strict=True):
            scale = max(1.0, float(np.abs(right.numpy()).max(initial=0)))
            np.testing.assert_allclose(
                mine.numpy(), right.numpy(), rtol=1e-6, atol=1e-8 * scale, err_msg=name
            )
