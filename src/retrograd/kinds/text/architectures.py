"""The architectures for texts. To add one: its file in `models/`, and an entry here."""

from __future__ import annotations

from retrograd.kinds.base.architectures import Architecture, Architectures
from retrograd.models.texts.bag import TextBag
from retrograd.models.texts.cnn import TextCNN
from retrograd.models.texts.recurrent import TextGRU, TextLSTM
from retrograd.models.texts.transformer import TextTransformer

__all__ = ["ARCHITECTURES", "NUMBERS"]

ARCHITECTURES = Architectures(
    "text",
    Architecture(
        "bag",
        "A bag of n-grams of words and characters, each with a vote that naive Bayes starts and "
        "training weights, and a vector (Wang & Manning 2012; Iyyer et al. 2015); for few texts.",
        TextBag,
    ),
    Architecture(
        "cnn",
        "Convolutions over three to five words in a row, and the largest response of each filter "
        "(Kim 2014); for very many texts.",
        TextCNN,
    ),
    Architecture(
        "gru",
        "Bidirectional gated recurrent units over the words (Cho et al. 2014).",
        TextGRU,
    ),
    Architecture(
        "lstm",
        "Bidirectional long short-term memory over the words (Hochreiter & Schmidhuber 1997).",
        TextLSTM,
    ),
    Architecture(
        "transformer",
        "Self-attention over the words (Vaswani et al. 2017).",
        TextTransformer,
    ),
)

# Of cnn and gru measured in steps of 16 texts of 1,024 words (92 and 302 MB more than of 64 words);
# of the others counted from their layers.
NUMBERS = {
    "bag": (200, 0),
    "cnn": (1500, 0),
    "gru": (5000, 0),
    "lstm": (5000, 0),
    "transformer": (8000, 24),
}
"""About how many numbers a training step holds for each token of a text, and for each pair."""
