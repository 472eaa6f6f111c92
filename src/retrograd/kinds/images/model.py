"""A network for images with everything needed to use it: files or arrays in, predictions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.data.images import ImageSet, PixelFormat, read_examples_only, read_parts, to_set
from retrograd.data.images.labels import codes_of, with_labels
from retrograd.data.plain import plain
from retrograd.data.tables.target import Target
from retrograd.errors import about
from retrograd.kinds.base.fingerprints import fingerprints
from retrograd.kinds.base.fitted import NetworkModel, Picture
from retrograd.kinds.base.importance import Reasons
from retrograd.kinds.base.kind import path_of
from retrograd.kinds.base.predictions import with_predictions
from retrograd.kinds.images.architectures import ARCHITECTURES
from retrograd.kinds.images.data import ImagesData
from retrograd.kinds.images.options import ImagesOptions, ResolvedImages
from retrograd.kinds.images.pictures import attributed, marked, picture
from retrograd.models.images.augment import Augment
from retrograd.models.images.network import ImageNetwork
from retrograd.tensor import Tensor
from retrograd.training.objective import Classification, Regression
from retrograd.training.scores import Scores, score_classes, score_numbers

__all__ = ["ImageClassification", "ImagesModel"]

Array = np.ndarray[Any, Any]

_ROWS_AT_ONCE = 256
_FAR = 3.0  # standard deviations


class ImageClassification(Classification):
    """A probability for each class, learned from codes or from mixed images' probabilities."""

    def __init__(self, classes: int, label_smoothing: float = 0.0) -> None:
        super().__init__(classes)
        self.label_smoothing = label_smoothing

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy: (rows, classes) against (rows,) codes or (rows, classes)."""
        return nn.cross_entropy(output, target, label_smoothing=self.label_smoothing)


@dataclass
class ImagesModel(NetworkModel):
    """What training on images gives: the network, and the meaning of its pixels and outputs.

    `column` is the training table's column of paths; a numeric target is standardized by `mean` and
    `scale`.
    """

    kind: ClassVar[str] = "images"
    form: PixelFormat
    target: Target
    class_shares: Array  # (classes,) in training; empty for regression
    network: ImageNetwork
    column: str | None
    broken: float | None
    mean: float = 0.0
    scale: float = 1.0
    notes: Sequence[str] = ()

    @classmethod
    def build(
        cls,
        form: PixelFormat,
        target: Target,
        shares: Array,
        resolved: ResolvedImages,
        *,
        pixel_mean: Any = 0.0,
        pixel_std: Any = 1.0,
        **others: Any,
    ) -> Self:
        """An untrained network. The pixels' statistics, (channels,), are given here or come with
        the weights."""
        options = resolved.asked
        body = ARCHITECTURES.find(resolved.model).build(
            form.shape, len(target.classes) or 1, dropout=options.dropout
        )
        augment = Augment(
            shift=options.shift,
            crop=resolved.crop,
            flip=resolved.flip,
            cutout=options.cutout,
        )
        each = np.ones(form.channels)
        network = ImageNetwork(pixel_mean * each, pixel_std * each, augment, body)
        return cls(form, target, shares, network, options.image, options.broken, **others)

    @property
    def task(self) -> str:
        return self.target.task

    @property
    def target_name(self) -> str:
        return self.target.name

    @property
    def classes(self) -> tuple[str, ...]:
        return self.target.classes

    def objective(self, label_smoothing: float = 0.0) -> Regression | ImageClassification:
        """What the network's outputs mean."""
        if self.task == "regression":
            return Regression()
        return ImageClassification(len(self.classes), label_smoothing)

    def read(self, data: Any, notes: list[str], labeled: bool) -> ImagesData:
        with about(path_of(data) or "the data in memory"):
            if not labeled:
                found = read_examples_only(data, self.column, notes)
                images = to_set(found, self.form, self.broken, notes)
            else:
                parts = read_parts(data, self.column, self.target_name, notes)
                part = "test" if "test" in parts else "train"
                if len(parts) > 1:
                    notes.append(f"The {part} part of {path_of(data) or 'the data'} is scored.")
                images = to_set(parts[part], self.form, self.broken, notes)
                images = with_labels(images, self.target, notes)
            self._compare_light(images, notes)
            return ImagesData(images, self.target, self.form)

    def _compare_light(self, images: ImageSet, notes: list[str]) -> None:
        """Add a note if the pixels' values are far from those of the training images."""
        learned, deviation = self.network.mean.numpy().ravel(), self.network.std.numpy().ravel()
        found = next(images.parts(_ROWS_AT_ONCE)).mean((0, 2, 3), np.float64)
        if (np.abs(found - learned) > _FAR * deviation).any():
            notes.append(
                f"The mean of the pixels is {found.mean():.3g}, but {learned.mean():.3g} in "
                "training: in different units, the predictions mean little."
            )

    def predict(self, data: ImagesData, notes: list[str] | None = None) -> Array:
        """(rows,) numbers in the target's units, or (rows, classes) probabilities."""
        outputs = [self.predictor((part,)) for part in data.images.parts(_ROWS_AT_ONCE)]
        answer = self.objective().answer(np.concatenate(outputs))
        if self.task == "regression":
            return answer.astype(np.float64) * self.scale + self.mean
        return answer

    def targets(self, data: ImagesData) -> Array:
        """(rows,) numbers in the target's units, or class codes."""
        return codes_of(data.images, self.target)

    def score(self, data: ImagesData) -> Scores:
        """The metrics on labeled images."""
        answers, truth = self.predict(data), self.targets(data)
        if self.task == "regression":
            return score_numbers(answers, truth, self.mean)
        return score_classes(answers, truth, self.class_shares)

    def predictions(self, data: ImagesData, notes: list[str]) -> nw.DataFrame[Any]:
        """The images' table, or their paths, or their numbers from 1, with the predictions."""
        frame = data.images.frame
        if frame is None:
            name = "path" if data.images.are_files else "image"
            frame = nw.from_native(pa.table({name: data.images.names}), eager_only=True)
        return with_predictions(frame, self.predict(data, notes), self.classes, notes)

    def columns(self) -> list[SchemaRow]:
        target = SchemaRow(self.target_name, "target", f"{self.task}: {self.target.reason}", 0.0)
        return [target, SchemaRow(self.column or "image", "image", str(self.form), 0.0)]

    def shown(self, data: ImagesData, rows: Array) -> dict[str, list[str | Picture]]:
        chosen = data.images.take(np.asarray(rows))
        name = "path" if chosen.are_files else "number"
        return {
            name: list(chosen.names),
            "image": list(map(picture, chosen.pixels[:], chosen.names)),
        }

    def fingerprints(self, data: ImagesData) -> Array:
        truth, found, start = self.targets(data), [], 0
        for pixels in data.images.parts():
            found.append(fingerprints(pixels, truth[start : start + len(pixels)]))
            start += len(pixels)
        return np.concatenate(found)

    def reasons(self, data: ImagesData, rows: Array) -> list[Reasons]:
        """Each image, marked with the regions that support its prediction; see `Explains`."""
        pixels = data.images.take(np.asarray(rows)).pixels[:]
        codes = self.predictor((pixels,)).argmax(1)
        parts = attributed(self.network, pixels, self.network.mean.numpy(), codes)
        answers = [self.classes[code] if self.classes else "a larger number" for code in codes]
        texts = [f"red supports {each}, blue opposes it" for each in answers]
        return list(map(marked, pixels, parts, texts))

    def to_json(self) -> dict[str, Any]:
        return {
            "form": asdict(self.form),
            "target": plain(self.target),
            "class_shares": self.class_shares.tolist(),
            "mean": self.mean,
            "scale": self.scale,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], options: ImagesOptions) -> Self:
        target = saved["target"]
        return cls.build(
            PixelFormat(**saved["form"]),
            Target(**{**target, "classes": tuple(target["classes"])}),
            np.asarray(saved["class_shares"], float),
            ResolvedImages.of(options),
            mean=saved["mean"],
            scale=saved["scale"],
            notes=tuple(saved["notes"]),
        )
