"""What is measured now and then between epochs: histograms, curvature, held-out answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.tape import recording
from retrograd.diagnosis.probes.curvature import Curvature
from retrograd.diagnosis.probes.layers import LayerProbes
from retrograd.diagnosis.record.record import Histogram
from retrograd.tensor import Tensor
from retrograd.training.metrics import METRICS, measured
from retrograd.training.objective import Classification, Regression
from retrograd.training.sources import Source, Stack

if TYPE_CHECKING:
    from retrograd.training.trainer import Trainer

__all__ = ["EpochProbes"]

Array = np.ndarray[Any, Any]

_BINS = 40
# Of a large weight a histogram counts about so many elements.
_ELEMENTS = 1 << 16
# Curvature may take this share of a run's time.
_SHARE = 0.02
# A larger table of confusions is no picture.
_CLASSES = 100
# Of numbers; R² only where the target varies.
_NUMBERS = (METRICS["rmse"], METRICS["r2"])


class EpochProbes:
    """Looks at a Trainer's model on a batch of its training data, in evaluation mode."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.batch: tuple[Source, Stack] | None = None  # the latest, of which one step is used
        self._curvature = Curvature(trainer.model.parameters())
        self._started = time.monotonic()
        self._spent = 0.0

    @staticmethod
    def is_due(epoch: int) -> bool:
        """After the epochs 1, 2, 4, 8, ...: few, and denser where more happens."""
        return epoch & (epoch - 1) == 0

    def histograms(self, step: int) -> list[Histogram]:
        """Of every weight, and of every layer's output."""
        found = [
            _histogram(step, "weight", name, np.asarray(parameter.data))
            for name, parameter in self.trainer.model.named_parameters()
        ]
        layers = LayerProbes(self.trainer.model, lambda: None)
        with self._model() as inputs, hooks(**layers.events()):
            if inputs is not None:
                self.trainer.model(*inputs[0])
        found += [
            _histogram(step, "activation", name, np.asarray(call.output))
            for name, call in layers.calls.items()
        ]
        return [each for each in found if each.counts]

    def curvature(self) -> dict[str, float]:
        """See `Curvature.measure`; empty where it would take more than its share of the time."""
        started = time.monotonic()
        allowed = _SHARE * (started - self._started) - self._spent
        if allowed <= 0:
            return {}
        with self._model() as batch:
            if batch is None:
                return {}
            inputs, target = batch
            loss = self.trainer.objective.loss(self.trainer.model(*inputs), target)
            found = self._curvature.measure(loss, allowed)
        self._spent += time.monotonic() - started
        return found

    def validation_answers(self) -> dict[str, Any]:
        """`scores`, and `confusion` or `residuals`, of what is validated on."""
        objective, validation = self.trainer.objective, self.trainer.validation
        if validation is None or not isinstance(objective, Classification | Regression):
            return {}
        outputs, target = self.trainer.outputs(validation)
        answer = objective.answer(outputs)
        if isinstance(objective, Regression):
            scores = measured(_NUMBERS if np.ptp(target) else _NUMBERS[:1], target, answer)
            quantiles = np.quantile(target - answer, np.linspace(0, 1, 21)).tolist()
            return {"scores": scores, "residuals": quantiles}
        found: dict[str, Any] = {"scores": measured([METRICS["accuracy"]], target, answer)}
        if objective.outputs <= _CLASSES:
            from sklearn.metrics import confusion_matrix

            classes = range(objective.outputs)
            table = confusion_matrix(target, answer.argmax(1), labels=classes)
            found["confusion"] = table.tolist()
        return found

    @contextmanager
    def _model(self) -> Iterator[tuple[tuple[Tensor, ...], Tensor] | None]:
        """A batch, with the model in evaluation mode and nobody else watching."""
        with hooks.muted(), nn.evaluating(self.trainer.model), recording(True):
            if self.batch is None:
                yield None
            else:
                source, call = self.batch
                yield source.batch(call.form, *(Tensor(each[-1]) for each in call.arrays))


def _histogram(step: int, kind: str, subject: str, values: Array) -> Histogram:
    """In bins from the smallest finite value to the largest; none if there is no such value."""
    flat = values.reshape(-1)[:: max(1, values.size // _ELEMENTS)].astype(np.float64)
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return Histogram(step, kind, subject, 0.0, 0.0, ())
    low, high = float(flat.min()), float(flat.max())
    counts, edges = np.histogram(flat, _BINS, (low, high) if high > low else (low - 0.5, low + 0.5))
    return Histogram(step, kind, subject, float(edges[0]), float(edges[-1]), tuple(counts.tolist()))
