"""Training loops as users write them, without a mistake and with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.remedies.program import Program

Generator = np.random.Generator


def batches(program: Program, rng: Generator) -> Iterator[tuple[Any, Any]]:
    """One epoch of shuffled mini-batches."""
    x, y = program.train
    order = rng.permutation(len(y))
    size = program.batch_size
    for start in range(0, len(y) - size + 1, size):
        rows = order[start : start + size]
        yield x[rows], y[rows]


def stepping(
    program: Program, model: nn.Module, optimizer: optim.Optimizer, clear: bool = True
) -> Callable[[Any, Any], Any]:
    """The compiled step; without `clear`, gradients accumulate over steps."""

    @rg.compile
    def step(x: Any, y: Any) -> Any:
        if clear:
            optimizer.zero_grad()
        loss = program.loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def validation(program: Program, model: nn.Module) -> Callable[[Any, Any], Any]:
    """The compiled validation loss."""

    @rg.compile
    def validate(x: Any, y: Any) -> Any:
        with rg.no_grad():
            return program.loss(model(x), y)

    return validate


def right(program: Program, model: nn.Module, optimizer: optim.Optimizer, rng: Generator) -> None:
    """A correct loop: clears gradients, trains in training mode, validates in evaluation mode."""
    step, validate = stepping(program, model, optimizer), validation(program, model)
    for _ in range(program.epochs):
        model.train()
        for x, y in batches(program, rng):
            step(x, y)
        model.eval()
        validate(*program.valid)


def without_zero_grad(
    program: Program, model: nn.Module, optimizer: optim.Optimizer, rng: Generator
) -> None:
    """Each step follows the sum of the gradients of all steps so far."""
    step = stepping(program, model, optimizer, clear=False)
    for _ in range(program.epochs):
        for x, y in batches(program, rng):
            step(x, y)


def eval_before_training(
    program: Program, model: nn.Module, optimizer: optim.Optimizer, rng: Generator
) -> None:
    """The model is in evaluation mode from the first step on."""
    step = stepping(program, model, optimizer)
    model.eval()
    for _ in range(program.epochs):
        for x, y in batches(program, rng):
            step(x, y)


def eval_after_first_epoch(
    program: Program, model: nn.Module, optimizer: optim.Optimizer, rng: Generator
) -> None:
    """After the first validation the model is never switched back to training mode."""
    step, validate = stepping(program, model, optimizer), validation(program, model)
    model.train()
    for _ in range(program.epochs):
        for x, y in batches(program, rng):
            step(x, y)
        model.eval()
        validate(*program.valid)


def without_eval(
    program: Program, model: nn.Module, optimizer: optim.Optimizer, rng: Generator
) -> None:
    """Validates with dropout and batch statistics in training mode."""
    step, validate = stepping(program, model, optimizer), validation(program, model)
    for _ in range(program.epochs):
        for x, y in batches(program, rng):
            step(x, y)
        validate(*program.valid)
