"""From arrays to a trained model: the loop, what it records, and when it stops."""

from retrograd.training.callbacks import Callback
from retrograd.training.history import Epoch, History, Verdict
from retrograd.training.loop import Trainer
from retrograd.training.sources import Rows, Source

__all__ = ["Callback", "Epoch", "History", "Rows", "Source", "Trainer", "Verdict"]
