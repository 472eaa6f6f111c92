"""What every kind of run promises, for each kind; see `support.check_kind`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support.check_kind import Case, Trained
from support.small_tables import houses

from retrograd.data import write_table
from retrograd.kinds.base.kind import DataSpec
from retrograd.kinds.forecast.data import ForecastData
from retrograd.kinds.images.data import ImagesData
from retrograd.kinds.language.data import TextData
from retrograd.kinds.registry import KINDS
from retrograd.kinds.signals.data import Signals
from retrograd.kinds.table.data import TableData

SMALL = {"width": 8, "depth": 1, "members": 2, "bins": 4, "batch_size": 16}


def without_some_targets(table: pa.Table, target: str) -> pa.Table:
    """The table with three rows whose target is missing."""
    is_there = pa.array(np.arange(table.num_rows) >= 3)
    place = table.column_names.index(target)
    missing = pa.nulls(table.num_rows, table[target].type)
    return table.set_column(place, target, pc.if_else(is_there, table[target], missing))


def with_other_cells(data: TableData) -> TableData:
    """Numbers a thousandfold; of other columns, and of classes, the first cell throughout."""
    columns = {}
    table, target = data.frame.to_native(), data.schema.target
    for name, column in zip(table.column_names, table.itercolumns(), strict=True):
        cells = column.to_pylist()
        try:
            columns[name] = [str(1000 * float(cell)) for cell in cells]
        except ValueError:
            columns[name] = [cells[0]] * len(cells)
    if target.classes:
        columns[target.name] = [table[target.name][0].as_py()] * len(table)
    return replace(data, frame=nw.from_native(pa.table(columns), eager_only=True))


def reviews() -> pa.Table:
    """Texts of one of two verdicts, eight words each."""
    rng = np.random.default_rng(1)
    code = rng.integers(0, 2, 140)
    texts = [
        f"a {['dull', 'lovely'][c]} film about the sea number {n}"
        for c, n in zip(code, rng.integers(0, 999, 140), strict=True)
    ]
    return pa.table({"review": texts, "verdict": np.array(["bad", "good"])[code].tolist()})


def in_a_file(table: pa.Table, **spec: Any) -> Any:
    def write(folder: Path) -> DataSpec:
        write_table(table, folder / "data.csv")
        return DataSpec(folder / "data.csv", **spec)

    return write


def numbers() -> tuple[np.ndarray, np.ndarray]:
    """The sign of a sum of three columns; the fourth is always the same."""
    x = np.random.default_rng(2).normal(size=(90, 4))
    x[:, 3] = 7
    return x, (x[:, :3] @ [1.0, -2.0, 0.5] > 0).astype(np.int64)


def numbers_in_columns() -> pa.Table:
    x, y = numbers()
    return pa.table({**{f"x{place}": x[:, place] for place in range(4)}, "y": y})


def arrays_in_a_file(arrays: dict[str, np.ndarray], **spec: Any) -> Any:
    def write(folder: Path) -> DataSpec:
        np.savez(folder / "data.npz", **arrays)
        return DataSpec(folder / "data.npz", **spec)

    return write


def pulses() -> dict[str, np.ndarray]:
    """Signals (60, 2, 12) that rise or fall, and an array that is neither examples nor labels."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 60)
    slope = np.linspace(-1, 1, 12) * (2 * y[:, None, None] - 1)
    x = 5 + slope + rng.normal(0, 0.2, (60, 2, 12))
    return {"x": x, "y": np.array(["falls", "rises"])[y], "time": np.arange(12)}


def with_other_signals(data: Signals) -> Signals:
    return replace(data, x=-100 * data.x, codes=np.zeros_like(data.codes))


def pictures() -> dict[str, np.ndarray]:
    """Bytes (60, 8, 8, 3) of which the left half or the right one is bright."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 60)
    x = rng.integers(0, 60, (60, 8, 8, 3))
    for image, side in zip(x, y, strict=True):
        image[:, 4 * side : 4 * side + 4] += 150
    return {"x": x.astype(np.uint8), "y": y}


def with_other_images(data: ImagesData) -> ImagesData:
    images = data.images
    labels = pa.array([images.labels[0].as_py()] * len(images))
    return replace(data, images=replace(images, pixels=255 - images.pixels[:], labels=labels))


def tides() -> pa.Table:
    """Two hundred hours that repeat after twelve, one of them missing."""
    hours = np.arange(200)
    level = np.sin(2 * np.pi * hours / 12) + np.random.default_rng(5).normal(0, 0.1, 200)
    level[20] = np.nan
    return pa.table({"level": pa.array(level, from_pandas=True)})


def with_other_values(data: ForecastData) -> ForecastData:
    """What is to be forecast is another series; what lies before is as it was."""
    values = data.series.values.copy()
    values[data.begin :] *= -50
    return replace(data, series=replace(data.series, values=values))


def shanty() -> list[str]:
    """Lines of a song, the last ones with a letter that no other has."""
    return ["haul away the bowline", "haul away the rope"] * 12 + ["zzz haul away"] * 4


def in_a_text_file(lines: list[str], **spec: Any) -> Any:
    def write(folder: Path) -> DataSpec:
        (folder / "song.txt").write_text("\n".join(lines))
        return DataSpec(folder / "song.txt", **spec)

    return write


def with_other_text(data: TextData) -> TextData:
    return TextData(data.text[::-1] + data.text[:1])


HOUSES = without_some_targets(houses(), "price")
CASES = {
    "a regression on a table": Case(
        "table",
        in_a_file(HOUSES, validation=0.2, test=0.25),
        lambda: DataSpec(HOUSES, validation=0.2, test=0.25),
        {"target": "price", **SMALL},
        with_other_cells,
        says="have no value in the target 'price'",
    ),
    "a table of a pair of arrays": Case(
        "table",
        in_a_file(numbers_in_columns()),
        lambda: DataSpec(numbers()),
        {"target": "y", **SMALL},
        with_other_cells,
        says="Left out as constant (they never change): x3",
    ),
    "a table with free text": Case(
        "text",
        in_a_file(reviews(), test=0.2),
        lambda: DataSpec(reviews(), test=0.2),
        {"target": "verdict", "max_tokens": 6, **SMALL},
        with_other_cells,
        says="of more than 6 tokens, which is cut",
    ),
    "signals": Case(
        "signals",
        arrays_in_a_file(pulses(), test=0.2),
        lambda: DataSpec(pulses(), test=0.2),
        {"model": "gru", "batch_size": 16},
        with_other_signals,
        says="Not used: 'time'",
    ),
    "images": Case(
        "images",
        arrays_in_a_file(pictures(), test=0.2),
        lambda: DataSpec(pictures(), test=0.2),
        {"model": "mlp", "batch_size": 16},
        with_other_images,
        says="mirrored left to right",
    ),
    "a forecast": Case(
        "forecast",
        in_a_file(tides(), test=0.2),
        lambda: DataSpec(tides(), test=0.2),
        {"target": "level", "width": 8, "horizon": 3, "context": 12, "batch_size": 16},
        with_other_values,
        says="1 missing value of 'level'",
        task="forecast",
    ),
    "a language": Case(
        "language-model",
        in_a_text_file(shanty(), test=0.1),
        lambda: DataSpec({"text": shanty()}, test=0.1),
        {"width": 8, "depth": 1, "context": 8, "batch_size": 8},
        with_other_text,
        says="not in the training text",
        task="language-model",
    ),
}


@pytest.fixture(scope="module", params=CASES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(CASES[request.param], tmp_path_factory.mktemp("data"))


def test_a_seed_makes_one_run(trained: Trained) -> None:
    trained.check_same_seed_same_run()


def test_a_run_resumes_as_if_it_had_never_stopped(trained: Trained) -> None:
    trained.check_resumes_as_if_never_stopped()


def test_a_saved_model_predicts_the_same(trained: Trained) -> None:
    trained.check_saved_and_loaded_predicts_the_same()


def test_only_training_rows_are_measured(trained: Trained) -> None:
    trained.check_statistics_are_of_training_rows()


def test_predictions_stand_in_the_order_of_the_rows(trained: Trained) -> None:
    trained.check_rows_keep_their_order()


def test_rows_that_were_trained_on_are_recognized(trained: Trained) -> None:
    trained.check_known_rows_are_recognized()


def test_what_a_person_should_know_is_said(trained: Trained) -> None:
    trained.check_notes_are_said()


def test_data_in_memory_is_as_good_as_a_file(trained: Trained) -> None:
    trained.check_memory_equals_file()


def test_every_kind_is_checked() -> None:
    assert {case.kind for case in CASES.values()} == set(KINDS)
