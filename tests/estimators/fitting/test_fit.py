"""Many fits share few programs, keep no rows, and cannot disturb one another."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retrograd.compiler import Compiled
from retrograd.estimators.fitting import fit

from ..conftest import Data, small_classifier, small_regressor


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that are compiled during a test."""
    found: list[str] = []
    compile_ = Compiled._compile

    def noted(self: Compiled, *args: object) -> object:
        found.append(str(self.function))
        return compile_(self, *args)  # type: ignore[arg-type]  # handed on as they come

    monkeypatch.setattr(Compiled, "_compile", noted)
    return found


def test_fits_of_near_sizes_compile_once(numbers: Data, compiled: list[str]) -> None:
    """As the folds of a search do: other rows, seeds, learning rates, decays and lengths."""
    x, y = numbers
    rng = np.random.default_rng(0)
    small_regressor().fit(x[:160], y[:160])
    compiled.clear()
    for number in range(12):
        rows = rng.choice(200, 158 + number % 3, replace=False)
        model = small_regressor(
            random_state=number,
            alpha=rng.random(),
            learning_rate_init=rng.uniform(0.001, 0.01),
            max_iter=10 + number,
        )
        model.fit(x[rows], y[rows])
    assert compiled == []


def test_partial_fits_of_near_sizes_compile_once(classes: Data, compiled: list[str]) -> None:
    x, y = classes
    model = small_classifier().partial_fit(x[:60], y[:60])
    compiled.clear()
    for rows in (60, 58, 61, 63):
        model.partial_fit(x[:rows], y[:rows])
    assert compiled == []


def test_no_rows_are_kept_once_a_fit_has_ended(numbers: Data) -> None:
    x, y = numbers
    small_regressor().fit(x, y)
    for bench in fit._BENCHES._idle.values():
        assert bench.rows.inputs == ()
        assert bench.trainer.validation is None
        assert all(column.data.base is not None for column in bench.rows._columns)  # one 0, spread


def test_a_fit_in_between_changes_nothing(numbers: Data, classes: Data) -> None:
    x, y = numbers
    first = small_regressor().fit(x, y)
    answers = first.predict(x)
    small_regressor(random_state=5).fit(x[::-1], -y)
    np.testing.assert_array_equal(first.predict(x), answers)
    np.testing.assert_array_equal(small_regressor().fit(x, y).predict(x), answers)


def test_threads_fit_as_one_thread_does(numbers: Data) -> None:
    x, y = numbers

    def answers(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        model = small_regressor(dropout=0.1, random_state=seed, max_iter=5)
        return model.fit(x, y).predict(x)

    expected = [answers(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        np.testing.assert_array_equal(list(pool.map(answers, range(4))), expected)


def test_a_forgotten_estimator_is_freed(numbers: Data) -> None:
    model = small_regressor().fit(*numbers)
    model.predict(numbers[0])
    gone = weakref.ref(model._network)
    del model
    gc.collect()
    assert gone() is None
