"""A trained model to a run folder and back."""

from __future__ import annotations

from typing import Any

from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.fitted import FittedModel
from retrograd.kinds.base.kind import Kind, Prepared
from retrograd.kinds.registry import KINDS
from retrograd.store.folder import RunFolder
from retrograd.store.kept import why_not_kept
from retrograd.training.options import Options
from retrograd.training.scores import Scores
from retrograd.wording import listed

__all__ = ["kind_in", "load_config", "load_model", "write_recipe", "write_scores"]


def write_recipe(folder: RunFolder, run: Prepared[Any], **facts: Any) -> None:
    """Before training: the options and what else the model is. `facts` go into the manifest."""
    folder.write_json("config.json", run.options.to_options().to_json())
    folder.write_json("preprocessing.json", run.model.to_json())
    folder.write_manifest(**facts)


def write_scores(folder: RunFolder, scores: dict[str, Scores]) -> None:
    """After training: the figures of merit by the rows that they were measured on."""
    folder.write_json("scores.json", {name: each.to_json() for name, each in scores.items()})


def kind_in(folder: RunFolder) -> Kind[Any, Any]:
    """The kind of a run; DataError for one that this version does not know."""
    name = folder.manifest().get("kind", "table")
    if name not in KINDS:
        raise DataError(
            f"{folder.path} holds a run of the kind {name!r}; expected {listed(KINDS)}. Use the "
            "Retrograd that wrote it."
        )
    return KINDS[name]


def load_config(folder: RunFolder) -> Options:
    """The resolved options of a run."""
    source = str(folder.path / "config.json")
    return kind_in(folder).options.from_json(folder.read_json("config.json"), source)


def load_model(folder: RunFolder, kind: type[FittedModel] | None = None) -> Any:
    """The trained model of a run.

    Raises DataError if its files are missing (as they are of a run that kept no weights), damaged
    or disagree, UsageError if it is not of the `kind` that is asked for.
    """
    model_type = kind_in(folder).model
    if kind is not None and model_type is not kind:
        raise UsageError(
            f"{folder.path} is a run of the kind {model_type.kind!r}; this works for "
            f"{kind.kind!r} only."
        )
    config = load_config(folder)
    model = model_type.from_json(folder.read_json("preprocessing.json"), config)
    missing = why_not_kept(folder, "weights.safetensors")
    if missing is not None:
        raise DataError(missing)
    weights = folder.read_arrays("weights.safetensors")
    try:
        model.network.load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{folder.path / 'weights.safetensors'} does not fit the network that config.json and "
            f"preprocessing.json describe: {error}"
        ) from error
    return model
