"""From arrays to a trained model: the loop, what it records, and when it stops."""

from retrograd.train.callbacks import Callback
from retrograd.train.history import Epoch, History, Verdict
from retrograd.train.loop import Trainer
from retrograd.train.sources import Rows, Source

__all__ = ["Callback", "Epoch", "History", "Rows", "Source", "Trainer", "Verdict"]
