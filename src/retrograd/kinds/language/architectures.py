"""The architectures for a language model. To add one: its file in `models/`, and an entry here."""

from __future__ import annotations

from retrograd.kinds.base.architectures import Architecture, Architectures
from retrograd.models.series.language import CausalTransformer, CharacterLSTM

__all__ = ["ARCHITECTURES"]

ARCHITECTURES = Architectures(
    "language-model",
    Architecture(
        "lstm",
        "A long short-term memory over the characters so far (Hochreiter & Schmidhuber 1997).",
        CharacterLSTM,
    ),
    Architecture(
        "transformer",
        "Causal self-attention over the characters so far, with rotary positions (Vaswani et al. "
        "2017; Su et al. 2021).",
        CausalTransformer,
    ),
)
