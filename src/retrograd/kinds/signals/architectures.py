"""The architectures for signals. To add one: its file in `models/`, and an entry here."""

from __future__ import annotations

from retrograd.kinds.base.architectures import Architecture, Architectures
from retrograd.models.signals.cnn import SignalCNN
from retrograd.models.signals.recurrent import SignalGRU, SignalLSTM

__all__ = ["ARCHITECTURES"]

ARCHITECTURES = Architectures(
    "signals",
    Architecture(
        "cnn",
        "Convolutions along time with batch normalization and pooling (Wang, Yan & Oates 2017).",
        SignalCNN,
    ),
    Architecture(
        "gru",
        "Bidirectional gated recurrent units along time (Cho et al. 2014).",
        SignalGRU,
    ),
    Architecture(
        "lstm",
        "Bidirectional long short-term memory along time (Hochreiter & Schmidhuber 1997).",
        SignalLSTM,
    ),
)
