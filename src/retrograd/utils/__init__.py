"""What surrounds training: `utils.data`, and gradient checkpointing."""

from retrograd.transforms import checkpoint
from retrograd.utils import data

__all__ = ["checkpoint", "data"]
