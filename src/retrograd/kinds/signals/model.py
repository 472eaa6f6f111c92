"""Signals in an NPZ file to a network that tells their classes: the recipe and the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.data.arrays import examples_kind, read_arrays, read_examples
from retrograd.data.labels import codes_among, spelled
from retrograd.data.split import share, split_rows
from retrograd.errors import DataError, about
from retrograd.kinds.base.bridge import Origin, Run
from retrograd.kinds.base.predictions import with_predictions
from retrograd.kinds.signals.architectures import ARCHITECTURES
from retrograd.models.signals.network import AugmentSignal, SignalNetwork
from retrograd.random import manual_seed
from retrograd.training.objective import Classification
from retrograd.training.options import Options
from retrograd.training.predictor import Predictor
from retrograd.training.recipe import one_cycle_trainer
from retrograd.training.scores import Scores, score_classes
from retrograd.training.sources import Rows
from retrograd.wording import count, listed

__all__ = ["Signals", "SignalsModel", "SignalsOptions", "holds_signals", "prepare_signals"]

Array = np.ndarray[Any, Any]

_STEPS = 6000
_SHOWN_CHANNELS = 20


@dataclass(frozen=True, kw_only=True)
class SignalsOptions(Options):
    """The options for signals: those of every run, and how a signal is changed in training.

    `shift` is the largest move, as a share of the length, `scale` the largest change of the factor
    1, `noise` the deviation of the noise added to the standardized signal.
    """

    dropout: float = 0.2
    average: float = 0.99
    shift: float = 0.1
    scale: float = 0.1
    noise: float = 0.1

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Options.ranges,
        "shift": (0, 1),
        "scale": (0, 1),
        "noise": (0, 10),
    }


@dataclass(frozen=True)
class Signals:
    """float32 `(n, channels, time)`, and (n,) class codes, empty where they are not known."""

    x: Array
    codes: Array

    def __len__(self) -> int:
        return len(self.x)


@dataclass
class SignalsModel:
    """A network for signals, with all that it takes to use it."""

    kind: ClassVar[str] = "signals"
    task: ClassVar[str] = "classification"
    target_name: ClassVar[str] = "the class of a signal"
    classes: tuple[str, ...]
    network: nn.Module
    shape: tuple[int, int]  # channels and time
    class_shares: Array  # (classes,) in training
    notes: Sequence[str] = ()
    predictor: Predictor = field(init=False)

    def __post_init__(self) -> None:
        self.predictor = Predictor(self.network)

    @classmethod
    def build(
        cls,
        classes: tuple[str, ...],
        shape: tuple[int, int],
        shares: Array,
        config: SignalsOptions,
        statistics: tuple[Array, Array] | None = None,
    ) -> Self:
        """An untrained network; mean and deviation, (channels,), come with its weights or here."""
        channels = shape[0]
        mean, std = statistics or (np.zeros(channels), np.ones(channels))
        augment = AugmentSignal(shift=config.shift, scale=config.scale, noise=config.noise)
        body = ARCHITECTURES.find(config.model).build(*shape, len(classes), dropout=config.dropout)
        return cls(classes, SignalNetwork(mean, std, augment, body), shape, shares)

    def read(self, path: Path, notes: list[str], labelled: bool) -> Signals:
        if not labelled:
            return Signals(self._fitting(path, read_examples(path)), np.zeros(0, np.int64))
        found = read_arrays(path)
        x, y = found.test or found.train
        notes.append(f"The {'test' if found.test else 'training'} part of {path} is measured.")
        with about(path):
            return Signals(self._fitting(path, x), codes_among(y.tolist(), self.classes))

    def _fitting(self, path: Path, x: Array) -> Array:
        x = as_signals(path, x)
        if x.shape[1:] != self.shape:
            raise DataError(
                f"{path} holds signals of {_words(x.shape[1:])}; the network learned from "
                f"{_words(self.shape)}."
            )
        return x

    def predict(self, data: Any, notes: list[str] | None = None) -> Array:
        """(n, classes) probabilities."""
        return Classification(len(self.classes)).answer(self.predictor((data.x,)))

    def targets(self, data: Any) -> Array:
        """(n,) class codes."""
        return data.codes

    def score(self, data: Any) -> Scores:
        """Accuracy, log loss and ROC AUC beside those of the classes' shares."""
        return score_classes(self.predict(data), self.targets(data), self.class_shares)

    def predictions(self, data: Any, notes: list[str]) -> nw.DataFrame[Any]:
        """The signals by number, from 0, with a probability for each class and the prediction."""
        frame = nw.from_native(pa.table({"signal": np.arange(len(data))}), eager_only=True)
        return with_predictions(frame, self.predict(data, notes), self.classes, notes)

    def columns(self) -> list[SchemaRow]:
        channels, time = self.shape
        return [
            SchemaRow(f"channel {i}", "signal", count(time, "step"), 0.0)
            for i in range(min(channels, _SHOWN_CHANNELS))
        ]

    def shown(self, data: Any, rows: Array) -> dict[str, list[str]]:
        return {"signal": [str(row) for row in rows]}

    def to_json(self) -> dict[str, Any]:
        return {
            "classes": list(self.classes),
            "shape": list(self.shape),
            "class_shares": self.class_shares.tolist(),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], config: SignalsOptions) -> Self:
        channels, time = saved["shape"]
        shares = np.asarray(saved["class_shares"], float)
        return cls.build(tuple(saved["classes"]), (channels, time), shares, config)


def holds_signals(path: Path) -> bool:
    """Whether a file is an NPZ whose examples are signals, by `examples_kind`."""
    return examples_kind(path) == "signals"


def prepare_signals(origin: Origin, config: SignalsOptions) -> Run:
    """Read signals, hold some out where the file does not, and build what is to be trained.

    Raises DataError and UsageError as the data room does; nothing has been trained or written.
    """
    notes: list[str] = []
    found = read_arrays(origin.data)
    if found.others:
        notes.append(f"Not used: {listed(map(repr, found.others))}, neither examples nor labels.")
    classes = class_names(found.train[1], origin.data)

    def signals(path: str, part: tuple[Array, Array]) -> Signals:
        with about(path):
            return Signals(as_signals(path, part[0]), codes_among(part[1].tolist(), classes))

    def other(path: str) -> Signals:
        of_file = read_arrays(path)
        return signals(path, of_file.test or of_file.train)

    train = signals(origin.data, found.train)
    fraction = share(origin.test)
    test = None if found.test is None else signals(origin.data, found.test)
    if fraction is not None:
        train, test = _split(train, fraction, config.seed, notes)
    elif origin.test is not None:
        test = other(origin.test)
    if origin.valid is not None:
        held = other(origin.valid)
    elif found.valid is not None:
        held = signals(origin.data, found.valid)
    else:
        train, held = _split(train, config.held_share(), config.seed, notes)

    for part in (held, *([] if test is None else [test])):
        if part.x.shape[1:] != train.x.shape[1:]:
            raise DataError(
                f"Signals of {_words(part.x.shape[1:])} cannot measure a network that learns from "
                f"{_words(train.x.shape[1:])}."
            )
    manual_seed(config.seed)
    config, reason = _resolved(config, train)
    std = train.x.std((0, 2))
    model = SignalsModel.build(
        classes,
        (train.x.shape[1], train.x.shape[2]),
        np.bincount(train.codes, minlength=len(classes)) / len(train),
        config,
        # A channel that is always the same is left as it is, less its value.
        (train.x.mean((0, 2)), np.where(std > 0, std, 1)),
    )
    assert config.batch_size is not None
    rows, valid = Rows((train.x,), train.codes), Rows((held.x,), held.codes)
    trainer = one_cycle_trainer(
        model.network, Classification(len(classes)), config, rows.steps(config.batch_size)
    )
    size = sum(parameter.numel() for parameter in model.network.parameters())
    introduction = f"the {config.model} for signals ({size:,} weights{reason})"
    return Run(model, trainer, config, rows, valid, held, notes, introduction, test)


def as_signals(path: Any, x: Array) -> Array:
    """float32 (n, channels, time) of (n, time) or (n, channels, time) numbers."""
    if x.ndim not in (2, 3):
        raise DataError(
            f"{path} holds examples of shape {x.shape[1:]}; a signal is (time,) or "
            "(channels, time)."
        )
    return np.asarray(x[:, None] if x.ndim == 2 else x, np.float32)


def class_names(y: Array, source: str) -> tuple[str, ...]:
    """The different labels in their order, as texts; DataError where they can be no classes."""
    names, counts = np.unique(y, return_counts=True)
    if y.dtype.kind == "f" and not np.array_equal(names, np.round(names)):
        raise DataError(
            f"{source}: the labels are numbers with fractions; expected classes, whole numbers or "
            "texts. To learn numbers put the signals' values into the columns of a table."
        )
    if len(names) < 2 or counts.max() == 1:
        raise DataError(
            f"{source}: {count(len(names), 'class', 'classes')} for {count(len(y), 'example')}; "
            "expected at least two classes, and several examples of each."
        )
    return tuple(map(spelled, names.tolist()))


def _split(data: Signals, fraction: float, seed: int, notes: list[str]) -> tuple[Signals, Signals]:
    kept, out = split_rows(len(data), fraction, seed, data.codes, notes)
    return Signals(data.x[kept], data.codes[kept]), Signals(data.x[out], data.codes[out])


def _resolved(config: SignalsOptions, train: Signals) -> tuple[SignalsOptions, str]:
    """`config` with what it leaves open decided, and why the model was picked."""
    batch_size = min(config.batch_size or 64, len(train))
    epochs = config.epochs or min(120, max(10, _STEPS // (len(train) // batch_size)))
    model, reason = config.model, ""
    if model == "auto":
        model, reason = "cnn", ", picked since it trains fastest on signals of every length"
    return config.replaced(
        model=model, batch_size=batch_size, epochs=epochs, patience=config.patience or epochs
    ), reason


def _words(shape: Sequence[int]) -> str:
    return f"{count(shape[0], 'channel')} and {count(shape[1], 'step')}"
