"""Building blocks of the programs: networks, losses, initial weights, a healthy training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from data import Data

from retrograd import nn, optim
from retrograd.diagnosis.remedies.program import Program

Builder = Callable[[], nn.Module]


# Networks -----------------------------------------------------------------------------------------


def mlp(
    data: Data,
    hidden: Sequence[int] = (64,),
    act: Callable[[], nn.Module] | None = nn.ReLU,
    *,
    norm: Callable[[int], nn.Module] | None = None,
    drop: float = 0.0,
    end: Sequence[Callable[[], nn.Module]] = (),
    outputs: int | None = None,
    start: Callable[[nn.Module], Any] | None = None,
) -> Builder:
    """Linear layers, all but the last followed by `norm`, `act` and dropout; then `end`.

    A task of two classes has one output. `start` sets the initial weights.
    """

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        width = data.width
        for size in hidden:
            layers.append(nn.Linear(width, size))
            layers += [] if norm is None else [norm(size)]
            layers += [] if act is None else [act()]
            layers += [nn.Dropout(drop)] if drop else []
            width = size
        layers.append(nn.Linear(width, ends(data) if outputs is None else outputs))
        return started(nn.Sequential(*layers, *(each() for each in end)), start)

    return build


def cnn(
    data: Data,
    channels: Sequence[int] = (8, 16),
    act: Callable[[], nn.Module] = nn.ReLU,
    *,
    norm: Callable[[int], nn.Module] | None = None,
    drop: float = 0.0,
    end: Sequence[Callable[[], nn.Module]] = (),
    start: Callable[[nn.Module], Any] | None = None,
) -> Builder:
    """3×3 convolutions, each with `norm`, `act` and a pooling by 2; then a linear layer."""

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        before, side = data.train.inputs.shape[1], data.width
        for size in channels:
            layers.append(nn.Conv2d(before, size, 3, padding=1))
            layers += [] if norm is None else [norm(size)]
            layers += [act(), nn.MaxPool2d(2)]
            before, side = size, side // 2
        layers += [nn.Flatten(), *([nn.Dropout(drop)] if drop else [])]
        layers.append(nn.Linear(before * side * side, data.classes))
        return started(nn.Sequential(*layers, *(each() for each in end)), start)

    return build


def signal_cnn(
    data: Data,
    channels: Sequence[int] = (16, 24, 24),
    act: Callable[[], nn.Module] = nn.ReLU,
    *,
    norm: Callable[[int], nn.Module] | None = None,
    drop: float = 0.0,
    end: Sequence[Callable[[], nn.Module]] = (),
    start: Callable[[nn.Module], Any] | None = None,
) -> Builder:
    """Convolutions of width 5 and stride 2 along a signal, then a linear layer."""

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        before, length = data.train.inputs.shape[1], data.width
        for size in channels:
            layers.append(nn.Conv1d(before, size, 5, stride=2, padding=2))
            layers += [] if norm is None else [norm(size)]
            layers.append(act())
            before, length = size, (length + 1) // 2
        layers += [nn.Flatten(), *([nn.Dropout(drop)] if drop else [])]
        layers.append(nn.Linear(before * length, data.classes))
        return started(nn.Sequential(*layers, *(each() for each in end)), start)

    return build


class Reader(nn.Module):
    """Reads a sequence (batch, time, in) and predicts from the last state."""

    def __init__(self, cell: type[nn.Module], inputs: int, size: int, outputs: int) -> None:
        super().__init__()
        self.memory: Any = cell(inputs, size, batch_first=True)
        self.head = nn.Linear(size, outputs)

    def forward(self, x: Any) -> Any:
        states, _ = self.memory(x)
        return self.head(states[:, -1])


def rnn(
    data: Data,
    size: int = 32,
    cell: type[nn.Module] = nn.RNN,
    *,
    end: Sequence[Callable[[], nn.Module]] = (),
    start: Callable[[nn.Module], Any] | None = None,
) -> Builder:
    """A recurrent layer and a linear one."""

    def build() -> nn.Module:
        reader = started(Reader(cell, data.width, size, ends(data)), start)
        return nn.Sequential(reader, *(each() for each in end)) if end else reader

    return build


class Detached(nn.Module):
    """A Sequential whose first `after` layers get no gradient: their output is detached."""

    def __init__(self, layers: Any, after: int) -> None:
        super().__init__()
        self.first, self.rest = layers[:after], layers[after:]

    def forward(self, x: Any) -> Any:
        return self.rest(self.first(x).detach())


def ends(data: Data) -> int:
    """One output for regression and binary classification; else one per class."""
    return data.classes if data.classes > 2 else 1


# Initial weights ----------------------------------------------------------------------------------


def started(model: nn.Module, start: Callable[[nn.Module], Any] | None) -> nn.Module:
    return model if start is None else model.apply(start)


def weights(law: Callable[[Any], Any], recurrent: bool = False) -> Callable[[nn.Module], None]:
    """`law` for every matrix (also the recurrent ones), and biases of zero."""

    def start(module: nn.Module) -> None:
        for name, each in module.named_parameters(recurse=False):
            if recurrent and "weight_hh" not in name:
                continue
            law(each) if each.ndim > 1 else nn.init.zeros_(each)

    return start


def xavier(gain: float = 1.0) -> Callable[[nn.Module], None]:
    return weights(lambda weight: nn.init.xavier_uniform_(weight, gain))


def he(gain: float = 1.0) -> Callable[[nn.Module], None]:
    """He's normal weights times `gain`."""

    def law(weight: Any) -> None:
        nn.init.kaiming_normal_(weight, nonlinearity="relu")
        weight.data = weight.data * np.float32(gain)

    return weights(law)


def biases(value: float) -> Callable[[nn.Module], None]:
    """All biases at `value`."""

    def start(module: nn.Module) -> None:
        bias = vars(module).get("bias")
        if bias is not None and not hasattr(module, "running_mean"):
            nn.init.constant_(bias, value)

    return start


# Losses -------------------------------------------------------------------------------------------


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output[:, 0], target)


def logistic(output: Any, target: Any) -> Any:
    return nn.binary_cross_entropy_with_logits(output[:, 0], target.astype("float32"))


def weighted_logistic(weight: float) -> Callable[[Any, Any], Any]:
    """Each 1 counts `weight` times."""

    def loss(output: Any, target: Any) -> Any:
        return nn.binary_cross_entropy_with_logits(
            output[:, 0], target.astype("float32"), pos_weight=np.float32(weight)
        )

    return loss


# A healthy training -------------------------------------------------------------------------------


def training(data: Data, model: Builder, **options: Any) -> Program:
    """A Program on `data` with the task's usual loss, by default trained by Adam at rate 0.003.

    A keyword that is no field of Program is an option of the optimizer.
    """
    loss = squared if not data.classes else logistic if data.classes == 2 else nn.cross_entropy
    fields = Program.__dataclass_fields__.keys()
    given = {name: value for name, value in options.items() if name in fields}
    tuned = {name: value for name, value in options.items() if name not in fields}
    settings = {"loss": loss, "optimizer": optim.Adam, "epochs": 20, "batch_size": 32}
    return Program(
        model=model,
        train=data.train,
        valid=data.valid,
        test=data.test,
        task=data.task,  # type: ignore[arg-type]  # one of the two words
        options={"lr": 3e-3, **tuned},
        **(settings | given),
    )
