"""The run folder: everything that a training run leaves behind, and nothing that can run code."""

from retrograd.store.folder import RunFolder
from retrograd.store.kept import kept_epoch, why_not_kept
from retrograd.store.log import RunLog, read_history
from retrograd.store.manifest import Given, Manifest
from retrograd.store.model import (
    kind_in,
    load_model,
    load_options,
    read_scores,
    write_recipe,
    write_scores,
)

__all__ = [
    "Given",
    "Manifest",
    "RunFolder",
    "RunLog",
    "kept_epoch",
    "kind_in",
    "load_model",
    "load_options",
    "read_history",
    "read_scores",
    "why_not_kept",
    "write_recipe",
    "write_scores",
]
