"""The kinds of run: what each learns from, and how a run is made ready from files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrograd.data.images import holds_images
from retrograd.data.texts.folder import is_text_folder
from retrograd.errors import UsageError
from retrograd.kinds.base.fitted import FittedModel, Origin, Run
from retrograd.kinds.base.frame import TableOptions
from retrograd.kinds.forecast.model import ForecastModel, ForecastOptions, prepare_forecast
from retrograd.kinds.images.model import ImagesModel, ImagesOptions
from retrograd.kinds.images.prepare import prepare_images
from retrograd.kinds.language.model import LanguageModel, LanguageOptions, prepare_language
from retrograd.kinds.signals.model import (
    SignalsModel,
    SignalsOptions,
    holds_signals,
    prepare_signals,
)
from retrograd.kinds.table.files import prepare_table_files
from retrograd.kinds.table.model import TableModel
from retrograd.kinds.text.model import TextModel, TextOptions
from retrograd.training.options import Options

__all__ = ["KINDS", "Kind", "kind_of"]


@dataclass(frozen=True)
class Kind:
    """One kind of run: its options, its model, and how files become a run made ready.

    `task` is the --task that asks for it, `takes` whether a path is something only it learns from.
    `needs_target` says what to add to the command where a target column must be named.
    """

    config: type[Options]
    model: type[FittedModel]
    prepare: Callable[[Origin, Any], Run]
    takes: Callable[[Path], bool]
    task: str | None = None
    needs_target: bool = True


# The first that takes the data is meant, where the task does not say; a table is the last resort.
KINDS: dict[str, Kind] = {
    "language-model": Kind(
        LanguageOptions,
        LanguageModel,
        prepare_language,
        lambda path: False,
        task="language-model",
        needs_target=False,
    ),
    "forecast": Kind(
        ForecastOptions, ForecastModel, prepare_forecast, lambda path: False, task="forecast"
    ),
    "signals": Kind(
        SignalsOptions, SignalsModel, prepare_signals, holds_signals, needs_target=False
    ),
    "images": Kind(ImagesOptions, ImagesModel, prepare_images, holds_images, needs_target=False),
    # A table with columns of free text becomes one too; see `prepare_table`.
    "text": Kind(TextOptions, TextModel, prepare_table_files, is_text_folder, needs_target=False),
    "table": Kind(TableOptions, TableModel, prepare_table_files, lambda path: not path.is_dir()),
}


def kind_of(data: Path, task: str | None) -> str:
    """The kind of run that is meant by learning `task` from `data`.

    Raises UsageError for a folder or file that nothing learns from.
    """
    for name, kind in KINDS.items():
        if kind.task is not None and kind.task == task:
            return name
    for name, kind in KINDS.items():
        if kind.task is None and kind.takes(data):
            return name
    raise UsageError(
        f"{data} holds nothing that can be learned from; expected a table, an .npz file, or a "
        "folder with images or .txt files in a sub-folder for each class."
    )
