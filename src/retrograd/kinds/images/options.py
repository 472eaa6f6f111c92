"""The options for images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from retrograd.kinds.base.resolved import Resolved
from retrograd.training.options import Options

__all__ = ["ImagesOptions", "ResolvedImages"]


@dataclass(frozen=True, kw_only=True)
class ImagesOptions(Options):
    """The options for images: those of every run, and how images are read and augmented.

    `image` is a table's column of paths, `image_size` the longest side that image files are scaled
    down to, `broken` the share of files that may be unreadable (by default 1 %, or five files where
    that is at most a tenth). In training an image is shifted by up to the share `shift` of its
    sides, cropped to between `crop` and 1 of them, mirrored left to right (`flip`) and blanked in a
    square of the share `cutout`; `mixup` is the α of mixup, 0 for none. `label_smoothing` is the
    share of the probability that is spread over all classes.
    """

    image: str | None = None
    image_size: int = 64
    broken: float | None = None
    dropout: float = 0.2
    weight_decay: float = 0.02
    average: float = 0.99
    shift: float = 0.1
    crop: float | None = None
    flip: bool | None = None
    cutout: float = 0.0
    mixup: float = 0.0
    label_smoothing: float = 0.0

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Options.ranges,
        "image_size": (1, 4096),
        "broken": (0, 1),
        "shift": (0, 1),
        "crop": (0.05, 1),
        "cutout": (0, 1),
        "mixup": (0, 100),
        "label_smoothing": (0, 1),
    }

    resumable: ClassVar[frozenset[str]] = Options.resumable | {
        *("shift", "crop", "flip", "cutout", "mixup", "label_smoothing")
    }


@dataclass(frozen=True, kw_only=True)
class ResolvedImages(Resolved[ImagesOptions]):
    """With the augmentation that training uses."""

    crop: float
    flip: bool
