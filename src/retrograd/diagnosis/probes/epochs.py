"""Occasional measurements between epochs: histograms, curvature, validation predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

if TYPE_CHECKING:
    from retrograd.training.trainer import Trainer

__all__ = ["EpochProbes"]

Array = np.ndarray[Any, Any]

_BINS = 40
# A histogram of a large weight counts about this many elements.
_ELEMENTS = 1 << 16
# Curvature may take this share of a run's time. Time is counted in steps, so that the number of
# products does not depend on how busy the machine is.
_SHARE = 0.02
_STEPS_PER_PRODUCT = 16
# Fewer have no standard error, and more tell little more.
_LEAST_PAIRS, _MOST_PAIRS = 2, 50
# A larger confusion matrix is unreadable.
_CLASSES = 100
# For regression; R² only if the target varies.
_NUMBERS = (METRICS["rmse"], METRICS["r2"])


class EpochProbes:
    """Measures a Trainer's model on a batch of its training data, in evaluation mode."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._curvature = Curvature(trainer.model.parameters())
        self._pairs = 0  # of products, so far

    @staticmethod
    def is_due(epoch: int) -> bool:
        """After epochs 1, 2, 4, 8, ...: few in all, and more of them early on."""
        return epoch & (epoch - 1) == 0

    def histograms(self, step: int) -> list[Histogram]:
        """Histograms of every weight and of every layer's output."""
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

    def curvature(self) -> dict[str, Any]:
        """`curvature`, see `Curvature.measure`; not if it would take more than its share of the
        time."""
        affordable = int(_SHARE * self.trainer.steps / (2 * _STEPS_PER_PRODUCT)) - self._pairs
        affordable = min(affordable, _MOST_PAIRS)
        if affordable < _LEAST_PAIRS:
            return {}
        with self._model() as batch:
            if batch is None:
                return {}
            inputs, target = batch
            loss = self.trainer.objective.loss(self.trainer.model(*inputs), target)
            found = self._curvature.measure(loss, affordable, seed=self.trainer.steps)
        self._pairs += int(found.get("products", 0)) // 2
        return {"curvature": found} if found else {}

    def state(self) -> dict[str, Array]:
        """What the measurements to come go on from."""
        direction = enumerate(self._curvature.direction)
        return {"pairs": np.asarray(self._pairs), **{f"direction/{i}": v for i, v in direction}}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Go on from what `state` returned, or from the start if nothing is there."""
        self._pairs = int(arrays.get("pairs", 0))
        count = sum(name.startswith("direction/") for name in arrays)
        self._curvature.direction = [arrays[f"direction/{i}"] for i in range(count)]

    def validation_scores(self) -> dict[str, Any]:
        """`scores`, and `confusion` or `residuals`, on the validation rows."""
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
        """A batch, with the model in evaluation mode and other hooks muted."""
        with hooks.muted(), nn.evaluating(self.trainer.model), recording(True):
            if self.trainer.batch is None:
                yield None
            else:
                source, call = self.trainer.batch
                yield source.batch(call.form, *(Tensor(each[-1]) for each in call.arrays))


def _histogram(step: int, kind: str, subject: str, values: Array) -> Histogram:
    """A histogram from the smallest finite value to the largest; no bins without finite values."""
    flat = values.reshape(-1)[:: max(1, values.size // _ELEMENTS)].astype(np.float64)
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return Histogram(step, kind, subject, 0.0, 0.0, ())
    low, high = float(flat.min()), float(flat.max())
    counts, edges = np.histogram(flat, _BINS, (low, high) if high > low else (low - 0.5, low + 0.5))
    return Histogram(step, kind, subject, float(edges[0]), float(edges[-1]), tuple(counts.tolist()))
