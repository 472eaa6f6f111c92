"""Images to a run made ready: what is held out, the architecture, and the recipe."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.data.images import (
    ImageSet,
    PixelFormat,
    format_of,
    in_memory,
    pixel_statistics,
    read_parts,
    to_set,
)
from retrograd.data.images.labels import codes_of, judge_labels, with_labels
from retrograd.data.split import share, split_rows
from retrograd.data.tables.target import Target
from retrograd.errors import UsageError, about
from retrograd.kinds.base.bridge import Origin, Run
from retrograd.kinds.images.architectures import ARCHITECTURES
from retrograd.kinds.images.model import ImagesModel, ImagesOptions
from retrograd.kinds.images.sources import Mixed, Streamed
from retrograd.random import manual_seed
from retrograd.training.recipe import one_cycle_trainer
from retrograd.training.sources import Rows, Source

__all__ = ["prepare_images"]

Array = np.ndarray[Any, Any]

# As many steps as the images get, in at least and at most so many epochs.
_STEPS, _EPOCHS = 4000, (12, 100)
# As many steps as an epoch of few images has, by smaller batches of at least and at most so many.
_EPOCH_STEPS, _BATCH = 40, (16, 64)
# Objects in larger photographs differ in size; of small images a part seen larger is a blur.
_ZOOMED_FROM, _ZOOM = 48, 0.8


def prepare_images(origin: Origin, config: ImagesOptions) -> Run:
    """Read images, hold some out where the data does not, and build what is to be trained.

    Raises DataError and UsageError as the data room does; nothing has been trained or written.
    """
    notes: list[str] = []
    with about(origin.data):
        train, held, test, target, form = _read(origin, config, notes)
    manual_seed(config.seed)
    config, reason = _resolved(config, train, form, target, notes)
    assert config.batch_size is not None
    truth = codes_of(train, target)
    mean, scale, shares = 0.0, 1.0, np.zeros(0)
    if target.task == "regression":
        mean, scale = float(truth.mean()), float(truth.std()) or 1.0
    else:
        shares = np.bincount(truth, minlength=len(target.classes)) / len(truth)
    pixel_mean, pixel_std = pixel_statistics(train)
    model = ImagesModel.build(
        form,
        target,
        shares,
        config,
        pixel_mean=pixel_mean,
        pixel_std=pixel_std,
        mean=mean,
        scale=scale,
        notes=tuple(notes),
    )

    def source(images: ImageSet) -> Source:
        codes = codes_of(images, target)
        if target.task == "regression":
            codes = ((codes - mean) / scale).astype(np.float32)
        if in_memory(images.pixels):
            return Rows((images.pixels[:],), codes)
        return Streamed(images, codes)

    rows: Source = source(train)
    if config.mixup:
        rows = Mixed(rows, config.mixup, len(target.classes))
    trainer = one_cycle_trainer(
        model.network,
        model.objective(config.label_smoothing),
        config,
        rows.steps(config.batch_size),
    )
    size = sum(parameter.numel() for parameter in model.network.parameters())
    introduction = f"the {config.model} for images ({size:,} weights{reason})"
    return Run(model, trainer, config, rows, source(held), held, notes, introduction, test)


def _read(
    origin: Origin, config: ImagesOptions, notes: list[str]
) -> tuple[ImageSet, ImageSet, ImageSet | None, Target, PixelFormat]:
    """The images to train on, to stop by and to be judged on, what they show and their form."""
    parts = read_parts(Path(origin.data), config.image, config.target, notes)
    form = format_of(parts["train"], config.image_size)
    train = to_set(parts["train"], form, config.broken, notes)
    target = judge_labels(train, config.target if train.frame is not None else None, config.task)
    train = with_labels(train, target, notes)

    def part(name: str, path: str | None) -> ImageSet | None:
        """Another part of the data, or the images at `path`."""
        found = parts.get(name)
        if path is not None:
            with about(path):
                others = read_parts(Path(path), config.image, config.target, notes)
            found = others.get("test", others["train"])
        if found is None:
            return None
        with about(found.source):
            images = with_labels(to_set(found, form, config.broken, notes), target, notes)
            codes_of(images, target)  # refuses classes that are not to be learned
        return images

    fraction = share(origin.test)
    test = part("test", origin.test) if fraction is None else None
    if fraction is not None:
        train, test = _split(train, fraction, config.seed, target, notes)
    held = part("valid", origin.valid)
    if held is None:
        train, held = _split(train, config.held_share(), config.seed, target, notes)
    return train, held, test, target, form


def _split(
    images: ImageSet, fraction: float, seed: int, target: Target, notes: list[str]
) -> tuple[ImageSet, ImageSet]:
    codes = codes_of(images, target) if target.task == "classification" else None
    kept, held = split_rows(len(images), fraction, seed, codes, notes)
    return images.take(kept), images.take(held)


def _resolved(
    config: ImagesOptions, train: ImageSet, form: PixelFormat, target: Target, notes: list[str]
) -> tuple[ImagesOptions, str]:
    """`config` with what it leaves open decided, and why the model was picked."""
    model, reason = config.model, ""
    if model == "auto":
        model, why = _picked(form)
        reason = f", picked since {why}"
    ARCHITECTURES.find(model)
    if config.mixup and target.task == "regression":
        raise UsageError("mixup mixes classes; to learn numbers leave it out.")
    flip = config.flip
    if flip is None:
        flip, why = _may_flip(train, form, target)
        notes.append(
            f"In training images are {'' if flip else 'not '}mirrored left to right, since {why}; "
            f"to change that, --set flip={'false' if flip else 'true'}."
        )
    crop = config.crop
    if crop is None:
        crop = _ZOOM if form.channels > 1 and max(form.height, form.width) >= _ZOOMED_FROM else 1.0
    batch_size = config.batch_size or _within(
        _BATCH, 2 ** round(math.log2(len(train) / _EPOCH_STEPS))
    )
    batch_size = min(batch_size, len(train))
    epochs = config.epochs or _within(_EPOCHS, _STEPS // (len(train) // batch_size))
    resolved = config.replaced(
        model=model,
        flip=flip,
        crop=crop,
        batch_size=batch_size,
        epochs=epochs,
        patience=config.patience or epochs,
    )
    return resolved, reason


def _within(limits: tuple[int, int], number: float) -> int:
    low, high = limits
    return int(min(high, max(low, number)))


def _picked(form: PixelFormat) -> tuple[str, str]:
    """The architecture for images of this form, and why."""
    if min(form.height, form.width) < 8:
        return "mlp", f"images of {form.height}×{form.width} are too small for convolutions"
    if form.channels == 1 and max(form.height, form.width) <= 32:
        return "cnn", "the images are small and grey"
    return "resnet", "the images are in colour" if form.channels > 1 else "the images are large"


def _may_flip(train: ImageSet, form: PixelFormat, target: Target) -> tuple[bool, str]:
    """Whether a mirrored image still shows the same, and why that is thought.

    Letters and digits do not, which small grey images often are, and classes whose folders or cells
    hold a single letter or digit. (In an array they are the numbers of classes.)
    """
    if form.channels == 1:
        return False, "grey images may be of letters or digits"
    if train.are_files and target.classes and max(map(len, target.classes)) == 1:
        return False, "the classes are named as letters or digits are"
    return True, "they are in colour"
