"""Faults in the loss, the optimizer and the loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from healthy import digits, friedman, network
from kinds import injected

import retrograd as rg
from retrograd import nn, optim

Pair = tuple[rg.Program, rg.Program]


@injected("wrong-loss", source="DeepCrime LCH", mended=0.87)
def wrong_loss() -> Pair:
    """The absolute error of class codes, taken from the first output alone."""

    def absolute(output: rg.Tensor, target: rg.Tensor) -> rg.Tensor:
        return rg.abs(output[:, 0] - target.astype(np.float32)).mean()

    return digits(), replace(digits(), loss=absolute)


@injected("double-softmax", source="DeepFD; DeepCrime AAL", mended=0.91)
def double_softmax() -> Pair:
    """The network ends in a softmax, and the loss applies one again."""
    healthy = replace(digits(), options={"lr": 5e-4})
    twice = replace(healthy, model=lambda: nn.Sequential(*network(64, 32, 10), nn.Softmax(1)))
    return healthy, twice


@injected("gradient-sign", source="published checklists: the loss's sign", mended=0.88)
def gradient_sign() -> Pair:
    """The optimizer climbs."""
    return digits(), replace(digits(), loss=lambda o, target: -nn.cross_entropy(o, target))


@injected("exploding-rate", source="DeepCrime HLR", mended=0.76)
def exploding_rate() -> Pair:
    """A learning rate of 10."""
    return friedman(), replace(friedman(), options={"lr": 10.0})


@injected("rate-too-low", source="DeepCrime HLR", mended=0.85)
def rate_too_low() -> Pair:
    """A learning rate of a millionth."""
    return friedman(), replace(friedman(), options={"lr": 1e-6})


@injected("wrong-optimizer", source="DeepCrime OCH", mended=0.92)
def wrong_optimizer() -> Pair:
    """Adagrad at Adam's rate, whose steps soon are too short."""
    return digits(), replace(digits(), optimizer=optim.Adagrad, options={"lr": 1e-3})


@injected("too-few-epochs", source="DeepCrime HNE", mended=0.91)
def too_few_epochs() -> Pair:
    """Two epochs instead of twenty."""
    return friedman(), replace(friedman(), options={"lr": 2e-3}, epochs=2)


@injected("missing-zero-grad", source="published checklists: gradients that add up", mended=0.91)
def missing_zero_grad() -> Pair:
    """A loop of one's own that never clears the gradients."""

    def loop(
        program: rg.Program, model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator
    ) -> None:
        @rg.compile
        def step(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
            loss = program.loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        model.train()
        x, y = program.train
        for _ in range(program.epochs):
            order = rng.permutation(len(y))
            for start in range(0, len(y) - program.batch_size + 1, program.batch_size):
                rows = order[start : start + program.batch_size]
                step(x[rows], y[rows])

    healthy = replace(friedman(), optimizer=optim.SGD, options={"lr": 0.2})
    return healthy, replace(healthy, fit=loop)
