"""Images by the command: trained on, measured and predicted, as folders, tables and arrays."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.command import Command, Result

from retrograd.data import images

QUICK = ("--epochs", "12", "--set", "shift=0.05", "--seed", "1")


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def draw(kind: str, rng: np.random.Generator) -> np.ndarray:
    """uint8 (8, 8): a bright row or column on a dark, noisy ground."""
    image = rng.integers(0, 40, (8, 8))
    place = rng.integers(1, 7)
    image[(place, slice(None)) if kind == "row" else (slice(None), place)] += 200
    return image.astype(np.uint8)


def write_folder(folder: Path, each: int, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    for kind in ("column", "row"):
        (folder / kind).mkdir(parents=True)
        for number in range(each):
            Image.fromarray(draw(kind, rng)).save(folder / kind / f"{number:03}.png")
    return folder


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def done(result: Result) -> Result:
    assert result.code == 0, result.out + result.err
    return result


def test_a_folder_of_classes_is_learned_measured_and_predicted(
    tmp_path: Path, retrograd: Command
) -> None:
    data = tmp_path / "lines"
    write_folder(data / "train", 60, 0)
    write_folder(data / "test", 20, 1)
    (data / "train" / "row" / "000.png").write_bytes(b"no image")
    said = done(retrograd("train", data, "--out", "run", *QUICK)).out
    assert "1 of 120 images cannot be read" in said
    assert "000.png: not an image" in said
    assert "the cnn for images" in said
    assert "picked because the images are small and gray" in said
    assert "not mirrored left to right" in said
    assert "On the 40 rows never seen in training" in said

    scores = json.loads(done(retrograd("evaluate", "run", data, "--json")).out)
    assert scores["rows"] == 40
    assert scores["metrics"]["accuracy"] > 0.9
    saved = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert saved["test"] == {key: scores[key] for key in saved["test"]}
    assert (scores["trained_on"], scores["stopped_by"]) == (0, 0)

    done(retrograd("predict", "run", data / "test", "--out", "out.csv"))
    rows = rows_of((tmp_path / "out.csv").read_text())
    assert list(rows[0]) == ["path", "probability_column", "probability_row", "prediction"]
    assert [row["path"] for row in rows[:2]] == ["column/000.png", "column/001.png"]
    right = [row["prediction"] == row["path"].split("/")[0] for row in rows]
    assert np.mean(right) == pytest.approx(scores["metrics"]["accuracy"])
    for row in rows:
        column, other = float(row["probability_column"]), float(row["probability_row"])
        assert column + other == pytest.approx(1, abs=1e-5)
        assert (row["prediction"] == "row") == (other > column)

    (one,) = rows_of(done(retrograd("predict", "run", data / "test" / "row" / "003.png")).out)
    assert one["prediction"] == rows[23]["prediction"]


def test_a_table_of_paths_is_learned_and_keeps_its_columns(
    tmp_path: Path, retrograd: Command
) -> None:
    write_folder(tmp_path / "pictures", 40, 0)
    lines = ["file,number,shape"]
    for number, path in enumerate(sorted((tmp_path / "pictures").rglob("*.png"))):
        lines.append(f"{path.relative_to(tmp_path)},{number},{path.parent.name}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    options = ("--model", "mlp", *QUICK)
    done(retrograd("train", "table.csv", "--target", "shape", "--out", "run", *options))
    done(retrograd("predict", "run", "table.csv", "--out", "out.csv"))
    rows = rows_of((tmp_path / "out.csv").read_text())
    assert list(rows[0])[:3] == ["file", "number", "shape"]
    assert [row["number"] for row in rows] == [str(number) for number in range(80)]
    assert np.mean([row["prediction"] == row["shape"] for row in rows]) > 0.9
    assert retrograd("evaluate", "run", "table.csv", "--json").code == 0

    wrong = retrograd("train", "table.csv", "--out", "other")
    assert wrong.code == 2
    assert "--target" in wrong.err
    assert not (tmp_path / "other").exists()


def test_numbers_can_be_learned_from_images(tmp_path: Path, retrograd: Command) -> None:
    rng = np.random.default_rng(0)
    lines = ["file,light"]
    for number in range(120):
        light = rng.uniform(20, 200)
        pixels = np.clip(light + rng.normal(0, 20, (8, 8)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{light:.3f}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    options = ("--epochs", "20", "--set", "shift=0")
    done(retrograd("train", "table.csv", "--target", "light", "--out", "run", *options))
    scores = json.loads(done(retrograd("evaluate", "run", "table.csv", "--json")).out)
    assert scores["metrics"]["r2"] > 0.8


def test_arrays_are_learned_measured_and_predicted(tmp_path: Path, retrograd: Command) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 160)
    x = np.stack([draw(("column", "row")[code], rng) for code in y])
    np.savez(tmp_path / "a.npz", x_train=x[:120], y_train=y[:120], x_test=x[120:], y_test=y[120:])
    options = ("--model", "mlp", "--set", "mixup=0.2", "--set", "cutout=0.2", *QUICK)
    said = done(retrograd("train", "a.npz", "--out", "run", *options)).out
    assert "the mlp for images" in said
    scores = json.loads(done(retrograd("evaluate", "run", "a.npz", "--json")).out)
    assert scores["rows"] == 40
    assert scores["metrics"]["accuracy"] > 0.8
    shares = (x[120:] / 255 * 8).astype(np.uint8)
    np.savez(tmp_path / "bright.npz", x=255 - shares, y=y[120:])
    warned = done(retrograd("predict", "run", "bright.npz")).err
    assert "in different units, the predictions mean little" in warned
    predicted = done(retrograd("predict", "run", "a.npz"))
    assert "another unit" not in predicted.err
    rows = rows_of(predicted.out)
    assert list(rows[0]) == ["image", "probability_0", "probability_1", "prediction"]
    assert [row["image"] for row in rows] == [str(number) for number in range(1, 41)]


def test_a_stream_trains_to_the_same_weights_as_memory(
    tmp_path: Path, retrograd: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_folder(tmp_path / "lines", 40, 0)
    options = ("--epochs", "2", "--model", "mlp", "--seed", "1")
    done(retrograd("train", data, "--out", "a", *options))
    monkeypatch.setattr(images.sets, "MEMORY_BYTES", 100)
    done(retrograd("train", data, "--out", "b", *options))
    first, second = (
        [json.loads(line) for line in (tmp_path / run / "metrics.jsonl").read_text().splitlines()]
        for run in "ab"
    )
    for one, other in zip(first, second, strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=1e-5)
        assert one["validation_loss"] == pytest.approx(other["validation_loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model", "resnt"), "Unknown model 'resnt' for images. Did you mean resnet?"),
        (("--set", "flip=perhaps"), "flip is 'perhaps'; expected true or false"),
        (("--set", "crop=0"), "crop is 0.0; expected a number from 0.05 to 1"),
        (("--set", "zoom=2"), "no option 'zoom'"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    tmp_path: Path, retrograd: Command, options: tuple[str, ...], message: str
) -> None:
    write_folder(tmp_path / "lines", 3, 0)
    result = retrograd("train", "lines", "--out", "run", *options)
    assert result.code == 2
    assert message in result.err
    assert not (tmp_path / "run").exists()


def test_a_folder_of_nothing_is_refused(tmp_path: Path, retrograd: Command) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    result = retrograd("train", "empty")
    assert result.code == 2
    assert "empty holds nothing that can be learned from" in result.err


def test_too_many_broken_images_are_an_error(tmp_path: Path, retrograd: Command) -> None:
    data = write_folder(tmp_path / "lines", 20, 0)
    for number in range(5):
        (data / "row" / f"{number:03}.png").write_bytes(b"no image")
    result = retrograd("train", data, "--out", "run")
    assert result.code == 2
    assert "5 of 40 images cannot be read; expected at most 4" in result.err
    assert "allow more with --set broken=SHARE" in result.err
    assert not (tmp_path / "run").exists()


def test_models_are_listed(retrograd: Command) -> None:
    said = done(retrograd("models")).out
    for name in ("mlp", "cnn", "resnet", "table"):
        assert name in said
    listed = json.loads(done(retrograd("models", "--json")).out)["models"]
    assert {"name", "kind", "summary"} == set(listed[0])
