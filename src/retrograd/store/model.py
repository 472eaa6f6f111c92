"""A model, its options and its figures to a run folder and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.data.form import check, restored
from retrograd.errors import DataError
from retrograd.kinds.base.fitted import FittedModel
from retrograd.kinds.base.kind import Kind
from retrograd.kinds.registry import KINDS
from retrograd.store.folder import RunFolder
from retrograd.store.kept import why_not_kept
from retrograd.store.manifest import Manifest
from retrograd.store.names import FINDINGS, OPTIONS, PREPROCESSING, SCORES, WEIGHTS
from retrograd.training.options import Options
from retrograd.training.scores import Scores
from retrograd.wording import listed

__all__ = [
    "kind_in",
    "load_model",
    "load_options",
    "read_scores",
    "write_recipe",
    "write_scores",
]


def write_recipe(
    folder: RunFolder, options: Options, model: FittedModel, manifest: Manifest
) -> None:
    """Before training: the options, what else the model is, and what the run is.

    A run that is resumed keeps what was measured and noted at first; figures and findings of an
    earlier end no longer hold.
    """
    folder.stage_json(OPTIONS, options.to_json())
    if not folder.has(PREPROCESSING):
        folder.stage_json(PREPROCESSING, model.to_json())
    folder.drop(SCORES)
    folder.drop(FINDINGS)
    folder.write_manifest(manifest)


def write_scores(folder: RunFolder, scores: Mapping[str, Scores]) -> None:
    """Stage the figures of merit, by "validation" and "test"."""
    folder.stage_json(SCORES, {part: each.to_json() for part, each in scores.items()})


def read_scores(folder: RunFolder) -> dict[str, Scores]:
    """The figures of merit by the rows that they are of; none while the run has not ended."""
    if SCORES not in folder.manifest().files:
        return {}
    saved = folder.read_json(SCORES)
    for part, each in saved.items():
        check(Scores, each, f"{folder.path / SCORES}, {part},")
    return {part: restored(Scores, each) for part, each in saved.items()}


def kind_in(folder: RunFolder) -> Kind[Any, Any]:
    """The kind of a run; DataError for one that this version does not know."""
    name = folder.manifest().kind
    if name not in KINDS:
        raise DataError(
            f"{folder.path} holds a run of the kind {name!r}; expected {listed(KINDS)}. Use the "
            "Retrograd that wrote it."
        )
    return KINDS[name]


def load_options(folder: RunFolder) -> Options:
    """The resolved options of a run."""
    source = str(folder.path / OPTIONS)
    return kind_in(folder).options.from_json(folder.read_json(OPTIONS), source)


def load_model(folder: RunFolder) -> FittedModel:
    """The trained model of a run.

    Raises DataError if its files are missing (as they are of a run that kept no weights), damaged
    or disagree.
    """
    missing = why_not_kept(folder, WEIGHTS)
    if missing is not None:
        raise DataError(missing)
    weights = folder.read_arrays(WEIGHTS)
    options, preprocessing = load_options(folder), folder.read_json(PREPROCESSING)
    try:
        model = kind_in(folder).model.from_json(preprocessing, options)
    except MemoryError as error:
        raise DataError(
            f"The network that {OPTIONS} and {PREPROCESSING} in {folder.path} describe does not "
            "fit into memory."
        ) from error
    try:
        model.network.load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{folder.path / WEIGHTS} does not fit the network that {OPTIONS} and {PREPROCESSING} "
            f"describe: {error}"
        ) from error
    return model
