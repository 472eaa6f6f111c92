"""Image files to bytes of one shape, with Pillow."""

from __future__ import annotations

import os
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from retrograd.data.files import plain_reason
from retrograd.data.images.pixels import PixelFormat
from retrograd.errors import DataError

__all__ = ["decode_file", "infer_format", "memory_bytes", "open_image"]

Array = np.ndarray[Any, Any]

# What Pillow's readers raise on broken files, of which UnidentifiedImageError is an OSError.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
# Decoding an image, turning it upright and converting it hold this many copies of it at once, ...
_COPIES = 3
# ... and it may take that share of the machine's memory, since several are decoded side by side.
_MEMORY_SHARE = 1 / 8
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "LA": 4, "RGB": 4}
_OPENING = threading.Lock()
# Black drawings and white ones on a transparent background both stay visible on it.
_BEHIND_TRANSPARENT = 128
_PROBED = 256
_PROBED_AT = 64  # pixels a side


def open_image(path: Path, most: int | None = None) -> Image.Image:
    """The upright image in a file, its colors as 8-bit `L` or `RGB`.

    `most` is the longest side needed: a larger JPEG is decoded at up to twice that. Of 16 bits the
    upper 8 are kept, of an animation the first frame. Transparency becomes mid-gray. Raises
    DataError for a file that is broken or not an image, and for one that needs more than an eighth
    of the machine's memory, as a small file can that is made to.
    """
    try:
        with _without_warnings(), _opened(path) as image:
            if most is not None:
                image.draft(None, (2 * most, 2 * most))
            _refuse_vast(path, image)
            return _in_8_bits(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise DataError(f"{path}: not an image that can be read") from None
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except _BROKEN as error:
        reason = plain_reason(error) if isinstance(error, OSError) and error.errno else error
        raise DataError(f"{path}: {str(reason) or type(error).__name__}") from None


def _opened(path: Path) -> Image.Image:
    """An image of any size, of which the header alone has been read.

    Pillow's own limit of pixels would refuse honest scans, also where they are decoded smaller.
    """
    with _OPENING:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _refuse_vast(path: Path, image: Image.Image) -> None:
    needed = image.width * image.height * _PIXEL_BYTES.get(image.mode, 4) * _COPIES
    allowed = _MEMORY_SHARE * memory_bytes()
    if needed > allowed:
        size = f"{image.width:,}×{image.height:,}"
        raise DataError(
            f"{path}: {size} pixels would take {needed / 2**30:.3g} GB to decode; an image may "
            f"take {allowed / 2**30:.3g} GB on this machine, so save it smaller"
        )


def memory_bytes() -> int:
    """The machine's memory; 8 GB where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 8 << 30


def probe(path: Path) -> tuple[int, int, bool]:
    """The height and width of the upright image in a file, and whether any pixel is not gray.

    Raises DataError as `open_image` does.
    """
    upright = open_image(path, _PROBED_AT)
    try:
        with _without_warnings(), _opened(path) as image:
            width, height = image.size
    except _BROKEN as error:
        raise DataError(f"{path}: {error}") from None
    if (upright.width > upright.height) != (width > height):
        width, height = height, width
    if upright.mode == "L":
        return height, width, False
    red, green, blue = np.moveaxis(np.asarray(upright), 2, 0)
    return height, width, bool((red != green).any() or (green != blue).any())


def infer_format(paths: Sequence[Path], most: int) -> PixelFormat:
    """The format to convert images to: the median height and width, scaled down to at most `most`.

    Judged by up to 256 of the files, evenly spaced; gray if all of their pixels are. Raises
    DataError if none of them can be read.
    """
    chosen = sorted({*np.linspace(0, len(paths) - 1, min(len(paths), _PROBED)).astype(int)})
    found = []
    reason = ""
    for place in chosen:
        try:
            found.append(probe(paths[place]))
        except DataError as error:
            reason = reason or str(error)
    if not found:
        raise DataError(f"None of {len(chosen):,} image files can be read. The first: {reason}.")
    heights, widths, colors = zip(*found, strict=True)
    height, width = float(np.median(heights)), float(np.median(widths))
    scale = min(1.0, most / max(height, width))
    return PixelFormat(
        3 if any(colors) else 1, max(1, round(height * scale)), max(1, round(width * scale))
    )


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Ignore Pillow's warnings about odd metadata."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _in_8_bits(image: Image.Image) -> Image.Image:
    mode = image.mode
    if mode.startswith("I"):  # 16 bits, or 32 that hold 16 or 8
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise ValueError("gray values beyond 16 bits")
        is_16_bits = mode != "I" or values.max() > 0xFF
        return Image.fromarray((values >> 8 if is_16_bits else values).astype(np.uint8))
    if mode == "F":
        raise ValueError("gray values that are not whole numbers")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        behind = Image.new("RGBA", image.size, (*(_BEHIND_TRANSPARENT,) * 3, 255))
        flat = Image.alpha_composite(behind, image).convert("RGB")
        return flat.convert("L") if mode in ("LA", "La", "L", "1") else flat
    return image.convert("L" if mode in ("1", "L") else "RGB")


def decode_file(path: Path, form: PixelFormat) -> Array:
    """uint8 (channels, height, width): scaled to cover the format, then cropped to its center.

    Raises DataError for a file that is broken or not an image.
    """
    image = open_image(path, max(form.height, form.width))
    image = image.convert("L" if form.channels == 1 else "RGB")
    size = (form.width, form.height)
    if image.size != size:
        image = ImageOps.fit(image, size, Image.Resampling.BILINEAR, centering=(0.5, 0.5))
    pixels = np.asarray(image)
    return pixels[None] if form.channels == 1 else pixels.transpose(2, 0, 1)
