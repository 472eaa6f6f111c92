"""Padding brings networks to few shapes and changes no answer."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retrograd.data import Preprocessor
from retrograd.estimators.columns import schema_of
from retrograd.estimators.fitting.network import TrainedNetwork, shapes_of
from retrograd.estimators.fitting.plan import NetworkPlan


def plan_of(table: pa.Table) -> tuple[Preprocessor, NetworkPlan]:
    preprocessor = Preprocessor.fit(table, schema_of(table, "from_dtype"), 0)
    return preprocessor, NetworkPlan.of(preprocessor, 1, [8], 2, 0.0, "silu")


def table_of(seed: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "number": rng.normal(size=rows),
            "few": rng.integers(0, 2, rows),
            "color": rng.choice(list("abcdef"), rows),
        }
    )


def test_samples_of_one_table_make_networks_of_one_shape() -> None:
    plans = [plan_of(table_of(seed, rows))[1] for seed, rows in [(0, 160), (1, 163), (2, 171)]]
    assert len({plan.edges for plan in plans}) == 3
    assert len({shapes_of(plan.build(0)) for plan in plans}) == 1


def test_no_answer_depends_on_the_padding() -> None:
    table = table_of(0, 160)
    preprocessor, plan = plan_of(table)
    network = plan.build(0)
    weights = {name: np.array(value) for name, value in network.state_dict().items()}
    inputs = plan.inputs(preprocessor.transform(table))
    numbers, categories = len(preprocessor.number_names), len(preprocessor.categorical)
    padded = (network.sources >= numbers) & (network.sources < len(plan.edges))
    padded |= network.sources >= len(plan.edges) + categories
    assert padded.any()
    assert not padded.all()
    before = TrainedNetwork(plan, weights).outputs(inputs)
    weights["layers.0.weight"][:, padded] = 1e6
    np.testing.assert_array_equal(TrainedNetwork(plan, weights).outputs(inputs), before)


def test_few_and_many_rows_have_the_same_outputs() -> None:
    table = table_of(0, 600)
    preprocessor, plan = plan_of(table)
    weights = {name: np.array(value) for name, value in plan.build(3).state_dict().items()}
    network = TrainedNetwork(plan, weights)
    inputs = plan.inputs(preprocessor.transform(table))
    compiled = network.outputs(inputs)
    eager = network.outputs((inputs[0][:100], inputs[1][:100]))
    assert compiled.dtype == eager.dtype == np.float64
    np.testing.assert_allclose(compiled[:100], eager, rtol=1e-12, atol=1e-14)
