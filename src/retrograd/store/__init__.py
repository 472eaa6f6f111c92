"""The run folder: everything that a training run leaves behind, and nothing that can run code."""

from retrograd.store.folder import RunFolder
from retrograd.store.kept import kept_epoch, why_not_kept
from retrograd.store.log import RunLog, read_epochs
from retrograd.store.model import (
    kind_in,
    load_config,
    load_model,
    write_recipe,
    write_scores,
)

__all__ = [
    "RunFolder",
    "RunLog",
    "kept_epoch",
    "kind_in",
    "load_config",
    "load_model",
    "read_epochs",
    "why_not_kept",
    "write_recipe",
    "write_scores",
]
