"""What each layer promises beside its numbers: its errors, its random masks, its edge cases."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.ops.layers.normalization import normalize

F = nn.functional


def floats(*shape: int, dtype: str = "float32") -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


# Linear -------------------------------------------------------------------------------------------


def test_linear_takes_any_leading_axes() -> None:
    layer, x = nn.Linear(3, 2), floats(4, 5, 3)
    weight, bias = layer.weight.numpy(), layer.bias.numpy()
    np.testing.assert_allclose(layer(x).numpy(), x @ weight.T + bias, rtol=1e-5)
    with pytest.raises(ValueError, match=r"\(4, 5, 3\).*expects \(\.\.\., 2\)"):
        nn.Linear(2, 2)(x)


def test_linear_starts_uniform_within_one_over_root_of_fan_in() -> None:
    layer = nn.Linear(400, 300)
    for parameter in layer.parameters():
        values = parameter.numpy()
        assert np.abs(values).max() <= 1 / 20
        assert values.std() == pytest.approx(1 / 20 / math.sqrt(3), rel=0.05)
    assert [p.numel() for p in nn.Linear(0, 3).parameters()] == [0, 3]


# Embedding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-1, 5])
def test_an_index_out_of_the_table_is_an_error_that_says_where(wrong: int) -> None:
    index = np.array([[0, 1], [4, wrong]])
    with pytest.raises(
        IndexError, match=rf"index must be from 0 to 4, found {wrong} at position \[1, 1\]"
    ):
        nn.Embedding(5, 2)(index)
    with pytest.raises(TypeError, match="expected integers, found float32"):
        nn.Embedding(5, 2)(index.astype(np.float32))


def test_the_padding_row_is_zero_and_gets_no_gradient() -> None:
    layer = nn.Embedding(5, 2, padding_idx=-1)
    assert layer.padding_idx == 4
    assert not layer.weight.numpy()[4].any()
    layer(np.array([4, 1, 1, 4])).sum().backward()
    assert layer.weight.grad.numpy().tolist() == [[0, 0], [2, 2], [0, 0], [0, 0], [0, 0]]
    with pytest.raises(ValueError, match="one of the 5 rows, found 5"):
        nn.Embedding(5, 2, padding_idx=5)


def test_one_hot_is_torchs() -> None:
    index = np.array([[0, 3], [1, 1]])
    for count in (-1, 6):
        expected = torch.nn.functional.one_hot(torch.from_numpy(index), count).numpy()
        found = F.one_hot(index, count).numpy()
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    with pytest.raises(IndexError, match="class must be from 0 to 2, found 3"):
        F.one_hot(index, 3)


# Dropout ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_the_share_it_says_and_keeps_the_expected_value(p: float) -> None:
    n = 200_000
    out = nn.Dropout(p)(np.ones(n, np.float32)).numpy()
    assert out.dtype == np.float32
    np.testing.assert_allclose(np.unique(out), [0, 1 / (1 - p)], rtol=1e-6)
    # Five standard deviations of the binomial distribution.
    assert np.mean(out == 0) == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / n))


def test_dropout_multiplies_the_cotangent_by_its_mask() -> None:
    x = rg.Tensor(floats(10, 10), requires_grad=True)
    out = nn.Dropout(0.4)(x)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy() * x.numpy(), out.numpy(), rtol=1e-6)


def test_dropout_draws_the_same_masks_eagerly_and_compiled() -> None:
    layer, x = nn.Dropout(0.5), np.ones((3, 40), np.float32)

    def three(x: Any) -> Any:
        return [layer(x), layer(x), layer(x)]

    runs = []
    for run in (three, rg.compile(three)):
        rg.manual_seed(7)
        runs.append([out.numpy() for _ in range(2) for out in run(x)])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert len({mask.tobytes() for mask in runs[0]}) == 6


def test_dropout_is_the_identity_in_evaluation_and_for_p_0() -> None:
    x = rg.Tensor(floats(4, 3))
    assert nn.Dropout(0.5).eval()(x) is x
    assert nn.Dropout(0.0)(x) is x
    assert not nn.Dropout(1.0)(x).numpy().any()
    assert isinstance(nn.Dropout(0.5).eval()(floats(2)), rg.Tensor)


@pytest.mark.parametrize("p", [-0.1, 1.5, math.nan])
def test_a_dropout_that_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.Dropout(p)
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.dropout(floats(2), p)


# Normalization ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [0, -1, (0, 2), (-2, -1)])
def test_normalize_has_the_gradients_of_finite_differences_to_second_order(dim: Any) -> None:
    rg.check_gradients(lambda x: normalize(x, dim=dim, eps=1e-3), floats(4, 3, 5))


@pytest.mark.parametrize("name", ["BatchNorm1d", "LayerNorm"])
def test_normalization_survives_a_large_mean_and_no_spread(name: str) -> None:
    layer, exact = getattr(nn, name)(6), getattr(torch.nn, name)(6, dtype=torch.float64)
    for x in (np.full((4, 6), 3.0, np.float32), 1e4 + floats(4, 6)):
        mine = rg.Tensor(x, requires_grad=True)
        out = layer(mine)
        out.square().sum().backward()
        expected = exact(torch.tensor(x, dtype=torch.float64)).detach().numpy()
        # A float32 near 10,000 is known to 0.0005; the variance as E[x²] - E[x]² would be off by 8.
        np.testing.assert_allclose(out.numpy(), expected, atol=1e-2)
        assert np.isfinite(mine.grad.numpy()).all()


def test_batch_norm_needs_more_than_one_value_a_channel() -> None:
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match=r"more than one value a channel.*\(1, 3\)"):
        layer(floats(1, 3))
    assert layer.num_batches_tracked.item() == 0
    assert layer(floats(1, 3, 2)).shape == (1, 3, 2)
    assert layer.eval()(floats(1, 3)).shape == (1, 3)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((4, 2), r"expected 3 channels on axis 1, found.*\(4, 2\)"), ((3,), r"\(n, c\)")],
)
def test_batch_norm_says_which_shape_it_wants(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.BatchNorm1d(3)(floats(*shape))


def test_layer_norm_says_which_shape_it_wants() -> None:
    with pytest.raises(ValueError, match=r"expected.*\(\.\.\., 4, 3\), found \(3, 4\)"):
        nn.LayerNorm((4, 3))(floats(3, 4))


# Activations and residuals ------------------------------------------------------------------------

ACTIVATIONS = [
    lambda n: n.ReLU(),
    lambda n: n.LeakyReLU(),
    lambda n: n.ELU(),
    lambda n: n.SELU(),
    lambda n: n.GELU(),
    lambda n: n.GELU("tanh"),
    lambda n: n.SiLU(),
    lambda n: n.Mish(),
    lambda n: n.Tanh(),
    lambda n: n.Sigmoid(),
    lambda n: n.Softplus(),
    lambda n: n.Hardtanh(),
    lambda n: n.ReLU6(),
    lambda n: n.Softmax(0),
    lambda n: n.LogSoftmax(0),
]


@pytest.mark.parametrize("build", ACTIVATIONS, ids=lambda build: str(build(nn)))
def test_activations_at_kinks_and_far_out_are_torchs(build: Any) -> None:
    x = np.array([-1e4, -100, -6, -1, -1e-3, 0, 1e-3, 1, 6, 20.5, 100, 1e4], np.float32)
    mine, other = rg.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, expected = build(nn)(mine), build(torch.nn)(other)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-7)
    weights = floats(len(x))
    out.backward(weights)
    expected.backward(torch.from_numpy(weights))
    assert mine.grad.dtype == np.float32
    np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-5, atol=1e-6)


def test_an_unknown_approximation_of_gelu_is_refused() -> None:
    with pytest.raises(ValueError, match="'none' or 'tanh', found 'erf'"):
        nn.GELU("erf")(floats(2))


def test_a_residual_that_changes_the_shape_says_so() -> None:
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\) and Linear made it \(2, 1\).*3 fe"):
        nn.Residual(nn.Linear(3, 1))(floats(2, 3))
