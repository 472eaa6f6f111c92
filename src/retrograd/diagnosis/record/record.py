"""The record of a run: what the instruments measured, step by step, and how to read it.

A record is a table with one row a step, a few lines an epoch, histograms, and what is known of the
model. It lies in a folder (RUN/record) or in memory, and is read in the same way:

    record = Record.open("runs/houses-1")
    record.steps                            # (steps,) int64: the numbers of the steps, from 1
    record.series("loss")                   # (steps,) float32, NaN where it was not measured
    record.series("dead", "1")              # of a layer, by its path in the model
    record.series("update_ratio", "0.weight")
    record.matrix("cotangent_norm")         # (steps, layers), for a picture

`SERIES` lists every series: its name, whose it is ("step": the step's, "layer", "parameter"),
whether it is measured in each step or on a schedule, its unit, and what it is. A scheduled series
has NaN in most steps: gradients are compared with those of the step before in each 16th step, and
layers are looked at closely in the steps 1, 9, 17, 33 and each `record.every`-th + 1. A layer's
numbers come from the rows of the batch that `Layer.sample` says: all of them where the output is
small, else each n-th, which is a random sample since batches are shuffled. A parameter's norms come
from `Weights.sample` of its elements, scaled up; its gradient's norm is exact all the same in
scheduled steps, and in all where gradients are clipped by their norm.

A *layer* is a module without modules in it, or an activation called as a function within one; one
that runs several times in a step comes once for each call, as "act", "act #2", up to eight. The
order of `layers` is that of the forward pass. *Units* are the outputs of a Linear and the channels
of a convolution.

On disk a record is made of parts, one for each set of columns (a run that is gone on with, or a
model that changes, begins a new one), and of files that only grow:

    000.json                 Part: format version, columns, layers, parameters, optimizer, schedule
    000.rows                 rows of int64 step and float32 values, little-endian, in columns' order
    epochs.jsonl             an object a line: see `Record.epochs`
    histograms.jsonl         an object a line: see `Histogram`
    facts.json               what was noticed besides: see `RecordFacts`

A row that a crash cut off, or a last line that is no JSON, is passed over.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from retrograd.data.form import check, restored
from retrograd.diagnosis.record.store import EpochLine, FolderStore, FrozenStore, Store
from retrograd.diagnosis.record.subjects import Layer, Weights
from retrograd.errors import DataError

__all__ = [
    "SERIES",
    "Histogram",
    "Layer",
    "Part",
    "Quantity",
    "Record",
    "RecordFacts",
    "Weights",
    "moving_mean",
]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Quantity:
    """What one series is. `of`: "step", "layer" or "parameter"; `scheduled`: not in each step."""

    name: str
    of: str
    scheduled: bool
    unit: str
    meaning: str


SERIES: tuple[Quantity, ...] = (
    Quantity("loss", "step", False, "the loss's", "what backward() was called on, the last time"),
    Quantity("gradient_norm", "step", False, "loss / weight", "2-norm of all gradients, unclipped"),
    Quantity("clipped_norm", "step", False, "loss / weight", "the same as the optimizer got it"),
    Quantity("learning_rate", "step", False, "", "of the optimizer's first group, in this step"),
    Quantity("batch_size", "step", False, "rows", "rows of the model's first input"),
    Quantity("gradient_cosine", "step", True, "", "cosine of this gradient and the step before's"),
    Quantity("gradient_dot", "step", True, "(loss / weight)²", "their inner product, sampled"),
    Quantity("gradient_square", "step", True, "(loss / weight)²", "mean of their squares, sampled"),
    Quantity(
        "dead", "layer", False, "share of units", "not above 0 on any row of the last `window`"
    ),
    Quantity("saturated", "layer", False, "share of units", "at a bound on all rows of `window`"),
    Quantity("cotangent_norm", "layer", True, "loss / output", "2-norm of d loss / d output"),
    Quantity("mean", "layer", True, "output", "mean of the output's elements"),
    Quantity("std", "layer", True, "output", "their standard deviation (ddof 0)"),
    Quantity("min", "layer", True, "output", "the smallest"),
    Quantity("max", "layer", True, "output", "the largest"),
    Quantity("zeros", "layer", True, "share of elements", "outputs that are exactly 0"),
    Quantity("at_bounds", "layer", True, "share of elements", "outputs that are saturated"),
    Quantity("cotangent_std", "layer", True, "loss / output", "standard deviation (ddof 0) of it"),
    Quantity("gradient_norm", "parameter", False, "loss / weight", "2-norm, before clipping"),
    Quantity("weight_norm", "parameter", False, "weight", "2-norm, before the step"),
    Quantity("update_norm", "parameter", False, "weight", "2-norm of the weights after - before"),
    Quantity("update_ratio", "parameter", False, "", "update_norm / weight_norm; NaN at weight 0"),
)


@dataclass(frozen=True)
class Part:
    """What holds for the rows of one part. `columns` are (series, subject); a step's is ""."""

    columns: tuple[tuple[str, str], ...]
    layers: tuple[Layer, ...]
    parameters: tuple[Weights, ...]
    optimizer: str
    options: dict[str, Any]
    window: int
    every: int

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Self:
        """A part of what `dataclasses.asdict` made, after its way through JSON."""
        return cls(
            **saved
            | {
                "columns": tuple(map(tuple, saved["columns"])),
                "layers": tuple(restored(Layer, each) for each in saved["layers"]),
                "parameters": tuple(restored(Weights, each) for each in saved["parameters"]),
            }
        )


@dataclass(frozen=True)
class RecordFacts:
    """What was noticed while a step was traced, or ran eagerly.

    `no_gradient`: parameters that require a gradient and had none at some optimizer step, and those
    among them that `never` had one. `kept_gradients`: gradients of the step before were still there
    at the first backward() of the next. `trained_in_eval`: dropout and normalization layers in
    evaluation mode in a pass that was trained on. `evaluated_in_train`: those in training mode in
    a pass under `no_grad`. `clipping`: the largest norm or value that was allowed.
    """

    no_gradient: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    kept_gradients: bool = False
    trained_in_eval: tuple[str, ...] = ()
    evaluated_in_train: tuple[str, ...] = ()
    clipping: float | None = None


@dataclass(frozen=True)
class Histogram:
    """Counts of values in equal bins from `low` to `high`, after step `step`.

    `kind` is "weight" (subject: a parameter) or "activation" (subject: a layer).
    """

    step: int
    kind: str
    subject: str
    low: float
    high: float
    counts: tuple[int, ...]


class Record:
    """What was measured of a run, from a folder or of one that goes on.

    `settle`, if given, is called before each reading: it brings in what the run still holds.
    """

    def __init__(self, store: Store, settle: Callable[[], None] | None = None) -> None:
        self.store = store
        self._settle = settle

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Record:
        """The record in a run's folder, or in `path` itself; DataError if none, or damaged."""
        folder = Path(path)
        if (folder / "record").is_dir():
            folder = folder / "record"
        store = FolderStore(folder)
        parts = store.parts()
        if not parts:
            raise DataError(
                f"{path} has no record of its training: expected {folder / '000.json'}. It is "
                "written while a run trains with a Recorder."
            )
        for number, saved in enumerate(parts):
            check(Part, saved, f"{folder / f'{number:03d}.json'}")
        check(RecordFacts, store.facts(), f"{folder / 'facts.json'}")
        for name, kind in (("epochs", EpochLine), ("histograms", Histogram)):
            for place, line in enumerate(store.lines(name), 1):
                check(kind, line, f"{folder / f'{name}.jsonl'}, entry {place},")
        return cls(store)

    # Of what --------------------------------------------------------------------------------------

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts, in the order of their beginning."""
        if self._settle is not None:
            self._settle()
        return tuple(Part.from_json(each) for each in self.store.parts())

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in the order of the forward pass; of a changed one, the latest form."""
        return tuple({x.name: x for part in self.parts for x in part.layers}.values())

    @property
    def parameters(self) -> tuple[Weights, ...]:
        """The model's parameters, with their values when recording began."""
        found: dict[str, Weights] = {}
        for part in self.parts:
            for each in part.parameters:
                found.setdefault(each.name, each)
        return tuple(found.values())

    @property
    def window(self) -> int:
        """Over how many steps `dead` and `saturated` look back (over fewer at the beginning)."""
        return self.parts[-1].window

    @property
    def every(self) -> int:
        """Layers are looked at closely in the steps n · every + 1 (and early on more often)."""
        return self.parts[-1].every

    @property
    def optimizer(self) -> tuple[str, dict[str, Any]]:
        """The optimizer's class and the options of its first group."""
        return self.parts[-1].optimizer, self.parts[-1].options

    @property
    def facts(self) -> RecordFacts:
        """What was noticed besides the numbers."""
        saved = self.store.facts() if self.parts else {}
        return restored(RecordFacts, saved)

    def frozen(self) -> Record:
        """The record as it is now: all its series have the same steps while a run goes on."""
        return Record(FrozenStore(self.store))

    # Step by step ---------------------------------------------------------------------------------

    @property
    def steps(self) -> Array:
        """The numbers of the recorded steps, (steps,) int64, rising; the first step is 1."""
        rows = [self.store.rows(i, len(part.columns)) for i, part in enumerate(self.parts)]
        steps = np.concatenate([each["step"] for each in rows]) if rows else np.zeros(0, np.int64)
        return steps[_in_order(steps)]

    def series(self, name: str, subject: str = "") -> Array:
        """One series, (steps,) float32, beside `steps`; NaN where it was not measured.

        `subject` is a layer's or a parameter's name; without one it is the step's own series.
        Raises KeyError for a series that there is not.
        """
        if name == "update_ratio":
            norm = self.series("weight_norm", subject)
            update = self.series("update_norm", subject)
            return np.divide(update, norm, out=np.full_like(norm, np.nan), where=norm != 0)
        steps, values, found = [], [], False
        for i, part in enumerate(self.parts):
            rows = self.store.rows(i, len(part.columns))
            steps.append(rows["step"])
            if (name, subject) in part.columns:
                found = True
                values.append(rows["values"][:, part.columns.index((name, subject))])
            else:
                values.append(np.full(len(rows), np.nan, np.float32))
        if not found:
            raise KeyError(f"no series {name!r} of {subject or 'the step'!r} was recorded")
        return np.concatenate(values)[_in_order(np.concatenate(steps))]

    def subjects(self, name: str) -> tuple[str, ...]:
        """The layers or parameters that have the series `name`, in the order of the forward."""
        name = "update_norm" if name == "update_ratio" else name
        return tuple(
            dict.fromkeys(s for part in self.parts for n, s in part.columns if n == name and s)
        )

    def matrix(self, name: str) -> Array:
        """A series of all its layers or parameters, (steps, subjects) float32."""
        columns = [self.series(name, subject) for subject in self.subjects(name)]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.steps), 0), np.float32)

    def noise_scale(self, span: int = 32) -> Array:
        """The gradient noise scale tr(Σ) / |G|², in rows, (steps,); NaN before it is known.

        A batch much smaller gives gradients that are mostly noise, one much larger wastes rows
        (McCandlish et al. 2018, B_simple, eq. 2.9). Two successive gradients stand for two halves
        of a batch of 2B: |G|² ≈ g·g', tr(Σ)/B ≈ (|g|² + |g'|²)/2 - g·g' (their appendix A.1), each
        averaged over the last `span` pairs before they are divided, as noisy as they are. Infinite
        where the mean of g·g' is not above 0.
        """
        dot, square = self.series("gradient_dot"), self.series("gradient_square")
        scale = np.full(len(dot), np.nan, np.float32)
        here = np.flatnonzero(np.isfinite(dot) & np.isfinite(square))
        if not len(here):
            return scale
        # Sums over the last `span` pairs, as differences of running sums in float64.
        signal = moving_mean(dot[here], span)
        noise = moving_mean((square - dot)[here] * self.series("batch_size")[here], span)
        with np.errstate(divide="ignore", invalid="ignore"):
            pairs = np.where(signal > 0, noise / signal, np.inf)
        last = np.searchsorted(here, np.arange(len(dot)), side="right") - 1
        return np.where(last >= 0, pairs[np.maximum(last, 0)], np.nan).astype(np.float32)

    # Now and then ---------------------------------------------------------------------------------

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """An object for each epoch: `epoch`, `step`, `train_loss`, `validation_loss`, and what the
        loop gave besides: `learning_rate`, `best`, `scores` (name to number), `confusion` (a list
        of rows, truth down and prediction across), `residuals` (quantiles 0, 0.05, ... 1 of truth -
        prediction), `curvature` of the loss: see `Curvature.measure`. After the epochs 1, 2, 4, 8,
        ... of a Trainer all of it is there, otherwise only the losses and rates."""
        if self._settle is not None:
            self._settle()
        # Of an epoch that was trained again, after a crash, the latest counts.
        return list({line["epoch"]: line for line in self.store.lines("epochs")}.values())

    def histograms(self, kind: str, subject: str) -> list[Histogram]:
        """The histograms of a parameter ("weight") or a layer ("activation"), by rising step."""
        if self._settle is not None:
            self._settle()
        found = (restored(Histogram, line) for line in self.store.lines("histograms"))
        return [each for each in found if (each.kind, each.subject) == (kind, subject)]


def _in_order(steps: Array) -> Array:
    """Where each step's row is; of a step recorded twice (a run gone on with) the last counts."""
    _, last = np.unique(steps[::-1], return_index=True)
    return len(steps) - 1 - last


def moving_mean(values: Array, span: int) -> Array:
    """The mean of each value and up to `span` - 1 before it, float64."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - span, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
