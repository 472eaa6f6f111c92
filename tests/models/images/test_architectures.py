"""The architectures for images compute what PyTorch's layers in the same plan compute."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from torch import nn as tnn
from torch.nn import functional as F

import retrograd as rg
from retrograd.errors import UsageError
from retrograd.kinds.images.architectures import ARCHITECTURES
from retrograd.models.images import cnn, mlp, resnet
from retrograd.models.images.cnn import CNN
from retrograd.models.images.mlp import MLP
from retrograd.models.images.resnet import ResNet


class Block(tnn.Module):
    """torchvision's BasicBlock, from He et al. 2016, figure 2."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = tnn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = tnn.BatchNorm2d(n_out)
        self.conv2 = tnn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = tnn.BatchNorm2d(n_out)
        self.shortcut = tnn.Sequential()
        if stride != 1 or n_in != n_out:
            self.shortcut = tnn.Sequential(
                tnn.Conv2d(n_in, n_out, 1, stride, bias=False), tnn.BatchNorm2d(n_out)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.shortcut(x))


class TorchResNet(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        stem = [tnn.Conv2d(3, 4, 3, padding=1, bias=False), tnn.BatchNorm2d(4), tnn.ReLU()]
        self.stem = tnn.Sequential(*stem)
        self.stages = tnn.Sequential(
            Block(4, 4, 1), Block(4, 4, 1), Block(4, 6, 2), Block(6, 6, 1), Block(6, 8, 2),
            Block(8, 8, 1),
        )  # fmt: skip
        self.head = tnn.Sequential(
            tnn.AdaptiveAvgPool2d(1), tnn.Flatten(), tnn.Dropout(0.0), tnn.Linear(8, 5)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stages(self.stem(x)))


def torch_cnn() -> tnn.Module:
    def stage(n_in: int, n_out: int) -> list[tnn.Module]:
        conv = tnn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        return [conv, tnn.MaxPool2d(2), tnn.BatchNorm2d(n_out), tnn.ReLU()]

    head = [tnn.Flatten(), tnn.Dropout(0.0), tnn.Linear(6 * 3 * 4, 7), tnn.ReLU()]
    return tnn.ModuleDict(
        {
            "stages": tnn.Sequential(*stage(1, 4), *stage(4, 6)),
            "head": tnn.Sequential(*head, tnn.Dropout(0.0), tnn.Linear(7, 5)),
        }
    )


def compare(ours: rg.nn.Module, theirs: tnn.Module, run: object, x: np.ndarray) -> None:
    """Equal outputs in training and in evaluation, equal gradients, the same names of weights."""
    ours.load_state_dict({k: v.detach().numpy() for k, v in theirs.state_dict().items()})
    y = np.arange(len(x)) % 5
    loss = rg.nn.cross_entropy(ours(rg.Tensor(x)), y)
    loss.backward()
    their_loss = F.cross_entropy(run(torch.tensor(x)), torch.tensor(y))
    their_loss.backward()
    np.testing.assert_allclose(loss.item(), their_loss.item(), rtol=1e-5)
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        expected = gradients[name].grad.numpy()
        np.testing.assert_allclose(
            parameter.grad.numpy(), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max() + 1e-7
        )
    ours.eval()
    theirs.eval()
    np.testing.assert_allclose(
        ours(rg.Tensor(x)).numpy(), run(torch.tensor(x)).detach().numpy(), rtol=1e-3, atol=1e-4
    )


def test_resnet_is_the_paper_s(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    theirs = TorchResNet()
    x = rng.standard_normal((6, 3, 12, 16)).astype(np.float32)
    ours = ResNet((3, 12, 16), 5, widths=(4, 6, 8), blocks=2)
    compare(ours, theirs, theirs, x)


def test_cnn_is_its_plan(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    theirs = torch_cnn()
    x = rng.standard_normal((6, 1, 12, 16)).astype(np.float32)
    ours = CNN((1, 12, 16), 5, widths=(4, 6), hidden=7, dropout=0.0)
    compare(ours, theirs, lambda x: theirs["head"](theirs["stages"](x)), x)


def test_mlp_is_its_plan(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    layers = [
        tnn.Sequential(
            tnn.Linear(n, 8, bias=False), tnn.BatchNorm1d(8), tnn.ReLU(), tnn.Dropout(0.0)
        )
        for n in (12, 8)
    ]
    theirs = tnn.ModuleDict({"layers": tnn.Sequential(*layers), "head": tnn.Linear(8, 5)})
    x = rng.standard_normal((6, 1, 3, 4)).astype(np.float32)
    ours = MLP((1, 3, 4), 5, width=8, dropout=0.0)
    compare(ours, theirs, lambda x: theirs["head"](theirs["layers"](x.flatten(1))), x)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (7, 9), (50, 40)])
@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet"])
def test_images_of_every_size_pass(
    name: str, size: tuple[int, int], rng: np.random.Generator
) -> None:
    network = ARCHITECTURES.find(name).build((3, *size), 4).eval()
    x = rng.standard_normal((2, 3, *size)).astype(np.float32)
    assert network(rg.Tensor(x)).shape == (2, 4)


def test_an_architecture_is_under_80_lines() -> None:
    for module in (mlp, cnn, resnet):
        for _, each in inspect.getmembers(module, inspect.isclass):
            if each.__module__ == module.__name__:
                assert len(inspect.getsource(each).splitlines()) < 80


def test_an_architecture_is_found_by_its_name() -> None:
    assert {"mlp", "cnn", "resnet"} <= set(ARCHITECTURES.names)
    assert all(each.summary.endswith(".") for each in ARCHITECTURES)
    with pytest.raises(
        UsageError, match=r"Unknown model 'resnt' for images. Did you mean resnet\?"
    ):
        ARCHITECTURES.find("resnt")
