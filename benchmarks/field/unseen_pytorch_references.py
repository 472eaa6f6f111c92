"""Programs of torchvision's references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from building import accuracy
from collection import healthy
from data import drawn_shapes, shape_masks, split
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim

Array = np.ndarray[Any, Any]
Predict = Callable[..., Array]


@healthy(
    "torchvision-references-segmentation-fcn",
    source="https://github.com/pytorch/vision/tree/main/references/segmentation",
    shape="dense targets",
)
def segmentation_fcn() -> Training:
    """The class of each pixel by a convolutional network whose maps are enlarged; 255 is ignored.

    The rate falls to 0 as a power of 0.9 of the steps that are left.
    """
    images, masks = shape_masks()
    masks = masks.copy()
    masks[:, [0, -1]] = 255
    train, valid = split(images, masks)

    def loss(output: Any, target: Any) -> Any:
        return nn.cross_entropy(output, target, ignore_index=255)

    def model() -> nn.Module:
        layers: list[nn.Module] = []
        for n_in, n_out, stride in ((1, 16, 1), (16, 32, 2), (32, 32, 1)):
            layers += [nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out)]
            layers.append(nn.ReLU())
        head = [nn.Dropout(0.1), nn.Conv2d(32, 3, 1)]
        return nn.Sequential(*layers, *head, nn.Upsample(scale_factor=2, mode="bilinear"))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        total = 18 * 20
        plan = optim.lr_scheduler.LambdaLR(optimizer, lambda t: (1 - t / (total + 1)) ** 0.9)

        @rg.compile
        def step(x: Array, y: Array) -> rg.Tensor:
            optimizer.zero_grad()
            value = loss(model(x), y)
            value.backward()
            optimizer.step()
            return value

        for _ in range(18):
            for (x,), y in batches(train, 16, rng):
                step(x, y)
                plan.step()

    def score(predict: Predict) -> float:
        """The mean over the classes of intersection over union."""
        found, true = predict(valid[0]).argmax(1), valid[1]
        counted = true != 255
        both = [((found == k) & (true == k)).sum() for k in range(3)]
        either = [(((found == k) | (true == k)) & counted).sum() for k in range(3)]
        return float(np.mean(np.array(both) / np.array(either)))

    return Training(
        model=model,
        train=train,
        loss=loss,
        optimizer=lambda parameters: optim.SGD(
            parameters, lr=0.01, momentum=0.9, weight_decay=1e-4
        ),
        score=score,
        well=0.7,
        epochs=18,
        batch_size=16,
        valid=valid,
        fit=fit,
    )


@healthy(
    "torchvision-references-classification-mixup",
    source="https://github.com/pytorch/vision/tree/main/references/classification",
    shape="dense targets",
)
def classification_mixup() -> Training:
    """The reference recipe: mixed images and labels, smoothed, momentum, a warm start, a cosine."""
    (x, y), (x_valid, y_valid) = split(*drawn_shapes(1600))
    x, x_valid = (x - x.mean()) / x.std(), (x_valid - x.mean()) / x.std()
    hot = np.eye(4, dtype=np.float32)[y]

    def loss(output: Any, target: Any) -> Any:
        return nn.cross_entropy(output, target, label_smoothing=0.1)

    def model() -> nn.Module:
        layers: list[nn.Module] = []
        for n_in, n_out in ((3, 16), (16, 32)):
            layers += [nn.Conv2d(n_in, n_out, 3, 2, 1, bias=False), nn.BatchNorm2d(n_out)]
            layers.append(nn.ReLU())
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 4))

    def fit(model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator) -> None:
        warm = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=3)
        cool = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=17)
        plan = optim.lr_scheduler.SequentialLR(optimizer, [warm, cool], milestones=[3])

        @rg.compile
        def step(images: Array, target: Array) -> rg.Tensor:
            optimizer.zero_grad()
            value = loss(model(images), target)
            value.backward()
            optimizer.step()
            return value

        for _ in range(20):
            for (images,), target in batches((x, hot), 32, rng):
                share = np.float32(rng.beta(0.2, 0.2))
                images = share * images + (1 - share) * np.roll(images, 1, 0)
                step(images, share * target + (1 - share) * np.roll(target, 1, 0))
            plan.step()

    return Training(
        model=model,
        train=(x, hot),
        loss=loss,
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=1e-4),
        score=accuracy((x_valid, y_valid)),
        well=0.85,
        epochs=20,
        batch_size=32,
        valid=(x_valid, np.eye(4, dtype=np.float32)[y_valid]),
        fit=fit,
    )
