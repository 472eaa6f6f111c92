"""A Program runs again exactly, can be changed in one place, and is scored on examples held out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, r2_score

from retrograd import nn, optim
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.errors import UsageError

RNG = np.random.default_rng(7)
X = RNG.normal(size=(240, 3)).astype(np.float32)
Y = (X[:, 0] * 2 - X[:, 1] + 0.1 * RNG.normal(size=240)).astype(np.float32)


def examples(target: np.ndarray) -> dict[str, Samples]:
    return {
        "train": Samples(X[:160], target[:160]),
        "valid": Samples(X[160:200], target[160:200]),
        "test": Samples(X[200:], target[200:]),
    }


def squared(output, target):
    return nn.mse_loss(output[:, 0], target)


REGRESSION = Program(
    model=lambda: nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1)),
    loss=squared,
    task="regression",
    options={"lr": 1e-2},
    epochs=8,
    batch_size=16,
    **examples(Y),
)
CLASSES = (Y > 1.0).astype(np.int64)
CLASSIFIER = replace(
    REGRESSION,
    loss=lambda output, y: nn.binary_cross_entropy_with_logits(output[:, 0], y.astype("float32")),
    task="classification",
    **examples(CLASSES),
)


def test_a_seed_gives_the_same_run_again():
    one, again = REGRESSION.run(3), REGRESSION.run(3)
    assert one.train_loss == again.train_loss
    assert one.score == again.score
    assert REGRESSION.run(4).train_loss != one.train_loss


def test_the_seed_draws_the_initial_weights():
    still = replace(REGRESSION, options={"lr": 0.0}, epochs=1)
    one, other = (still.run(seed).model.state_dict()["0.weight"] for seed in (3, 4))
    assert (one != other).all()


def test_an_optimizer_may_hold_a_part_of_the_parameters():
    def last_layer(parameters, lr):
        return optim.Adam(list(parameters)[-2:], lr)

    before = replace(REGRESSION, options={"lr": 0.0}, epochs=1).run().model.state_dict()
    after = replace(REGRESSION, optimizer=last_layer).run().model.state_dict()
    np.testing.assert_array_equal(after["0.weight"], before["0.weight"])
    assert (after["2.weight"] != before["2.weight"]).all()


def test_the_score_is_r2_on_the_examples_held_out():
    outcome = REGRESSION.run()
    outcome.model.eval()
    expected = r2_score(Y[200:], outcome.model(X[200:]).numpy()[:, 0])
    assert outcome.score == pytest.approx(expected, rel=1e-5)
    assert outcome.score > 0.9


def test_without_a_held_part_the_validation_examples_are_scored():
    outcome = replace(REGRESSION, test=None).run()
    predicted = outcome.model(X[160:200]).numpy()[:, 0]
    assert outcome.score == pytest.approx(r2_score(Y[160:200], predicted), rel=1e-5)


def test_balanced_is_the_mean_over_classes():
    # Slow steps leave it where it says no too often.
    plain = replace(CLASSIFIER, options={"lr": 1e-3}, epochs=2)
    outcome = replace(plain, balanced=True).run()
    predicted = outcome.model(X[200:]).numpy()[:, 0] > 0
    assert outcome.score == pytest.approx(balanced_accuracy_score(CLASSES[200:], predicted))
    assert outcome.score != plain.run().score


def test_a_final_sigmoid_gives_probabilities():
    """Its answers above a half, not above zero, say yes."""
    weights = {
        "0.weight": np.array([[2.0, -1.0, 0.0]], np.float32),
        "0.bias": np.array([-1.0], np.float32),
    }

    def model() -> nn.Module:
        network = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())
        network.load_state_dict(weights)
        return network

    program = replace(CLASSIFIER, model=model, options={"lr": 0.0}, epochs=1)
    right = (X[200:] @ weights["0.weight"][0] - 1 > 0) == CLASSES[200:]
    assert program.run().score == pytest.approx(right.mean())


def test_several_outputs_answer_by_the_largest_also_against_one_hot_targets():
    codes = replace(
        CLASSIFIER,
        model=lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)),
        loss=nn.cross_entropy,
    )
    hot = np.eye(2, dtype=np.float32)[CLASSES]
    one, other = codes.run(), replace(codes, **examples(hot)).run()
    assert one.score == pytest.approx(other.score)
    assert one.score > 0.85


def test_clipping_holds_the_step():
    """A step of plain descent is the rate times the clipped gradient."""
    program = replace(
        REGRESSION, optimizer=optim.SGD, options={"lr": 1.0}, clip_norm=1e-3, epochs=1
    )
    program = replace(program, batch_size=160)
    before = replace(program, options={"lr": 0.0}).run().model.state_dict()
    after = program.run().model.state_dict()
    moved = sum(((after[name] - before[name]) ** 2).sum() for name in before) ** 0.5
    assert moved == pytest.approx(1e-3, rel=1e-2)


def test_patience_ends_early_and_puts_the_best_weights_back():
    program = replace(REGRESSION, options={"lr": 0.3}, epochs=60, patience=2)
    outcome = program.run()
    assert len(outcome.validation_loss) < 60
    best = min(outcome.validation_loss)
    assert outcome.validation_loss.index(best) == len(outcome.validation_loss) - 3
    x, y = program.valid
    outcome.model.eval()
    error = np.mean((outcome.model(x).numpy()[:, 0] - y) ** 2)
    assert error == pytest.approx(best, rel=1e-4)


def test_without_shuffling_the_rows_come_in_their_order():
    """Two halves that contradict each other: the later one has the last word."""
    halves = np.concatenate([np.full(80, -1.0), np.full(80, 1.0)]).astype(np.float32)
    program = replace(
        REGRESSION,
        train=Samples(X[:160], halves),
        optimizer=optim.SGD,
        options={"lr": 0.1},
        shuffle=False,
    )
    means = [
        each.run().model(X).numpy().mean() for each in (program, replace(program, shuffle=True))
    ]
    assert means[0] > 0.5
    assert abs(means[1]) < 0.3


def test_a_loss_that_is_no_number_ends_the_run_and_the_score_says_so():
    program = replace(REGRESSION, train=Samples(X[:160] * np.float32(np.nan), Y[:160]))
    outcome = program.run()
    assert len(outcome.train_loss) == 1
    assert np.isnan(outcome.score)


def test_a_loop_of_ones_own_takes_the_place():
    seen = []

    def fit(program, model, optimizer, rng):
        seen.append((program, type(optimizer)))
        model.train()

    outcome = replace(REGRESSION, fit=fit).run()
    assert seen[0][1] is optim.Adam
    assert outcome.train_loss == []


def test_the_recorder_watches_the_steps_and_hears_of_each_epoch():
    class Listener:
        def __init__(self):
            self.inside, self.epochs = None, []

        @contextmanager
        def watching(self, model, optimizer):
            self.inside = True
            yield
            self.inside = False

        def add_epoch(self, epoch, train_loss, validation_loss, **more):
            assert self.inside
            self.epochs.append((epoch, train_loss, validation_loss))

    listener = Listener()
    outcome = replace(REGRESSION, epochs=3).run(recorder=listener)
    assert listener.inside is False
    assert listener.epochs == [
        (i + 1, outcome.train_loss[i], outcome.validation_loss[i]) for i in range(3)
    ]


def test_inputs_and_targets_must_be_as_many():
    with pytest.raises(UsageError, match=r"valid has 40 inputs and 39 targets"):
        replace(REGRESSION, valid=Samples(X[160:200], Y[160:199]))
    with pytest.raises(UsageError, match=r"train has no examples"):
        replace(REGRESSION, train=Samples(X[:0], Y[:0]))
