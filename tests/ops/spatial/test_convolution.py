"""Convolution against PyTorch, over shapes, strides, padding, dilation and groups."""

from __future__ import annotations

import numpy as np
import pytest
from support.spatial_oracle import call, check_compiled, check_eager

import retrograd as rg
from retrograd.nn import functional as F

CALLS = [
    call(F.conv1d, (2, 3, 9), (4, 3, 3), (4,)),
    call(F.conv1d, (3, 9), (4, 3, 2), stride=2, padding=1),
    call(F.conv1d, (2, 4, 11), (6, 2, 3), (6,), stride=3, dilation=2, groups=2),
    call(F.conv1d, (2, 3, 8), (2, 3, 4), padding="same", dilation=2),
    call(F.conv1d, (1, 2, 5), (2, 2, 1), padding=2, stride=2),
    call(F.conv2d, (2, 3, 6, 5), (4, 3, 3, 3), (4,), padding=1),
    call(F.conv2d, (2, 3, 7, 8), (4, 3, 3, 2), stride=(2, 3), padding=(1, 0)),
    call(F.conv2d, (3, 7, 8), (4, 3, 3, 2), dilation=(2, 1), padding="valid"),
    call(F.conv2d, (2, 4, 6, 5), (4, 1, 3, 3), padding="same", groups=4),
    call(F.conv2d, (2, 4, 6, 5), (8, 1, 3, 3), stride=2, padding=1, groups=4),
    call(F.conv2d, (1, 6, 9, 9), (4, 3, 2, 3), (4,), stride=2, padding=2, dilation=3, groups=2),
    call(F.conv2d, (1, 4, 6, 6), (8, 2, 3, 3), padding=1, groups=2),
    call(F.conv2d, (2, 2, 5, 5), (3, 2, 5, 5)),
    call(F.conv2d, (2, 3, 8, 8), (5, 3, 1, 1), stride=3),
    call(F.conv2d, (1, 2, 3, 3), (2, 2, 2, 2), padding=3, stride=4),
    call(F.conv3d, (1, 2, 4, 5, 4), (3, 2, 2, 3, 2), (3,), padding=1),
    call(F.conv3d, (1, 2, 5, 5, 4), (2, 2, 3, 2, 2), stride=2, padding=(1, 0, 1)),
    call(F.conv3d, (2, 2, 4, 4, 4), (2, 1, 2, 2, 2), groups=2, dilation=(1, 2, 1)),
    call(F.conv_transpose1d, (2, 3, 5), (3, 4, 3), (4,), stride=2, padding=1, output_padding=1),
    call(F.conv_transpose1d, (3, 5), (3, 2, 4), dilation=3, padding=4),
    call(F.conv_transpose2d, (2, 3, 4, 3), (3, 4, 3, 3), (4,)),
    call(F.conv_transpose2d, (2, 4, 3, 4), (4, 3, 3, 2), stride=(3, 2), groups=2, padding=1),
    call(F.conv_transpose2d, (1, 4, 3, 3), (4, 1, 2, 2), stride=2, groups=4),
    call(F.conv_transpose2d, (4, 3, 3), (4, 2, 1, 2), stride=3, output_padding=2),
    call(F.conv_transpose3d, (1, 2, 3, 2, 3), (2, 3, 2, 2, 2), (3,), stride=2, padding=1),
    call(F.conv_transpose3d, (1, 2, 2, 2, 3), (2, 1, 2, 3, 2), groups=2, dilation=2),
    call(F.unfold, (2, 3, 6, 5), kernel_size=(3, 2), dilation=2, padding=1, stride=(1, 2)),
    call(F.unfold, (3, 6, 4), kernel_size=2, stride=2),
    call(F.fold, (2, 12, 12), output_size=(4, 5), kernel_size=2),
    call(F.fold, (12, 9), output_size=(6, 6), kernel_size=2, stride=2),
    call(F.fold, (1, 18, 6), output_size=(5, 4), kernel_size=3, stride=2, padding=1, dilation=1),
    call(F.conv_transpose1d, (1, 1, 1), (1, 1, 1), dilation=9, padding=2, output_padding=6),
]


@pytest.mark.parametrize("each", CALLS, ids=lambda each: each.name)
def test_value_and_both_gradients_are_torchs(each) -> None:
    check_eager(each)


def test_compiled_float32_is_torchs() -> None:
    check_compiled(CALLS[::3])  # each way of running it among them; compiling all takes a minute


@pytest.mark.parametrize("shape", [(0, 3, 5, 5), (2, 3, 5, 5)])
def test_any_batch_size_keeps_its_dtype(shape) -> None:
    x = rg.Tensor(np.ones(shape, np.float32), requires_grad=True)
    weight = rg.Tensor(np.ones((4, 3, 3, 3), np.float32), requires_grad=True)
    out = F.conv2d(x, weight)
    assert out.shape == (shape[0], 4, 3, 3)
    out.sum().backward()
    assert (x.grad.dtype, weight.grad.dtype) == (np.float32, np.float32)
    assert np.all(weight.grad.numpy() == shape[0] * 9)


def test_fold_counts_how_often_unfold_took_each_element() -> None:
    ones = rg.Tensor(np.ones((1, 1, 5, 5)))
    back = F.fold(F.unfold(ones, 3), (5, 5), 3)
    line = np.array([1, 2, 3, 2, 1])
    np.testing.assert_array_equal(back.numpy()[0, 0], np.outer(line, line))


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (lambda: F.conv2d(np.ones((1, 3, 5, 5)), np.ones((2, 4, 3, 3))), "expects 4"),
        (lambda: F.conv2d(np.ones((1, 3, 2, 2)), np.ones((2, 3, 3, 3))), "more than the input"),
        (lambda: F.conv2d(np.ones((1, 4, 5, 5)), np.ones((3, 2, 3, 3)), groups=2), "multiple"),
        (lambda: F.conv2d(np.ones((3, 5)), np.ones((2, 3, 3, 3))), "without the batch"),
        (lambda: F.conv2d(np.ones((1, 3, 5, 5)), np.ones((2, 3, 3))), "4 axes"),
        (lambda: F.conv1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), stride=0), "conv1d: stride must"),
        (
            lambda: F.conv1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), dilation=0),
            "conv1d: dilation must",
        ),
        (
            lambda: F.conv_transpose1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), stride=0),
            "conv_transpose1d: stride must",
        ),
        (
            lambda: F.conv_transpose1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), dilation=0),
            "conv_transpose1d: dilation must",
        ),
        (lambda: F.conv2d(np.ones((1, 1, 5, 5)), np.ones((2, 1, 3, 3)), padding="full"), "full"),
        (
            lambda: F.conv1d(np.ones((1, 1, 5)), np.ones((2, 1, 3)), stride=2, padding="same"),
            "stride of 1",
        ),
        (lambda: F.conv1d(np.ones((1, 1, 5)), np.ones((2, 1, 3)), np.ones(3)), "bias"),
        (
            lambda: F.conv_transpose1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), output_padding=1),
            "output_padding",
        ),
        (
            lambda: F.conv_transpose1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), output_padding=-1),
            "conv_transpose1d: output_padding must",
        ),
        (
            lambda: F.conv_transpose1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), padding=-1),
            "conv_transpose1d: padding must",
        ),
        (lambda: F.conv1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), padding=-1), "conv1d: padding"),
        (lambda: F.conv1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), groups=0), "groups=0 expects 0"),
        (lambda: F.unfold(np.ones((1, 1, 5, 5)), 0), "unfold: kernel_size must"),
        (lambda: F.unfold(np.ones((1, 1, 5, 5)), 2, stride=0), "unfold: stride must"),
        (lambda: F.unfold(np.ones((1, 1, 5, 5)), 2, dilation=0), "unfold: dilation must"),
        (lambda: F.unfold(np.ones((1, 1, 5, 5)), 2, padding=-1), "unfold: padding must"),
        (lambda: F.fold(np.ones((1, 9, 5)), 0, 3), "fold: output_size must"),
        (lambda: F.fold(np.ones((1, 9, 5)), 4, 3), "expected columns"),
    ],
)
def test_what_does_not_fit_is_named(refused, told) -> None:
    with pytest.raises(ValueError, match=told):
        refused()


def test_padding_same_puts_an_odd_element_after_the_input() -> None:
    x, weight = np.arange(4.0).reshape(1, 1, 4), np.array([[[1.0, 10.0]]])
    assert F.conv1d(x, weight, padding="same").tolist() == [[[10, 21, 32, 3]]]
