"""Pixels and labels from folders of classes, tables of paths, and IDX and NPZ arrays."""

from retrograd.data.images.pixels import PixelFormat
from retrograd.data.images.read import (
    Found,
    format_of,
    holds_images,
    read_examples_only,
    read_parts,
    to_set,
)
from retrograd.data.images.sets import ImageSet, in_memory, pixel_statistics

__all__ = [
    "Found",
    "ImageSet",
    "PixelFormat",
    "format_of",
    "holds_images",
    "in_memory",
    "pixel_statistics",
    "read_examples_only",
    "read_parts",
    "to_set",
]
