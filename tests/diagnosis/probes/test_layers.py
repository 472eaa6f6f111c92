"""What sums over a layer say of it: the same as its numbers in float64, in NumPy and compiled."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest

from retrograd.diagnosis.probes.arrays import COTANGENT, OUTPUT, layer_series, layer_sums, sum_count
from retrograd.diagnosis.record.record import Layer

RNG = np.random.default_rng(0)
SHAPE = (12, 5, 3)


def layer(bounds=None, sample=SHAPE[0]) -> Layer:
    return Layer("1", "Tanh", SHAPE, 2, SHAPE[2], sample, False, bounds, ())


def series(layer: Layer, output, cotangent, compiled: bool) -> dict[str, float]:
    def sums(output, cotangent):
        return layer_sums(layer, output, cotangent)

    found = (jax.jit(sums) if compiled else sums)(output, cotangent)
    assert len(found) == sum_count(layer, cotangent is not None)
    values = layer_series(layer, np.array(found, np.float32)[None])[0]
    names = OUTPUT if cotangent is None else OUTPUT + COTANGENT
    return dict(zip(names, map(float, values), strict=True))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("mean", [0.0, 1000.0, -1e5])
def test_they_are_those_of_the_numbers_however_far_from_zero(compiled: bool, mean: float) -> None:
    output = (mean + RNG.standard_normal(SHAPE)).astype(np.float32)
    output[3, 2] = 0 if mean == 0 else output[3, 2]
    cotangent = (mean + RNG.standard_normal(SHAPE)).astype(np.float32)
    exact, back = output.astype(np.float64), cotangent.astype(np.float64)
    found = series(layer(), output, cotangent, compiled)
    expected = {
        "mean": exact.mean(),
        "std": exact.std(),
        "min": exact.min(),
        "max": exact.max(),
        "zeros": (exact == 0).mean(),
        "at_bounds": math.nan,
        "cotangent_norm": np.sqrt((back**2).sum()),
        "cotangent_std": back.std(),
    }
    # 180 numbers: sums in float32 are off by 180 × 6e-8 at worst, of squares by half as much again.
    assert found == pytest.approx(expected, rel=2e-5, nan_ok=True)


@pytest.mark.parametrize("compiled", [False, True])
def test_of_equal_numbers_the_spread_is_none(compiled: bool) -> None:
    output = np.full(SHAPE, 1234.5678, np.float32)
    found = series(layer(), output, output, compiled)
    assert (found["std"], found["cotangent_std"]) == (0, 0)


@pytest.mark.parametrize("compiled", [False, True])
def test_bounds_are_counted_and_a_sample_stands_for_all_rows(compiled: bool) -> None:
    output = np.tanh(3 * RNG.standard_normal((4, *SHAPE[1:]))).astype(np.float32)
    found = series(layer((-0.99, 0.99), sample=4), output, output, compiled)
    assert found["at_bounds"] == pytest.approx((np.abs(output) >= 0.99).mean(), rel=1e-6)
    norm = np.sqrt(3 * (output.astype(np.float64) ** 2).sum())
    assert found["cotangent_norm"] == pytest.approx(norm, rel=1e-5)


@pytest.mark.parametrize("compiled", [False, True])
def test_what_is_no_number_is_not_lost(compiled: bool) -> None:
    output = RNG.standard_normal(SHAPE).astype(np.float32)
    output[5, 1, 1] = np.nan
    found = series(layer(), output, None, compiled)
    assert all(math.isnan(found[name]) for name in ("mean", "std", "min", "max"))
