"""From images to a network that is ready to be trained."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from retrograd.data.images import PixelFormat, holds_images, in_memory, pixel_statistics
from retrograd.errors import UsageError
from retrograd.kinds.base.kind import DataSpec, Kind, Parts, Prepared, Split, introduction, path_of
from retrograd.kinds.base.split import split_examples
from retrograd.kinds.images.architectures import ARCHITECTURES
from retrograd.kinds.images.data import ImagesData, read_images
from retrograd.kinds.images.model import ImagesModel
from retrograd.kinds.images.options import ImagesOptions, ResolvedImages
from retrograd.kinds.images.sources import Mixed, Streamed
from retrograd.training.recipe import one_cycle_trainer
from retrograd.training.sources import Rows, Source

__all__ = ["IMAGES"]

Array = np.ndarray[Any, Any]

# The steps of a run, and the fewest and most epochs that it may take for them.
_STEPS, _EPOCHS = 4000, (12, 100)
# The steps per epoch that few images get by smaller batches, and the smallest and largest batch.
_EPOCH_STEPS, _BATCH = 40, (16, 64)
# Objects in larger photographs differ in size; a small image that is zoomed is a blur.
_ZOOMED_FROM, _ZOOM = 48, 0.8


class ImagesKind(Kind[ImagesData, ImagesOptions]):
    """Labeled images in folders, in tables of paths or in arrays."""

    name = "images"
    options = ImagesOptions
    model = ImagesModel
    architectures = ARCHITECTURES
    needs_target = False

    def holds(self, data: Any) -> bool:
        return holds_images(data)

    def claims(self, data: Any, asked: Collection[str]) -> bool:
        """A table, if its column of images is named."""
        path = path_of(data)
        return "image" in asked and path is not None and path.is_file()

    def read(self, spec: DataSpec, options: ImagesOptions) -> Parts[ImagesData]:
        return read_images(spec, options)

    def split(self, parts: Parts[ImagesData], options: ImagesOptions) -> Split[ImagesData]:
        return split_examples(parts, options.validation_share(), options.seed)

    def make(self, split: Split[ImagesData], options: ImagesOptions) -> Prepared[ImagesData]:
        train, target = split.train, split.train.target
        notes = list(split.notes)
        resolved, why = _resolved(options, train, notes)
        mean, scale, shares = 0.0, 1.0, np.zeros(0)
        truth = train.truth
        if target.task == "regression":
            mean, scale = float(truth.mean()), float(truth.std()) or 1.0
        else:
            shares = np.bincount(truth, minlength=len(target.classes)) / len(truth)
        pixel_mean, pixel_std = pixel_statistics(train.images)
        model = ImagesModel.build(
            train.form,
            target,
            shares,
            resolved,
            pixel_mean=pixel_mean,
            pixel_std=pixel_std,
            mean=mean,
            scale=scale,
            notes=tuple(notes),
        )
        rows = _source(train, mean, scale)
        if options.mixup:
            rows = Mixed(rows, options.mixup, len(target.classes))
        trainer = one_cycle_trainer(
            model.network,
            model.objective(options.label_smoothing),
            resolved.to_options(),
            rows.steps(resolved.batch_size),
        )
        return Prepared(
            model,
            trainer,
            resolved,
            rows,
            _source(split.validation, mean, scale),
            split,
            notes,
            introduction(f"the {resolved.model} for images", model.network, why),
        )


def _source(data: ImagesData, mean: float, scale: float) -> Source:
    """Batches of images with codes, or with numbers standardized by `mean` and `scale`."""
    truth = data.truth
    if data.target.task == "regression":
        truth = ((truth - mean) / scale).astype(np.float32)
    if in_memory(data.images.pixels):
        return Rows((data.images.pixels[:],), truth)
    return Streamed(data.images, truth)


def _resolved(
    options: ImagesOptions, train: ImagesData, notes: list[str]
) -> tuple[ResolvedImages, str]:
    """The options left open, chosen from the training images, and why the model was picked."""
    form, target = train.form, train.target
    model, why_model = options.model, ""
    if model == "auto":
        model, why = _picked(form)
        why_model = f"picked because {why}"
    if options.mixup and target.task == "regression":
        raise UsageError("mixup mixes classes; leave it out to learn numbers.")
    flip = options.flip
    if flip is None:
        flip, why = _may_flip(train)
        notes.append(
            f"Training images are {'' if flip else 'not '}mirrored left to right, because {why}. "
            f"To change that, use --set flip={'false' if flip else 'true'}."
        )
    crop = options.crop
    if crop is None:
        crop = _ZOOM if form.channels > 1 and max(form.height, form.width) >= _ZOOMED_FROM else 1.0
    batch_size = options.batch_size or _within(
        _BATCH, 2 ** round(math.log2(len(train) / _EPOCH_STEPS))
    )
    batch_size = min(batch_size, len(train))
    epochs = options.epochs or _within(_EPOCHS, _STEPS // (len(train) // batch_size))
    return ResolvedImages(
        asked=options,
        model=ARCHITECTURES.find(model).name,
        flip=flip,
        crop=crop,
        batch_size=batch_size,
        epochs=epochs,
        patience=options.patience or epochs,
    ), why_model


def _within(limits: tuple[int, int], number: float) -> int:
    low, high = limits
    return int(min(high, max(low, number)))


def _picked(form: PixelFormat) -> tuple[str, str]:
    """The architecture for images of this format, and why."""
    if min(form.height, form.width) < 8:
        return "mlp", f"images of {form.height}×{form.width} are too small for convolutions"
    if form.channels == 1 and max(form.height, form.width) <= 32:
        return "cnn", "the images are small and gray"
    return "resnet", "the images are in color" if form.channels > 1 else "the images are large"


def _may_flip(train: ImagesData) -> tuple[bool, str]:
    """Whether a mirrored image still shows the same thing, and the reason for the judgment.

    Letters and digits do not. Small gray images often are letters or digits, and so are classes
    whose folders or cells are a single letter or digit. (In an array, digits are class numbers.)
    """
    classes = train.target.classes
    if train.form.channels == 1:
        return False, "gray images may be of letters or digits"
    if train.images.are_files and classes and max(map(len, classes)) == 1:
        return False, "the classes are named like letters or digits"
    return True, "they are in color"


IMAGES = ImagesKind()
