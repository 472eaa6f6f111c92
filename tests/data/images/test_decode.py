"""Every kind of image file becomes the same pixels; a broken one is refused with its path."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrograd.data.images import PixelFormat, decode
from retrograd.data.images.decode import decode_file, infer_format, open_image
from retrograd.data.images.workers import decode_files
from retrograd.errors import DataError

GRAY, COLOR = PixelFormat(1, 5, 7), PixelFormat(3, 5, 7)


@pytest.fixture
def values(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (5, 7, 4), np.uint8)


def write_png_of_16_bits(path: Path, values: np.ndarray) -> None:
    """A PNG written by hand from its specification: uint16 (height, width, 3)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    height, width, _ = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".bmp"])
def test_lossless_colors_come_back_channels_first(
    values: np.ndarray, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    options = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(values[:, :, :3]).save(path, **options)
    np.testing.assert_array_equal(decode_file(path, COLOR), values[:, :, :3].transpose(2, 0, 1))


def test_grey_comes_back_as_it_is_and_as_three_equal_channels(
    values: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(values[:, :, 0]).save(path)
    np.testing.assert_array_equal(decode_file(path, GRAY), values[None, :, :, 0])
    np.testing.assert_array_equal(decode_file(path, COLOR), [values[:, :, 0]] * 3)


def test_a_jpeg_is_within_its_own_error(tmp_path: Path) -> None:
    smooth = np.linspace(0, 255, 64).reshape(8, 8).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    found = decode_file(tmp_path / "a.jpg", PixelFormat(1, 8, 8))
    assert np.abs(found[0].astype(int) - smooth).max() <= 6


def test_16_bits_keep_their_upper_8(rng: np.random.Generator, tmp_path: Path) -> None:
    gray = rng.integers(0, 1 << 16, (5, 7)).astype(np.uint16)
    color = rng.integers(0, 1 << 16, (5, 7, 3)).astype(np.uint16)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    write_png_of_16_bits(tmp_path / "color.png", color)
    np.testing.assert_array_equal(decode_file(tmp_path / "gray.png", GRAY)[0], gray // 256)
    np.testing.assert_array_equal(
        decode_file(tmp_path / "color.png", COLOR), color.transpose(2, 0, 1) // 256
    )


def test_bytes_in_32_bits_are_not_shifted_to_zero(values: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(values[:, :, 0].astype(np.int32)).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(decode_file(tmp_path / "a.tif", GRAY)[0], values[:, :, 0])


def test_transparency_shows_mid_grey(values: np.ndarray, tmp_path: Path) -> None:
    values[0, :, 3], values[1, :, 3] = 0, 255
    Image.fromarray(values).save(tmp_path / "a.png")
    found = decode_file(tmp_path / "a.png", COLOR).transpose(1, 2, 0)
    alpha = values[:, :, 3:] / 255
    np.testing.assert_allclose(found, values[:, :, :3] * alpha + 128 * (1 - alpha), atol=1.01)
    np.testing.assert_array_equal(found[0], 128)
    np.testing.assert_array_equal(found[1], values[1, :, :3])


def test_inks_and_palettes_are_colors(values: np.ndarray, tmp_path: Path) -> None:
    inks = Image.fromarray(values, "CMYK")
    inks.save(tmp_path / "inks.tif")
    rgb = 255 - np.minimum(values[:, :, :3].astype(int) + values[:, :, 3:], 255)
    by_formula = (255 - values[:, :, :3]) * ((255 - values[:, :, 3:]) / 255)
    found = decode_file(tmp_path / "inks.tif", COLOR).transpose(1, 2, 0)
    assert min(np.abs(found - rgb).max(), np.abs(found - by_formula).max()) <= 1
    palette = Image.fromarray(values[:, :, 0] % 4, "P")
    colors = [(0, 0, 0), (255, 0, 0), (9, 99, 199), (255, 255, 255)]
    palette.putpalette(np.array(colors).ravel().tolist())
    palette.save(tmp_path / "palette.png")
    expected = np.array(colors)[values[:, :, 0] % 4]
    found = decode_file(tmp_path / "palette.png", COLOR).transpose(1, 2, 0)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_of_an_animation_the_first_frame_is_read(tmp_path: Path, suffix: str) -> None:
    first, second = Image.new("RGB", (7, 5), (255, 0, 0)), Image.new("RGB", (7, 5), (0, 0, 255))
    options = {"lossless": True} if suffix == ".webp" else {}
    first.save(tmp_path / f"a{suffix}", save_all=True, append_images=[second], **options)
    found = decode_file(tmp_path / f"a{suffix}", COLOR)
    np.testing.assert_array_equal(found[:, 2, 3], [255, 0, 0])


def test_a_scan_larger_than_pillows_limit_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (300, 200), 90).save(tmp_path / "scan.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    np.testing.assert_array_equal(decode_file(tmp_path / "scan.png", GRAY), 90)
    assert infer_format([tmp_path / "scan.png"], 30) == PixelFormat(1, 20, 30)
    assert Image.MAX_IMAGE_PIXELS == 1000  # others' limit stays


def test_an_image_that_would_fill_the_memory_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("1", (30_000, 20_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 1e6
    monkeypatch.setattr(decode, "memory_bytes", lambda: 8 << 30)
    message = r"bomb\.png: 30,000×20,000 pixels would take 1\.68 GB to decode; .* 1 GB"
    with pytest.raises(DataError, match=message):
        decode_file(tmp_path / "bomb.png", GRAY)


def test_a_large_jpeg_is_decoded_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (4000, 2000), 90).save(tmp_path / "a.jpg")
    needed = 3 * (4000 // 8) * (2000 // 8)
    monkeypatch.setattr(decode, "memory_bytes", lambda: 8 * needed)
    np.testing.assert_allclose(decode_file(tmp_path / "a.jpg", GRAY), 90, atol=1)
    monkeypatch.setattr(decode, "memory_bytes", lambda: 8 * needed - 8)
    with pytest.raises(DataError, match="save it smaller"):
        decode_file(tmp_path / "a.jpg", GRAY)


@pytest.mark.parametrize(
    ("orientation", "upright"),  # EXIF 2.32, table 6: where the 0th row and column are seen
    [
        (1, lambda x: x),
        (2, np.fliplr),
        (3, lambda x: np.rot90(x, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda x: np.rot90(x, -1)),
        (7, lambda x: np.rot90(x.T, 2)),
        (8, np.rot90),
    ],
)
def test_images_are_turned_upright(
    values: np.ndarray, tmp_path: Path, orientation: int, upright: object
) -> None:
    image = Image.fromarray(values[:, :, 0])
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(
        np.asarray(open_image(tmp_path / "a.png")), upright(values[:, :, 0])
    )


def test_another_shape_is_covered_and_cut_around_the_middle(tmp_path: Path) -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 200
    Image.fromarray(wide).save(tmp_path / "a.png")
    np.testing.assert_array_equal(decode_file(tmp_path / "a.png", PixelFormat(1, 10, 10)), 200)


def test_the_form_is_the_median_size_within_the_limit(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    paths = []
    for number, size in enumerate([(100, 40), (200, 80), (400, 160)]):
        path = tmp_path / f"{number}.png"
        gray = rng.integers(0, 256, (size[1], size[0]), np.uint8)
        Image.fromarray(gray).convert("RGB").save(path)
        paths.append(path)
    assert infer_format(paths, 64) == PixelFormat(1, 26, 64)  # 80×200, at 64/200
    assert infer_format(paths, 1000) == PixelFormat(1, 80, 200)
    Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8)).save(tmp_path / "c.png")
    assert infer_format([*paths, tmp_path / "c.png"], 64).channels == 3


def test_the_form_looks_at_upright_sizes(tmp_path: Path) -> None:
    image = Image.fromarray(np.zeros((20, 10), np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    assert infer_format([tmp_path / "a.png"], 64) == PixelFormat(1, 10, 20)


def test_a_broken_file_is_refused_with_its_path(values: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(values).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    for number, contents in enumerate([b"", b"no image", whole[:60], whole[: len(whole) // 2]]):
        path = tmp_path / f"broken-{number}.png"
        path.write_bytes(contents)
        with pytest.raises(DataError, match=f"broken-{number}.png"):
            decode_file(path, COLOR)
    with pytest.raises(DataError, match=r"missing\.png: no such file"):
        decode_file(tmp_path / "missing.png", COLOR)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".tif"])
def test_whatever_is_wrong_with_a_file_is_said(
    rng: np.random.Generator, tmp_path: Path, suffix: str
) -> None:
    Image.fromarray(rng.integers(0, 256, (9, 9), np.uint8)).save(tmp_path / f"a{suffix}")
    whole = (tmp_path / f"a{suffix}").read_bytes()
    path = tmp_path / f"b{suffix}"
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged[: rng.integers(1, len(damaged) + 1)])
        (chunk,) = decode_files([path], COLOR)
        assert chunk.pixels.shape == (1, *COLOR.shape)
        assert all(str(path) in reason for reason in chunk.broken.values())


def test_many_files_are_decoded_by_processes_in_their_order(tmp_path: Path) -> None:
    paths = []
    for number in range(600):
        path = tmp_path / f"{number}.png"
        if number == 70:
            path.write_bytes(b"no image")
        else:
            Image.fromarray(np.full((2, 2), number % 251, np.uint8)).save(path)
        paths.append(path)
    chunks = list(decode_files(paths, PixelFormat(1, 2, 2)))
    found = np.concatenate([chunk.pixels for chunk in chunks])[:, 0, 0, 0]
    expected = np.arange(600) % 251
    np.testing.assert_array_equal(np.delete(found, 70), np.delete(expected, 70))
    assert [list(chunk.broken) for chunk in chunks[:3]] == [[], [6], []]
    assert "70.png" in chunks[1].broken[6]
