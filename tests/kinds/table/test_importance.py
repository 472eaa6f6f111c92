"""What a model's answers rest on: attributions are complete, and what matters comes first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from support.small_tables import flowers, houses, prepared

from retrograd import nn, ops
from retrograd.kinds.base.importance import integrated_gradients
from retrograd.kinds.base.kind import Prepared
from retrograd.tensor import Tensor


def test_attributions_of_a_product_are_the_papers() -> None:
    """Of x·y from (0, 0): each gets half (Sundararajan et al. 2017, symmetry and completeness)."""
    x = np.array([[3.0, 4.0], [-1.0, 5.0]], np.float32)
    found = integrated_gradients(lambda at: at[:, 0] * at[:, 1], x, np.zeros(2, np.float32))
    assert found == pytest.approx(np.array([[6.0, 6.0], [-2.5, -2.5]]), rel=1e-5)


def test_attributions_sum_to_the_difference(rng: np.random.Generator) -> None:
    network = nn.Sequential(nn.Linear(5, 16), nn.SiLU(), nn.Linear(16, 1))
    x = rng.normal(size=(7, 5)).astype(np.float32)
    baseline = rng.normal(size=5).astype(np.float32)
    found = integrated_gradients(lambda at: network(at)[:, 0], x, baseline)
    at_baseline = network(Tensor(baseline[None])).numpy()[0, 0]
    expected = network(Tensor(x)).numpy()[:, 0] - at_baseline
    assert found.sum(1) == pytest.approx(expected, abs=1e-4)
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.fixture(scope="module")
def runs() -> dict[str, Prepared[Any]]:
    many = pa.concat_tables([houses(300)])
    found = {
        "regression": prepared(many, "price", epochs=60, patience=60),
        "classification": prepared(flowers(300), "kind", epochs=60, patience=60),
    }
    for run in found.values():
        run.fit()
    return found


def test_the_columns_that_make_the_price_matter_most(runs: dict[str, Prepared[Any]]) -> None:
    run = runs["regression"]
    found = run.model.importance(run.split.validation, rows=64, predictions=100_000)
    size = found.names.index("size")  # the price is 1000 a unit of it
    assert found.attribution.argmax() == found.shuffled.argmax() == size
    garden = found.names.index("garden")  # which has nothing to do with it
    assert found.attribution[garden] < found.attribution[size] / 10
    assert found.shuffled[size] > 3 * found.intact
    assert found.shuffled[garden] < 1.1 * found.intact
    assert set(found.names) == {each.name for each in run.model.schema.features}
    assert found.intact == pytest.approx(
        run.model.score(run.split.validation).metrics["rmse"], rel=1e-6
    )
    again = run.model.importance(run.split.validation, rows=64, predictions=100_000)
    assert np.array_equal(again.shuffled, found.shuffled)


def test_a_class_rests_on_what_tells_it_apart(runs: dict[str, Prepared[Any]]) -> None:
    run = runs["classification"]
    found = run.model.importance(run.split.validation, rows=64, predictions=100_000)
    assert found.intact == pytest.approx(
        run.model.score(run.split.validation).metrics["log_loss"], rel=1e-5
    )
    assert (found.shuffled > found.intact).all()
    assert found.unit == "probability"


def test_no_more_is_predicted_than_allowed(runs: dict[str, Prepared[Any]]) -> None:
    run = runs["regression"]
    rows = len(run.split.validation)
    found = run.model.importance(run.split.validation, rows=8, predictions=2 * 3 * rows)
    assert np.isfinite(found.shuffled).sum() == 2
    assert np.isnan(found.shuffled[found.attribution.argmin()])
    assert found.attributed == 8
    assert found.rows == rows


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_reasons_of_a_row_sum_to_its_answer(runs: dict[str, Prepared[Any]], task: str) -> None:
    """From the answer to the average encoded row, over all columns."""
    run = runs[task]
    model = run.model
    rows = np.array([3, 0])
    reasons: list[Any] = model.reasons(run.split.validation, rows)
    arrays = model.preprocessor.transform(run.split.validation.frame)
    encoded = model.network.encoded(Tensor(arrays.numbers), Tensor(arrays.categories)).numpy()
    output = model.network.answered(Tensor(encoded.mean(0, keepdims=True)))
    answers = model.predict(run.split.validation.take(rows))
    for pieces, answer in zip(reasons, answers, strict=True):
        total = sum(value for _, value in pieces)
        if task == "regression":
            start = model.preprocessor.unscale_target(output.numpy().mean())
            assert total == pytest.approx(answer - start, rel=0.02, abs=200)
        else:
            chosen = answer.argmax()
            start = ops.softmax(output, -1).mean(1).numpy()[0, chosen]
            assert total == pytest.approx(answer[chosen] - start, abs=0.02)


def test_a_network_left_in_training_mode_stays_so(runs: dict[str, Prepared[Any]]) -> None:
    run = runs["classification"]
    run.model.network.train()
    run.model.importance(run.split.validation, rows=8, predictions=1000)
    assert run.model.network.training
    run.model.network.eval()
