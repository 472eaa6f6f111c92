"""Random tensors have the shapes and dtypes asked for, and their laws' moments."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd.creation import randoms

N = 20_000


def test_the_shapes_and_dtypes_are_those_asked_for() -> None:
    like = rg.zeros(2, 3, dtype=rg.float64)
    for made in (rg.rand_like(like), rg.randn_like(like), rg.randint_like(like, 4)):
        assert (made.shape, made.dtype) == (like.shape, like.dtype)
    assert rg.rand(2, 3).shape == rg.randn((2, 3)).shape == (2, 3)
    assert rg.randn(3, dtype=rg.float64, requires_grad=True).requires_grad
    assert rg.randint(5, (4,)).dtype == rg.int64
    assert set(randoms.__all__) <= set(rg.__all__)


def test_the_laws_have_their_moments() -> None:
    rg.manual_seed(0)
    wide = rg.normal(3.0, 2.0, (N,)).numpy()
    # Five standard errors on either side.
    assert wide.mean() == pytest.approx(3, abs=5 * 2 / np.sqrt(N))
    assert wide.std() == pytest.approx(2, abs=5 * 2 / np.sqrt(2 * N))
    means = rg.normal(rg.arange(3, dtype=rg.float32), 1e-6)
    np.testing.assert_allclose(means.numpy(), [0, 1, 2], atol=1e-4)
    counts = np.bincount(rg.randint(2, 6, (N,)).numpy(), minlength=6)
    assert counts[:2].sum() == 0
    np.testing.assert_allclose(counts[2:], N / 4, atol=5 * np.sqrt(N * 3 / 16))
    events = rg.poisson(rg.full((N,), 4.0)).numpy()
    assert events.mean() == pytest.approx(4, abs=5 * 2 / np.sqrt(N))
    coins = rg.bernoulli(rg.full((N,), 0.2)).numpy()
    assert coins.mean() == pytest.approx(0.2, abs=5 * 0.4 / np.sqrt(N))


def test_a_permutation_has_every_number_once() -> None:
    found = rg.randperm(100).numpy()
    assert sorted(found) == list(range(100))
    assert list(found) != list(range(100))


def test_multinomial_draws_in_proportion_and_without_replacement_no_number_twice() -> None:
    rg.manual_seed(0)
    shares = rg.tensor([0.0, 1.0, 3.0])
    drawn = rg.multinomial(shares, N, replacement=True).numpy()
    np.testing.assert_allclose(
        np.bincount(drawn, minlength=3) / N, [0, 0.25, 0.75], atol=5 * 0.44 / np.sqrt(N)
    )
    rows = rg.multinomial(shares.expand(200, 3), 2).numpy()
    assert {tuple(sorted(row)) for row in rows.tolist()} == {(1, 2)}
    first = (rows[:, 0] == 2).mean()
    assert first == pytest.approx(0.75, abs=5 * 0.44 / np.sqrt(200))
    with pytest.raises(ValueError, match="4 of 3 cannot be drawn without replacement"):
        rg.multinomial(shares, 4)


def test_a_compiled_step_draws_the_eager_numbers_and_new_ones_each_time() -> None:
    def step(x: rg.Tensor) -> list[rg.Tensor]:
        return [x + rg.randn(3), rg.randperm(4), rg.randint(9, (3,)), rg.multinomial(x + 1, 2)]

    rg.manual_seed(3)
    eager = [each.numpy() for each in step(rg.zeros(3))]
    rg.manual_seed(3)
    compiled = rg.compile(step)
    for found, expected in zip(compiled(rg.zeros(3)), eager, strict=True):
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    again = compiled(rg.zeros(3))[0].numpy()
    assert not np.array_equal(again, eager[0])


def test_the_state_of_the_streams_comes_back() -> None:
    state = rg.get_rng_state()
    first = rg.randn(3).tolist(), rg.random.host_rng().random()
    rg.set_rng_state(state)
    assert (rg.randn(3).tolist(), rg.random.host_rng().random()) == first


def test_a_generator_of_ones_own_leaves_the_common_stream_alone() -> None:
    before = rg.get_rng_state()["key"]
    drawn = rg.randn(3, generator=rg.Key(np.array([0, 7], np.uint32)))
    np.testing.assert_array_equal(rg.get_rng_state()["key"], before)
    again = rg.randn(3, generator=rg.Key(np.array([0, 7], np.uint32)))
    assert drawn.tolist() == again.tolist()


def test_an_empty_range_of_whole_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole number from 3 up to 3"):
        rg.randint(3, 3, (2,))
