"""The functions that make tensors, with PyTorch's names and arguments."""

# A star takes what the file lists in `__all__`.
# ruff: noqa: F403

from typing import TYPE_CHECKING

from retrograd.creation.randoms import *
from retrograd.creation.values import *

if not TYPE_CHECKING:  # what checks types reads the stars, and cannot read this
    __all__ = sorted(name for name, value in dict(globals()).items() if callable(value))
