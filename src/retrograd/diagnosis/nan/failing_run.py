"""A run whose loss is not finite: find the failing step, replay it and save it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file

from retrograd.autodiff.hooks import hooks
from retrograd.data.files import atomic_write, plain_reason
from retrograd.diagnosis.nan.origin import find_nan
from retrograd.diagnosis.nan.words import NanOrigin
from retrograd.errors import UsageError
from retrograd.tensor import Tensor
from retrograd.training.callbacks import FiniteLoss
from retrograd.training.sources import Rows, Source, Stack

if TYPE_CHECKING:
    from retrograd.training.trainer import Trainer

__all__ = ["FailingRun"]

Array = np.ndarray[Any, Any]

# Copying the state may take this share of a run's time; at most this many bytes of batches are kept
# in between.
_SHARE = 0.01
_BYTES = 1 << 28


class FailingRun(FiniteLoss):
    """Ends a Trainer's run when a loss is not finite, and finds the origin afterward.

    It copies the state before a call of many steps, as often as 1 % of the time allows, and keeps
    the batches since. When a loss is not finite, it repeats the steps from there and runs the
    failing one eagerly, checking each operation (`find_nan`). The error that ends the run reports
    the origin. If a folder is given, these files are written to it:

        weights.safetensors    the weights before the failing step, the last good ones
        batch.safetensors      the failing batch: "input0", ..., "target"
        origin.json            the origin, the step, and the indices of the examples, from 0
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.folder = None if folder is None else Path(folder)
        self.origin: NanOrigin | None = None
        self._state: dict[str, Array] = {}
        self._steps = 0
        self._stacks: list[tuple[Source, Stack]] = []
        self._bytes = 0
        self._due = 0.0

    def on_batch_begin(self, trainer: Trainer, source: Source, stack: Stack) -> None:
        started = time.monotonic()
        if started >= self._due or self._bytes > _BYTES:
            self._state = trainer.state()
            self._steps = trainer.steps
            self._stacks = []
            self._bytes = 0
            self._due = time.monotonic() + (time.monotonic() - started) / _SHARE
        self._stacks.append((source, stack))
        self._bytes += sum(array.nbytes for array in stack.arrays)

    def why(self, trainer: Trainer) -> str:
        best, epochs, steps = trainer.best_weights, trainer.history.epochs, trainer.steps
        try:
            with hooks.muted():  # the steps have already been recorded
                trainer.load_state(self._state)
                trainer.model.train()
                return self._replay(trainer)
        finally:
            trainer.best_weights, trainer.history.epochs = best, epochs
            trainer.steps = steps

    def _replay(self, trainer: Trainer) -> str:
        step = self._steps
        for source, stack in self._stacks[:-1]:
            step += len(trainer.run(source, stack))
        source, stack = self._stacks[-1]
        for arrays in zip(*stack.arrays, strict=True):
            step += 1
            before = trainer.state()
            batch = [Tensor(array) for array in arrays]
            loss = trainer.step(source, stack.form, *batch).numpy()
            weights = trainer.model.parameters()
            if np.isfinite(loss).all() and all(np.isfinite(p.data).all() for p in weights):
                continue
            trainer.load_state(before)
            self.origin = find_nan(trainer.step, source, stack.form, *batch, model=trainer.model)
            trainer.load_state(before)
            return self._described(trainer, source, stack, arrays, step)
        return ""

    def _described(
        self, trainer: Trainer, source: Source, stack: Stack, arrays: tuple[Array, ...], step: int
    ) -> str:
        """The origin in words; also writes the files, if there is a folder."""
        origin = self.origin
        if origin is None:
            return ""
        rows = list(origin.rows)
        if isinstance(source, Rows):
            rows = arrays[0][rows].tolist()
        if self.folder is not None:
            inputs, target = source.batch(stack.form, *map(Tensor, arrays))
            batch = {f"input{i}": each.numpy() for i, each in enumerate(inputs)}
            self._write("weights.safetensors", trainer.model.state_dict())
            self._write("batch.safetensors", {**batch, "target": target.numpy()})
            found = {"step": step, "examples": rows, **origin.to_json()}
            with atomic_write(self.folder / "origin.json") as path:
                path.write_text(json.dumps(found), "utf-8")
        examples = f" (examples {', '.join(map(str, rows[:8]))})" if rows else ""
        saved = (
            f"\nThe batch of this step and the weights before it are in {self.folder}."
            if self.folder
            else ""
        )
        return f"Step {step}: {origin}{examples}{saved}"

    def _write(self, name: str, arrays: Mapping[str, Array]) -> None:
        assert self.folder is not None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"Cannot create {self.folder}: {plain_reason(error)}.") from error
        with atomic_write(self.folder / name) as path:
            save_file({key: np.ascontiguousarray(each) for key, each in arrays.items()}, path)
