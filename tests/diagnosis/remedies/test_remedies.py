"""Each remedy makes the change that it is named for, and a program that trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.mended import (
    ROWS,
    classification,
    layer_kinds,
    only,
    regression,
    sample_data,
    variants,
)

from retrograd import nn, optim
from retrograd.diagnosis.catalogue import catalogue, finding
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.diagnosis.remedies.table import PROGRAM_REMEDIES
from retrograd.tensor import Tensor


def test_the_catalogues_changes_are_known_or_for_a_person() -> None:
    by_person = {"by_hand", "more_data"}
    named = {each.change for entry in catalogue().values() for each in entry.remedies}
    assert named - by_person <= set(PROGRAM_REMEDIES.by_change)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_what_is_changed_is_another_program(task: str) -> None:
    program = regression() if task == "regression" else classification()
    before = repr(program)
    for change in PROGRAM_REMEDIES.by_change:
        for words, changed in variants(change, program, finding("RG206", "x")):
            assert changed is not program
            assert words
    assert repr(program) == before


def test_learning_rates_go_where_they_should() -> None:
    program = regression(options={"lr": 0.5})
    lower = [w[1].options["lr"] for w in variants("lower_learning_rate", program, None)]
    assert lower == [0.001, 0.05, 0.005]
    slow = regression(options={"lr": 1e-6})
    higher = [w[1].options["lr"] for w in variants("raise_learning_rate", slow, None)]
    assert higher == [1e-3, 1e-5, 1e-4]
    either = variants("raise_learning_rate", program, finding("RG206", "x"))
    assert [w[1].options["lr"] for w in either] == [0.05, 0.001]  # 5 is beyond all reason
    momentum = regression(optimizer=optim.SGD, options={"lr": 1.0, "momentum": 0.9})
    assert only("lower_learning_rate", momentum).options == {"lr": 0.05, "momentum": 0.9}


def test_a_schedule_steps_with_the_optimizer() -> None:
    program = regression(options={"lr": 0.01})
    cosine, warm = only("schedule", program).run(0), only("warmup", program).run(0)
    assert cosine.optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-6)
    assert warm.optimizer.param_groups[0]["lr"] == pytest.approx(0.01)
    assert np.isfinite([cosine.score, warm.score]).all()


def test_options_of_the_loop_change() -> None:
    program = regression(clip_norm=0.5, shuffle=False, patience=None, epochs=40)
    assert only("shuffle", program).shuffle
    assert only("raise_clip", program).clip_norm == 5
    assert only("clip_gradients", program).clip_norm == 0.05
    assert only("early_stopping", program).patience == 4
    assert only("more_epochs", program).epochs == 120
    assert only("fewer_epochs", program).epochs == 20
    assert [w[1].batch_size for w in variants("smaller_batch", program, None)] == [8]
    assert variants("larger_batch", program, None) == []  # too few steps would be left
    assert only("larger_batch", replace(program, batch_size=2)).batch_size == 8
    assert variants("shuffle", regression(), None) == []


def test_weight_decay_changes() -> None:
    decayed = regression(optimizer=optim.AdamW, options={"lr": 1e-3, "weight_decay": 5.0})
    lowered = variants("lower_weight_decay", decayed, None)
    assert [w[1].options["weight_decay"] for w in lowered] == [0.05, 0.0]
    added = only("add_weight_decay", regression())
    assert added.optimizer is optim.AdamW
    assert added.options == {"lr": 1e-3, "weight_decay": 0.1}


def test_zero_weights_are_drawn_anew() -> None:
    def zeros() -> nn.Module:
        model = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.Linear(64, 1))
        return model.apply(lambda m: [nn.init.zeros_(p) for p in m.parameters(recurse=False)])

    layers = list(only("initialize", regression(zeros)).model().modules())
    weight = np.asarray(layers[1].weight.data)
    assert weight.std() == pytest.approx(np.sqrt(2 / 6), rel=0.15)  # He et al. 2015
    assert len(np.unique(weight)) == weight.size
    assert not np.asarray(layers[1].bias.data).any()


def test_embeddings_are_drawn_small_first() -> None:
    words = np.random.default_rng(0).integers(0, 400, (ROWS, 5))
    data = {n: Samples(words[: len(e.target)], e.target) for n, e in sample_data().items()}
    program = regression(
        lambda: nn.Sequential(nn.Embedding(400, 20), nn.Flatten(), nn.Linear(100, 1)), **data
    )
    found = variants("initialize", program, None)
    stds = [float(np.asarray(w[1].model()[0].weight.data).std()) for w in found]
    assert stds == pytest.approx([0.1, 1.0], rel=0.05)


def test_sigmoids_give_way_and_the_output_stays() -> None:
    def deep() -> nn.Module:
        layers = [m for _ in range(3) for m in (nn.Linear(6, 6), nn.Sigmoid())]
        return nn.Sequential(*layers, nn.Linear(6, 1), nn.Sigmoid())

    changed = only("activation_relu", regression(deep))
    assert layer_kinds(changed) == ["Linear", "ReLU"] * 3 + ["Linear", "Sigmoid"]
    removed = only("remove_output_activation", regression(deep))
    assert layer_kinds(removed)[-1] == "Identity"
    assert variants("remove_output_activation", regression(), None) == []
    leaky = only("activation_leaky_relu", classification())
    assert layer_kinds(leaky) == ["Linear", "LeakyReLU", "Linear"]


def test_an_activation_that_layers_share_is_changed_in_every_place() -> None:
    def shared() -> nn.Module:
        one = nn.Sigmoid()
        return nn.Sequential(nn.Linear(6, 8), one, nn.Linear(8, 8), one, nn.Linear(8, 1))

    changed = only("activation_relu", regression(shared)).model()
    assert [type(changed[place]).__name__ for place in (1, 3)] == ["ReLU", "ReLU"]
    wider = only("larger_model", regression(shared)).model()
    assert [type(wider[place]).__name__ for place in range(5)] == [
        "Linear", "Sigmoid", "Linear", "Sigmoid", "Linear",
    ]  # fmt: skip


def test_layers_are_added_where_they_are_missing() -> None:
    def bare() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 8), nn.Dropout(0.1), nn.Linear(8, 1))

    added = only("add_activation", regression(bare))
    assert layer_kinds(added) == ["Linear", "ReLU", "Linear", "ReLU", "Dropout", "Linear"]
    normalized = only("add_normalization", regression(bare))
    assert layer_kinds(normalized).count("LayerNorm") == 2
    assert layer_kinds(normalized)[-1] == "Linear"
    assert variants("add_normalization", normalized, None) == []
    assert layer_kinds(only("residual", regression(bare))) == layer_kinds(regression(bare))
    assert "Residual" in {type(m).__name__ for m in
                          only("residual", regression(bare)).model().modules()}  # fmt: skip


def test_dropout_changes() -> None:
    def dropped() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.9), nn.Linear(8, 1))

    def levels(program: Program) -> list[float]:
        return [m.p for m in program.model().modules() if isinstance(m, nn.Dropout)]

    lower = variants("lower_dropout", regression(dropped), None)
    assert [levels(w[1]) for w in lower] == [[0.2], [0.0]]
    raised = variants("raise_dropout", regression(), None)
    assert [levels(w[1]) for w in raised] == [[0.2], [0.5]]


def test_a_network_of_convolutions_is_made_wider() -> None:
    def small() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(4 * 4 * 4, 8), nn.ReLU(), nn.Linear(8, 3),
        )  # fmt: skip

    x = np.random.default_rng(0).normal(size=(ROWS, 1, 8, 8)).astype(np.float32)
    y = np.arange(ROWS) % 3
    program = classification(small, train=Samples(x, y), valid=Samples(x, y), epochs=1)
    for change, sizes in (("larger_model", [16, 32]), ("smaller_model", [1, 2])):
        changed = only(change, program)
        model = changed.model()
        assert model(Tensor(x[:2])).shape == (2, 3)
        first, hidden = model[0], model[5]
        assert [first.out_channels, hidden.out_features] == sizes
    assert np.isfinite(changed.run(0).score)


def test_inputs_and_target_are_scaled_by_the_training_rows() -> None:
    data = sample_data()
    wild = {n: Samples(e.inputs * 1000 + 5000, e.target * 100 + 7) for n, e in data.items()}
    program = regression(**wild)
    scaled = only("scale_inputs", program)
    assert scaled.train.inputs.mean(0) == pytest.approx(np.zeros(6), abs=1e-3)
    assert scaled.train.inputs.std(0) == pytest.approx(np.ones(6), rel=1e-3)
    assert scaled.valid.inputs.mean(0) != pytest.approx(np.zeros(6), abs=1e-3)
    target = only("scale_target", program)
    assert target.train.target.mean() == pytest.approx(0, abs=1e-5)
    assert variants("scale_inputs", scaled, None) == []
    assert variants("scale_target", target, None) == []
    assert variants("scale_target", classification(), None) == []


def test_missing_values_are_filled_and_rows_without_target_left_out() -> None:
    data = sample_data()
    x, y = data["train"].inputs.copy(), data["train"].target.copy()
    x[3, 1], x[4, 2], y[5] = np.nan, np.inf, np.nan
    filled = only("fill_missing", regression(train=Samples(x, y)))
    assert len(filled.train.target) == 79
    assert np.isfinite(filled.train.inputs).all()
    assert filled.train.inputs[3, 1] == pytest.approx(np.median(np.delete(x[:, 1], 3)))
    assert variants("fill_missing", regression(), None) == []


def test_duplicates_and_a_column_are_left_out() -> None:
    data = sample_data()
    x, y = data["train"]
    copied = Samples(np.concatenate([x, x[:10], data["valid"].inputs[:5]]), np.resize(y, 95))
    program = regression(train=copied)
    assert len(only("drop_duplicates", program).train.target) == 80
    assert variants("drop_duplicates", regression(), None) == []
    dropped = only("drop_column", regression(), "RG305", column=2)
    for examples in (dropped.train, dropped.valid):
        assert len(np.unique(examples.inputs[:, 2])) == 1
    assert variants("drop_column", regression(), finding("RG305", "x")) == []


def test_rare_classes_count_more() -> None:
    x = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    y = (np.arange(100) < 10).astype(np.int64)
    program = classification(train=Samples(x, y), valid=Samples(x, y))
    weighed = only("weigh_classes", program)
    output, target = Tensor(np.zeros((4, 3), np.float32)), Tensor(np.array([1, 0, 0, 0]))
    shifted = Tensor(np.array([[9, 0, 0]] * 4, np.float32))
    # The one rare row, weight 5, against three of weight 5/9, of which it is wrong on the rare.
    assert weighed.loss(output, target).item() == pytest.approx(np.log(3))
    assert weighed.loss(shifted, target).item() == pytest.approx(9 * 5 / (5 + 3 * 5 / 9), rel=1e-2)
    own = replace(program, loss=lambda output, y: nn.cross_entropy(output, y) * 2)
    oversampled = only("weigh_classes", own)
    assert np.bincount(oversampled.train.target).tolist() == [90, 90]


@pytest.mark.parametrize("coding", ["codes", "one-hot", "column"])
def test_the_loss_becomes_the_tasks_own(coding: str) -> None:
    def ends_in_softmax() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(1))

    code = {
        "codes": lambda y: y,
        "one-hot": lambda y: np.eye(3, dtype=np.float32)[y],
        "column": lambda y: y[:, None],
    }[coding]
    sets = {n: Samples(e.inputs, code(e.target)) for n, e in sample_data(classes=3).items()}
    faulty = classification(ends_in_softmax, loss=lambda o, y: o.sum() * 0.0, **sets)
    changed = only("change_loss", replace(faulty, epochs=30, options={"lr": 0.01}))
    assert changed.run(0).score > 0.6
    assert layer_kinds(changed)[-1] == "Identity"


def test_the_loss_of_two_classes_and_of_numbers() -> None:
    def one() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())

    sets = {n: Samples(e.inputs, (e.target > 0).astype(np.int64)) for n, e in sample_data().items()}
    two = classification(one, loss=lambda o, y: nn.mse_loss(o, y), **sets)
    assert only("change_loss", replace(two, epochs=20, options={"lr": 0.01})).run(0).score > 0.8
    wrong = regression(loss=lambda o, y: (o - y).mean(), epochs=30, options={"lr": 0.02})
    assert only("change_loss", wrong).run(0).score > 0.8


def test_smoothing_applies_to_a_cross_entropy_alone() -> None:
    assert only("label_smoothing", classification()).loss is not nn.cross_entropy
    assert variants("label_smoothing", regression(), None) == []


def test_a_random_change_is_another_one_and_the_same_each_time() -> None:
    program = regression()
    (first, *_) = PROGRAM_REMEDIES.random(program, "lower_learning_rate", 3)
    assert first[0] == PROGRAM_REMEDIES.random(program, "lower_learning_rate", 3)[0][0]
    drawn = {PROGRAM_REMEDIES.random(program, "x", seed)[0][0] for seed in range(12)}
    assert len(drawn) > 4
