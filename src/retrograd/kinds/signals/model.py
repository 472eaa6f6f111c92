"""A network for signals, with everything needed to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.data.arrays import read_arrays, read_examples
from retrograd.data.labels import codes_among
from retrograd.errors import DataError, about
from retrograd.kinds.base.fingerprints import fingerprints
from retrograd.kinds.base.fitted import NetworkModel
from retrograd.kinds.base.kind import path_of
from retrograd.kinds.base.predictions import with_predictions
from retrograd.kinds.signals.architectures import ARCHITECTURES
from retrograd.kinds.signals.data import Signals, as_signals, in_words
from retrograd.kinds.signals.options import SignalsOptions
from retrograd.models.signals.network import AugmentSignal, SignalNetwork
from retrograd.training.objective import Classification
from retrograd.training.scores import Scores, score_classes
from retrograd.wording import count

__all__ = ["SignalsModel"]

Array = np.ndarray[Any, Any]

_SHOWN_CHANNELS = 20


@dataclass
class SignalsModel(NetworkModel):
    """A network for signals, with everything needed to use it."""

    kind: ClassVar[str] = "signals"
    task: ClassVar[str] = "classification"
    target_name: ClassVar[str] = "the class of a signal"
    classes: tuple[str, ...]
    network: nn.Module
    shape: tuple[int, int]  # channels and time
    class_shares: Array  # (classes,) in training
    notes: Sequence[str] = ()

    @classmethod
    def build(
        cls,
        classes: tuple[str, ...],
        shape: tuple[int, int],
        shares: Array,
        options: SignalsOptions,
        statistics: tuple[Array, Array] | None = None,
    ) -> Self:
        """An untrained network; the mean and deviation, (channels,), come here or with weights."""
        channels = shape[0]
        mean, std = statistics or (np.zeros(channels), np.ones(channels))
        augment = AugmentSignal(shift=options.shift, scale=options.scale, noise=options.noise)
        build = ARCHITECTURES.find(options.model).build
        body = build(*shape, len(classes), dropout=options.dropout)
        return cls(classes, SignalNetwork(mean, std, augment, body), shape, shares)

    def read(self, data: Any, notes: list[str], labeled: bool) -> Signals:
        name = path_of(data) or "The data in memory"
        if labeled:
            found = read_arrays(data)
            notes += found.notes
            x, y = found.test or found.train
            part = "test" if found.test else "training"
            notes.append(f"The {part} part of {path_of(data) or 'the data'} is scored.")
        else:
            x, y = read_examples(data), np.zeros(0, np.int64)
        with about(name):
            x = as_signals(x)
        if x.shape[1:] != self.shape:
            raise DataError(
                f"{name} holds signals of {in_words(x.shape[1:])}; the network was trained on "
                f"{in_words(self.shape)}."
            )
        with about(name):
            return Signals.whole(x, codes_among(y.tolist(), self.classes), self.classes)

    def predict(self, data: Signals, notes: list[str] | None = None) -> Array:
        """(n, classes) probabilities."""
        return Classification(len(self.classes)).answer(self.predictor((data.x,)))

    def targets(self, data: Signals) -> Array:
        """(n,) class codes."""
        return data.codes

    def score(self, data: Signals) -> Scores:
        """Accuracy, log loss and ROC AUC beside those of predicting the classes' shares."""
        return score_classes(self.predict(data), self.targets(data), self.class_shares)

    def predictions(self, data: Signals, notes: list[str]) -> nw.DataFrame[Any]:
        """The signals by number, from 1, with a probability for each class and the prediction."""
        frame = nw.from_native(pa.table({"signal": data.places}), eager_only=True)
        return with_predictions(frame, self.predict(data, notes), self.classes, notes)

    def columns(self) -> list[SchemaRow]:
        channels, time = self.shape
        return [
            SchemaRow(f"channel {i}", "signal", count(time, "step"), 0.0)
            for i in range(min(channels, _SHOWN_CHANNELS))
        ]

    def shown(self, data: Signals, rows: Array) -> dict[str, list[str]]:
        return {"signal": [f"{place:,}" for place in data.places[rows]]}

    def fingerprints(self, data: Signals) -> Array:
        return fingerprints(data.x, data.codes)

    def to_json(self) -> dict[str, Any]:
        return {
            "classes": list(self.classes),
            "shape": list(self.shape),
            "class_shares": self.class_shares.tolist(),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], options: SignalsOptions) -> Self:
        channels, time = saved["shape"]
        shares = np.asarray(saved["class_shares"], float)
        return cls.build(tuple(saved["classes"]), (channels, time), shares, options)
