"""Random numbers: set by one seed, and the same eagerly and compiled."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import random


def draws():
    return [
        random.uniform((2, 3)),
        random.normal((4,), "float64"),
        random.bernoulli(0.3, (50,)),
        random.uniform((), "float64"),
        random.bernoulli(0.5, (0, 2)),
    ]


def values(tensors) -> list[np.ndarray]:
    return [tensor.numpy() for tensor in tensors]


def assert_same(found, expected) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_array_equal(mine, theirs)


def test_the_same_seed_gives_the_same_numbers() -> None:
    found = []
    for seed in (5, 6, 5):
        rg.manual_seed(seed)
        found.append([*values(draws()), rg.random.host_rng().normal(size=3)])
    assert_same(found[0], found[2])
    assert not np.array_equal(found[0][0], found[1][0])
    assert not np.array_equal(found[0][-1], found[1][-1])


def test_the_compiled_stream_is_the_eager_one() -> None:
    step = rg.compile(draws)
    rg.manual_seed(5)
    eager = values(draws()) + values(draws()) + values(draws())
    rg.manual_seed(5)
    mixed = values(step()) + values(draws()) + values(step())
    for mine, theirs in zip(mixed, eager, strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        # Uniform bits are equal; XLA may round the normal law's last bit otherwise.
        np.testing.assert_allclose(mine, theirs, rtol=1e-6 if mine.dtype == np.float32 else 1e-14)
    for index in (0, 2, 3):
        np.testing.assert_array_equal(mixed[index], eager[index])


def test_each_draw_is_another() -> None:
    first, second = random.uniform((100,)), random.uniform((100,))
    assert not np.array_equal(first.numpy(), second.numpy())
    step = rg.compile(lambda: random.uniform((100,)))
    assert not np.array_equal(step().numpy(), step().numpy())


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**40 + 7, 2**64 - 1])
def test_all_64_bits_of_a_seed_matter(seed: int) -> None:
    rg.manual_seed(seed)
    found = random.uniform((4,)).numpy()
    rg.manual_seed(seed ^ 2**33)
    assert not np.array_equal(random.uniform((4,)).numpy(), found)


def test_the_laws_have_their_moments() -> None:
    n = 20_000
    uniform, normal = random.uniform((n,)).numpy(), random.normal((n,)).numpy()
    mask = random.bernoulli(0.3, (n,)).numpy()
    # Five standard errors on either side.
    assert uniform.mean() == pytest.approx(0.5, abs=5 / np.sqrt(12 * n))
    assert 0 <= uniform.min() < uniform.max() < 1
    assert normal.mean() == pytest.approx(0, abs=5 / np.sqrt(n))
    assert normal.std() == pytest.approx(1, abs=5 / np.sqrt(2 * n))
    assert set(np.unique(mask)) == {0.0, 1.0}
    assert mask.mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / n))


def test_eager_numbers_are_numpys() -> None:
    assert all(type(tensor.data) is np.ndarray for tensor in draws())
    assert type(random.default_key.data) is np.ndarray


def test_a_key_of_ones_own_leaves_the_common_stream_alone() -> None:
    before = random.default_key.data.copy()
    key = rg.Key(np.array([0, 3], np.uint32))
    first, second = (random.uniform((3,), key=key).numpy() for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(random.default_key.data, before)


def test_a_compiled_step_carries_a_key_of_ones_own() -> None:
    key = rg.Key(np.array([0, 3], np.uint32))
    step = rg.compile(lambda: random.uniform((3,), key=key))
    compiled = [step().numpy() for _ in range(2)]
    key.data = np.array([0, 3], np.uint32)
    for found in compiled:
        np.testing.assert_array_equal(random.uniform((3,), key=key).numpy(), found)


def test_a_seeded_block_leaves_the_streams_as_they_were() -> None:
    rg.manual_seed(5)
    expected = rg.random.uniform((3,)).numpy(), rg.random.host_rng().random(3)
    rg.manual_seed(5)
    with rg.random.seeded(1):
        rg.random.uniform((2,))
        rg.random.host_rng().random(2)
    np.testing.assert_array_equal(rg.random.uniform((3,)).numpy(), expected[0])
    np.testing.assert_array_equal(rg.random.host_rng().random(3), expected[1])


def test_a_seeded_block_draws_what_the_seed_says() -> None:
    rg.manual_seed(7)
    expected = rg.random.uniform((3,)).numpy(), rg.random.host_rng().random(3)
    rg.manual_seed(8)
    with rg.random.seeded(7):
        found = rg.random.uniform((3,)).numpy(), rg.random.host_rng().random(3)
    np.testing.assert_array_equal(found, expected)
