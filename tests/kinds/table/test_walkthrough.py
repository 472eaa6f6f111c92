"""A walk through backpropagation tells the truth about a model, and leaves it as it was."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from support.small_tables import HOSTILE, flowers, houses, prepared

from retrograd.errors import DataError, UsageError
from retrograd.kinds.table.model import TableModel
from retrograd.kinds.table.naming import ElementNames
from retrograd.kinds.table.walk_record import Outcome
from retrograd.kinds.table.walkthrough import walk_through

ROW = 7


@pytest.fixture(scope="module")
def regression() -> TableModel:
    return prepared(houses(), "price").model


@pytest.fixture(scope="module")
def classification() -> TableModel:
    return prepared(flowers(), "kind").model


@pytest.fixture(params=["regression", "classification"])
def case(request: pytest.FixtureRequest) -> tuple[TableModel, pa.Table]:
    tables = {"regression": houses, "classification": flowers}
    return request.getfixturevalue(request.param), tables[request.param]()


class TorchTwin:
    """The table network written once more, in PyTorch, with the same weights in float64."""

    def __init__(self, model: TableModel, table: pa.Table, row: int) -> None:
        self.model = model
        self.state = {
            name: torch.tensor(
                values, dtype=torch.float64 if values.dtype.kind == "f" else torch.int64
            )
            for name, values in model.network.state_dict().items()
        }
        self.weights = {
            name: self.state[name].requires_grad_() for name, _ in model.network.named_parameters()
        }
        one = table.slice(row - 1, 1)
        arrays = model.preprocessor.transform(one)
        self.numbers = torch.tensor(arrays.numbers, dtype=torch.float64, requires_grad=True)
        self.categories = torch.tensor(arrays.categories, dtype=torch.int64)
        self.target = torch.tensor(model.preprocessor.target(one))
        self.outputs: dict[str, torch.Tensor] = {}

    def loss(self) -> torch.Tensor:
        state, depth = self.state, len(self.model.network.layers)
        low, width = state["piecewise.low"], state["piecewise.width"]
        through = (self.numbers[:, state["piecewise.column"]] - low) / width
        piecewise = self.keep("piecewise", through.clamp(0, 1))
        codes = self.categories[:, self.model.network.few][:, state["one_hot.column"]]
        one_hot = (codes == state["one_hot.code"]).double()
        x = torch.cat([self.numbers, piecewise, one_hot], 1)[:, None]
        for i in range(depth):
            layer = {name: state.get(f"layers.{i}.{name}") for name in ("weight", "bias", "s", "r")}
            x = x if layer["r"] is None else x * layer["r"]
            x = self.keep(f"layers.{i}", x @ layer["weight"].T * layer["s"] + layer["bias"])
            x = self.keep(f"activation #{i + 1}", torch.nn.functional.silu(x))
        out = torch.einsum("nkw,kow->nko", x, state["head"]) + state["head_bias"]
        out = self.keep("output", out)
        if self.model.schema.task == "regression":
            return ((out[:, :, 0] - self.target.double()) ** 2).mean()
        members = out.shape[1]
        return torch.nn.functional.cross_entropy(out[0], self.target.repeat(members))

    def keep(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        tensor.retain_grad()
        self.outputs[name] = tensor
        return tensor


def test_loss_cotangents_and_gradients_are_torchs(case: Any) -> None:
    model, table = case
    walk = walk_through(model, table, ROW)
    twin = TorchTwin(model, table, ROW)
    loss = twin.loss()
    loss.backward()
    twin.outputs["numbers"] = twin.numbers
    assert walk.loss == pytest.approx(loss.item(), rel=1e-5)
    assert [layer.name for layer in walk.layers if layer.name in twin.outputs] == [
        "numbers",
        *(name for name in twin.outputs if name != "numbers"),
    ]
    for layer in walk.layers:
        if layer.name == "one_hot":
            assert layer.cotangent is None
            continue
        expected = twin.outputs[layer.name]
        assert expected.grad is not None
        assert layer.output.shape == tuple(expected.shape)
        assert layer.output.norm == pytest.approx(expected.norm().item(), rel=1e-4)
        assert layer.output.mean == pytest.approx(expected.mean().item(), rel=1e-4, abs=1e-7)
        assert layer.cotangent is not None
        assert layer.cotangent.norm == pytest.approx(expected.grad.norm().item(), rel=1e-4)
        first = expected.grad.abs().argmax()
        assert layer.elements[0].cotangent == pytest.approx(
            expected.grad.flatten()[first].item(), rel=1e-3
        )
        assert layer.elements[0].value == pytest.approx(
            expected.flatten()[first].item(), rel=1e-3, abs=1e-6
        )
    assert {weight.name for weight in walk.weights} == set(twin.weights)
    for weight in walk.weights:
        gradient = twin.weights[weight.name].grad
        assert gradient is not None
        assert weight.gradient_norm == pytest.approx(gradient.norm().item(), rel=1e-4)
        assert weight.norm == pytest.approx(twin.weights[weight.name].norm().item(), rel=1e-5)
        assert abs(weight.largest[0].gradient) == pytest.approx(
            gradient.abs().max().item(), rel=1e-3
        )


def test_steps_are_those_of_torchs_sgd(case: Any) -> None:
    model, table = case
    walk = walk_through(model, table, ROW, learning_rate=0.05, max_steps=4)
    twin = TorchTwin(model, table, ROW)
    optimizer = torch.optim.SGD(twin.weights.values(), lr=0.05)
    for guess in walk.guesses:
        optimizer.zero_grad()
        loss = twin.loss()
        assert guess.loss == pytest.approx(loss.item(), rel=1e-4)
        loss.backward()
        optimizer.step()


def test_each_change_is_the_learning_rate_times_the_gradient(case: Any) -> None:
    walk = walk_through(*case, ROW)
    for weight in walk.weights:
        for change in weight.largest:
            expected = change.before - walk.learning_rate * change.gradient
            assert change.after == pytest.approx(expected, rel=1e-5, abs=1e-7)
        assert weight.change_norm == pytest.approx(
            walk.learning_rate * weight.gradient_norm, rel=1e-3, abs=1e-6
        )
        if weight.norm:  # a bias starts at 0
            assert weight.ratio == weight.change_norm / weight.norm


def test_it_starts_from_the_models_own_answer(case: Any) -> None:
    model, table = case
    walk = walk_through(model, table, ROW)
    answer = model.predict(model.read(table, [], labeled=False))[ROW - 1]
    truth = table[walk.target][ROW - 1].as_py()
    assert walk.truth == truth
    if walk.task == "regression":
        assert walk.guesses[0].answer == pytest.approx(float(answer), rel=1e-5)
    else:
        classes = model.preprocessor.classes
        assert walk.guesses[0].answer == classes[answer.argmax()]
        assert walk.guesses[0].confidence == pytest.approx(answer[classes.index(truth)], rel=1e-5)
        assert list(walk.probabilities.values()) == pytest.approx(answer.tolist(), rel=1e-5)


def test_the_model_stays_as_it_was(case: Any) -> None:
    model, table = case
    network = model.network
    network.train()
    network.layers[0].eval()
    modes = [module.training for module in network.modules()]
    arrays = {name: parameter.data for name, parameter in network.named_parameters()}
    before = network.state_dict()
    walk_through(model, table, ROW)
    for name, parameter in network.named_parameters():
        assert parameter.data is arrays[name]
        assert parameter.grad is None
    for name, values in network.state_dict().items():
        np.testing.assert_array_equal(values, before[name])
    assert [module.training for module in network.modules()] == modes


def test_the_model_stays_as_it_was_when_the_walk_is_interrupted(
    regression: TableModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retrograd.kinds.table.walk_steps import Steps

    head = regression.network.head.data

    def interrupted(self: Steps, *_: Any) -> Any:
        assert not np.shares_memory(self.weights["head"].data, head)
        self.weights["head"].data = self.weights["head"].data * 0
        raise KeyboardInterrupt

    before = regression.network.state_dict()
    monkeypatch.setattr(Steps, "repeat", interrupted)
    with pytest.raises(KeyboardInterrupt):
        walk_through(regression, houses(), ROW)
    np.testing.assert_array_equal(regression.network.state_dict()["head"], before["head"])


def test_it_goes_on_until_the_prediction_fits(case: Any) -> None:
    walk = walk_through(*case, ROW)
    assert walk.outcome is Outcome.FITTED
    assert walk.guesses[-1].loss <= walk.tolerance < walk.guesses[-2].loss
    if walk.task == "regression":
        assert isinstance(walk.truth, float)
        assert abs(float(walk.guesses[-1].answer) - walk.truth) < 0.02 * walk.target_scale
    else:
        assert walk.guesses[-1].answer == walk.truth


def test_the_first_step_takes_about_a_fifth_of_the_loss_away(case: Any) -> None:
    for row in range(1, 20):
        walk = walk_through(*case, row, max_steps=1)
        assert 0.7 <= walk.guesses[1].loss / walk.guesses[0].loss <= 0.92


def test_how_it_ended_is_said_plainly(regression: TableModel) -> None:
    table = houses()
    assert walk_through(regression, table, ROW, max_steps=2).outcome is Outcome.OUT_OF_STEPS
    diverged = walk_through(regression, table, ROW, learning_rate=1e4)
    assert diverged.outcome is Outcome.DIVERGED
    # The members agree and answer the truth: nothing is left to learn.
    model = prepared(table, "price", members=1).model
    answer = float(model.predict(model.read(table, [], labeled=False))[ROW - 1])
    prices = table["price"].to_pylist()
    prices[ROW - 1] = answer
    fits = table.set_column(table.column_names.index("price"), "price", [prices])
    found = walk_through(model, fits, ROW)
    assert found.outcome is Outcome.FITS_ALREADY
    assert len(found.guesses) == 2
    for walk in (diverged, found):
        json.dumps(walk.to_json(), allow_nan=False)


def test_its_record_is_json(case: Any) -> None:
    walk = walk_through(*case, ROW)
    saved = json.loads(json.dumps(walk.to_json(), allow_nan=False))
    assert saved["outcome"] == "fitted"
    assert saved["guesses"][0]["loss"] == walk.loss
    assert [layer["name"] for layer in saved["layers"]] == [layer.name for layer in walk.layers]


def test_every_input_of_the_first_layer_has_its_name(regression: TableModel) -> None:
    names, network = ElementNames(regression), regression.network
    features = network.layers[0].weight.shape[1]
    found = [names.weight("layers.0.weight", (0, i)) for i in range(features)]
    assert len(set(found)) == features
    assert found[0] == "size → unit 1"
    assert found[1] == f"{HOSTILE} → unit 1"
    cities = sorted(set(houses()["city"].to_pylist()))
    assert found[-4:] == [f"city = {city} → unit 1" for city in cities]
    assert names.weight("head", (2, 0, 4)) == "member 3: unit 5 → price"


def test_pieces_are_named_in_the_tables_own_units() -> None:
    values = np.linspace(0, 600, 601)
    table = pa.table({"metres": values, "price": values**2 + 0.5})
    run = prepared(table, "price", valid=0.01)
    names = ElementNames(run.model)
    low, _, high = names.output("piecewise", (0, 0)).removeprefix("metres ").partition(" to ")
    # The first of 6 bins equally filled, but for the rows that are held out.
    assert float(low) == pytest.approx(0, abs=4)
    assert float(high) == pytest.approx(100, abs=4)


@pytest.mark.parametrize("row", [0, -1, 121])
def test_a_row_that_is_not_there_is_refused(regression: TableModel, row: int) -> None:
    with pytest.raises(UsageError, match=rf"no row {row}: the table has 120 rows, counted from 1"):
        walk_through(regression, houses(), row)


def test_a_row_without_a_target_is_refused(regression: TableModel) -> None:
    table = houses()
    prices = [None, *table["price"].to_pylist()[1:]]
    table = table.set_column(table.column_names.index("price"), "price", [prices])
    with pytest.raises(DataError, match="Row 1 has no value in the target 'price'"):
        walk_through(regression, table, 1)


def test_a_cell_that_cannot_be_read_is_refused_with_its_row(regression: TableModel) -> None:
    table = houses()
    sizes = [*map(str, table["size"].to_pylist())]
    sizes[4] = "large"
    table = table.set_column(0, "size", [sizes])
    with pytest.raises(DataError, match=r"Column 'size', row 5: found 'large'"):
        walk_through(regression, table, 5)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_that_is_none_is_refused(regression: TableModel, rate: float) -> None:
    with pytest.raises(UsageError, match="learning rate"):
        walk_through(regression, houses(), ROW, learning_rate=rate)


def test_an_embedded_category_is_walked_through_as_well() -> None:
    table = houses(400)
    towns = [f"town {i % 150:03d}" for i in range(400)]
    table = table.append_column("town", [towns])
    model = prepared(table, "price", kinds={"town": "category"}).model
    walk = walk_through(model, table, ROW)
    weight = next(each for each in walk.weights if each.name == "embeddings.0.weight")
    assert weight.layer == "embeddings.0"
    # Only the row's own town has a gradient.
    assert all(change.name.startswith("town = town 006") for change in weight.largest)
