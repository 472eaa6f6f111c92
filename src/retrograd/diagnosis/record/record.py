"""The record of a run: what was measured step by step, and how to read it.

A record is a table with one row per step, one entry per epoch, histograms, and a description of the
model. It is stored in a folder (RUN/record) or in memory, and read the same way:

    record = Record.open("runs/houses-1")
    record.steps                            # (steps,) int64: the numbers of the steps, from 1
    record.series("loss")                   # (steps,) float32, NaN where it was not measured
    record.series("dead", "1")              # for a layer, by its path in the model
    record.series("update_ratio", "0.weight")
    record.matrix("cotangent_norm")         # (steps, layers), for a picture

`SERIES` lists every series: its name, its subject ("step", "layer" or "parameter"), whether it is
measured in every step or on a schedule, its unit, and its meaning. A scheduled series is NaN in
most steps: gradients are compared with those of the previous step in every 16th step, and layers
are measured in detail in steps 1, 9, 17, 33 and n · `record.every` + 1. `Layer.sample` is the
number of rows of the batch that a layer's numbers come from: all rows if the output is small, else
every n-th, a random sample since batches are shuffled. A parameter's norms come from a sample of
`Weights.sample` elements, scaled up; the norm of its gradient is exact in scheduled steps, and in
all steps if gradients are clipped by their norm.

A *layer* is a module without submodules, or an activation called as a function within a module. A
layer that runs several times in a step appears once per call, as "act", "act #2", up to eight
times. `layers` are in the order of the forward pass. *Units* are the outputs of a Linear and the
channels of a convolution.

On disk a record consists of parts, one for each set of columns (a resumed run, or a model that
changes, begins a new one), and of files that only grow:

    000.json                 Part: format version, columns, layers, parameters, optimizer, schedule
    000.rows                 rows of int64 step and float32 values, little-endian, in column order
    epochs.jsonl             one object per line: see `Record.epochs`
    histograms.jsonl         one object per line: see `Histogram`
    facts.json               other observations: see `RecordFacts`

A row that a crash cut off, or a last line that is not JSON, is ignored.
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
    """What a series measures. `of`: "step", "layer" or "parameter"; `scheduled`: not every step."""

    name: str
    of: str
    scheduled: bool
    unit: str
    meaning: str


SERIES: tuple[Quantity, ...] = (
    Quantity("loss", "step", False, "the loss's", "what backward() was last called on"),
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
    """What applies to the rows of one part. `columns` are (series, subject), "" for the step."""

    columns: tuple[tuple[str, str], ...]
    layers: tuple[Layer, ...]
    parameters: tuple[Weights, ...]
    optimizer: str
    options: dict[str, Any]
    window: int
    every: int

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Self:
        """A part from the result of `dataclasses.asdict`, after a round trip through JSON."""
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
    """Observations made while a step was traced or ran eagerly.

    `no_gradient`: parameters that require a gradient but had none at some optimizer step; `never`:
    those that never had one. `kept_gradients`: the first backward() of a step found gradients of
    the step before. `trained_in_eval`: dropout and normalization layers in evaluation mode in a
    training pass. `evaluated_in_train`: such layers in training mode in a pass under `no_grad`.
    `clipping`: the largest norm or value that clipping allowed.
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
    """The measurements of a run, from a folder or of a run in progress.

    `settle`, if given, is called before each read: it fetches the latest steps of the run.
    """

    def __init__(self, store: Store, settle: Callable[[], None] | None = None) -> None:
        self.store = store
        self._settle = settle

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Record:
        """The record in a run's folder, or in `path` itself; DataError if missing or damaged."""
        folder = Path(path)
        if (folder / "record").is_dir():
            folder = folder / "record"
        store = FolderStore(folder)
        parts = store.parts()
        if not parts:
            raise DataError(
                f"{path} has no record of its training: expected {folder / '000.json'}. A Recorder "
                "writes it while a run trains."
            )
        for number, saved in enumerate(parts):
            check(Part, saved, f"{folder / f'{number:03d}.json'}")
        check(RecordFacts, store.facts(), f"{folder / 'facts.json'}")
        for name, kind in (("epochs", EpochLine), ("histograms", Histogram)):
            for place, line in enumerate(store.lines(name), 1):
                check(kind, line, f"{folder / f'{name}.jsonl'}, entry {place},")
        return cls(store)

    # Subjects -------------------------------------------------------------------------------------

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts, in chronological order."""
        if self._settle is not None:
            self._settle()
        return tuple(Part.from_json(each) for each in self.store.parts())

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in the order of the forward pass; the latest version of each."""
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
        """The number of steps that `dead` and `saturated` look back (fewer at the beginning)."""
        return self.parts[-1].window

    @property
    def every(self) -> int:
        """Layers are measured in detail in steps n · every + 1 (and more often early on)."""
        return self.parts[-1].every

    @property
    def optimizer(self) -> tuple[str, dict[str, Any]]:
        """The optimizer's class and the options of its first group."""
        return self.parts[-1].optimizer, self.parts[-1].options

    @property
    def facts(self) -> RecordFacts:
        """Observations other than the series."""
        saved = self.store.facts() if self.parts else {}
        return restored(RecordFacts, saved)

    def frozen(self) -> Record:
        """A snapshot: all series have the same steps, even while the run continues."""
        return Record(FrozenStore(self.store))

    # Step by step ---------------------------------------------------------------------------------

    @property
    def steps(self) -> Array:
        """The numbers of the recorded steps, (steps,) int64, ascending; the first step is 1."""
        rows = [self.store.rows(i, len(part.columns)) for i, part in enumerate(self.parts)]
        steps = np.concatenate([each["step"] for each in rows]) if rows else np.zeros(0, np.int64)
        return steps[_in_order(steps)]

    def series(self, name: str, subject: str = "") -> Array:
        """One series, (steps,) float32, aligned with `steps`; NaN where it was not measured.

        `subject` is the name of a layer or a parameter, "" for the series of the step itself.
        Raises KeyError for a series that was not recorded.
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
            raise KeyError(f"no series {name!r} was recorded for {subject or 'the step'!r}")
        return np.concatenate(values)[_in_order(np.concatenate(steps))]

    def subjects(self, name: str) -> tuple[str, ...]:
        """The layers or parameters with the series `name`, in the order of the forward pass."""
        name = "update_norm" if name == "update_ratio" else name
        return tuple(
            dict.fromkeys(s for part in self.parts for n, s in part.columns if n == name and s)
        )

    def matrix(self, name: str) -> Array:
        """A series for all its layers or parameters, (steps, subjects) float32."""
        columns = [self.series(name, subject) for subject in self.subjects(name)]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.steps), 0), np.float32)

    def noise_scale(self, span: int = 32) -> Array:
        """The gradient noise scale tr(Σ) / |G|², in rows, (steps,); NaN until it is known.

        A much smaller batch gives gradients that are mostly noise, a much larger one wastes rows
        (McCandlish et al. 2018, B_simple, eq. 2.9). Two successive gradients serve as two halves
        of a batch of 2B: |G|² ≈ g·g', tr(Σ)/B ≈ (|g|² + |g'|²)/2 - g·g' (their appendix A.1). Both
        are noisy, so they are averaged over the last `span` pairs before the division. Infinite
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
        """One object per epoch: `epoch`, `step`, `train_loss`, `validation_loss`, and what else the
        loop added: `learning_rate`, `best`, `scores` (name to number), `confusion` (a list of rows,
        truth down, prediction across), `residuals` (quantiles 0, 0.05, ... 1 of truth -
        prediction), `curvature` of the loss (see `Curvature.measure`). A Trainer adds all of these
        after epochs 1, 2, 4, 8, ..., all but the curvature after the last one, and only the losses,
        the learning rate and `best` after the others."""
        if self._settle is not None:
            self._settle()
        # If an epoch was trained again after a crash, the latest entry counts.
        return list({line["epoch"]: line for line in self.store.lines("epochs")}.values())

    def histograms(self, kind: str, subject: str) -> list[Histogram]:
        """The histograms of a parameter ("weight") or a layer ("activation"), in order of steps."""
        if self._settle is not None:
            self._settle()
        found = (restored(Histogram, line) for line in self.store.lines("histograms"))
        return [each for each in found if (each.kind, each.subject) == (kind, subject)]


def _in_order(steps: Array) -> Array:
    """The index of each step's row; if a resumed run recorded a step twice, the last one counts."""
    _, last = np.unique(steps[::-1], return_index=True)
    return len(steps) - 1 - last


def moving_mean(values: Array, span: int) -> Array:
    """The mean of each value and up to `span` - 1 before it, float64."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - span, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
