"""The run folder: everything that a training run leaves behind, and nothing that can run code."""

from retrograd.artifact.folder import RunFolder
from retrograd.artifact.log import RunLog

__all__ = ["RunFolder", "RunLog"]
