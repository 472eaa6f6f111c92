"""A residual network for small photographs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from retrograd import nn
from retrograd.tensor import Tensor

__all__ = ["BasicBlock", "ResNet"]


class BasicBlock(nn.Module):
    """ReLU(x + two 3×3 convolutions of x), each batch-normalized (He et al. 2016, figure 2).

    (rows, n_in, h, w) -> (rows, n_out, h / stride, w / stride). Where the shape changes, x passes
    by through a 1×1 convolution (their option B).
    """

    def __init__(self, n_in: int, n_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.relu = nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class ResNet(nn.Module):
    """(rows, channels, height, width) -> (rows, outputs): residual stages, then their mean.

    A 3×3 convolution to the first of `widths`; one stage a width, of `blocks` basic blocks, each
    stage but the first halving the image; the mean over all places; one linear layer (He et al.
    2016, section 4.2).
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        outputs: int,
        *,
        widths: Sequence[int] = (16, 32, 64, 128),
        blocks: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(shape[0], widths[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        stages = []
        for i, (n_in, n_out) in enumerate(itertools.pairwise((widths[0], *widths))):
            stages.append(BasicBlock(n_in, n_out, 1 if i == 0 else 2))
            stages += [BasicBlock(n_out, n_out) for _ in range(blocks - 1)]
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(widths[-1], outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))
