"""A trained table model to a run folder and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.artifact.folder import RunFolder
from retrograd.data import Preprocessor
from retrograd.errors import DataError
from retrograd.train.config import TrainConfig
from retrograd.train.scores import Scores
from retrograd.train.table import TableModel, TableRun

__all__ = ["load_config", "load_table_model", "write_recipe", "write_scores"]


def write_recipe(folder: RunFolder, run: TableRun, **facts: Any) -> None:
    """Before training: the options and the preprocessing. `facts` go into the manifest."""
    folder.write_json("config.json", run.config.to_json())
    folder.write_json(
        "preprocessing.json",
        {
            "preprocessor": run.model.preprocessor.to_json(),
            "class_shares": run.model.class_shares.tolist(),
        },
    )
    folder.write_manifest(**facts)


def write_scores(folder: RunFolder, scores: dict[str, Scores]) -> None:
    """After training: the figures of merit by the rows that they were measured on."""
    folder.write_json("scores.json", {name: each.to_json() for name, each in scores.items()})


def load_config(folder: RunFolder) -> TrainConfig:
    """The resolved options of a run."""
    return TrainConfig.from_json(folder.read_json("config.json"), str(folder.path / "config.json"))


def load_table_model(folder: RunFolder) -> TableModel:
    """The trained model of a run; DataError if its files are missing, damaged or disagree."""
    config = load_config(folder)
    saved = folder.read_json("preprocessing.json")
    preprocessor = Preprocessor.from_json(saved["preprocessor"])
    model = TableModel.build(preprocessor, config, np.asarray(saved["class_shares"], float))
    if (
        not (folder.path / "weights.safetensors").exists()
        and folder.manifest().get("verdict") is None
    ):
        raise DataError(
            f"The run in {folder.path} was cut off before it had weights worth keeping. Go on with "
            f"`retrograd train --resume {folder.path}`."
        )
    weights = folder.read_arrays("weights.safetensors")
    try:
        model.network.load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{folder.path / 'weights.safetensors'} does not fit the network that config.json and "
            f"preprocessing.json describe: {error}"
        ) from error
    return model
