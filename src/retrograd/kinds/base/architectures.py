"""The architectures by name: what `--model` takes and `retrograd models` lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from retrograd import nn
from retrograd.errors import UsageError
from retrograd.models.images.cnn import CNN
from retrograd.models.images.mlp import MLP
from retrograd.models.images.resnet import ResNet
from retrograd.models.series.forecaster import Forecaster
from retrograd.models.series.language import CausalTransformer, CharacterLSTM
from retrograd.models.signals.cnn import SignalCNN
from retrograd.models.signals.recurrent import SignalGRU, SignalLSTM
from retrograd.models.tables.table import TableNet
from retrograd.models.texts.bag import TextBag
from retrograd.models.texts.cnn import TextCNN
from retrograd.models.texts.recurrent import TextGRU, TextLSTM
from retrograd.models.texts.transformer import TextTransformer
from retrograd.wording import did_you_mean

__all__ = ["ARCHITECTURES", "Architecture", "find_architecture", "names_for"]


@dataclass(frozen=True)
class Architecture:
    """`build` makes it; `suits` is the kind of run it is for, `summary` one sentence on it."""

    name: str
    suits: str
    summary: str
    build: Callable[..., nn.Module]


ARCHITECTURES = (
    Architecture(
        "table",
        "table",
        "Piecewise-linear numbers and embedded categories into an ensemble that shares its weights "
        "(Gorishniy et al. 2022, 2024).",
        TableNet,
    ),
    Architecture(
        "bag",
        "text",
        "A bag of n-grams of words and characters, each with a vote that naive Bayes starts and "
        "training weighs, and a vector (Wang & Manning 2012; Iyyer et al. 2015); for few texts.",
        TextBag,
    ),
    Architecture(
        "cnn",
        "text",
        "Convolutions over three to five words in a row, and the strongest answer of each filter "
        "(Kim 2014); for very many texts.",
        TextCNN,
    ),
    Architecture(
        "gru",
        "text",
        "Gated recurrent units over the words from both ends (Cho et al. 2014).",
        TextGRU,
    ),
    Architecture(
        "lstm",
        "text",
        "Long short-term memory over the words from both ends (Hochreiter & Schmidhuber 1997).",
        TextLSTM,
    ),
    Architecture(
        "transformer",
        "text",
        "Self-attention over the words (Vaswani et al. 2017).",
        TextTransformer,
    ),
    Architecture(
        "mlp",
        "images",
        "A perceptron over all pixels, with batch normalization and dropout; for small images that "
        "are centred.",
        MLP,
    ),
    Architecture(
        "cnn",
        "images",
        "Convolutions and max-pooling, as LeNet's (LeCun et al. 1998), with batch normalization; "
        "for small grey images.",
        CNN,
    ),
    Architecture(
        "resnet",
        "images",
        "Residual basic blocks, CIFAR-style (He et al. 2016); for photographs.",
        ResNet,
    ),
    Architecture(
        "cnn",
        "signals",
        "Convolutions along time with batch normalization and pooling (Wang, Yan & Oates 2017).",
        SignalCNN,
    ),
    Architecture(
        "gru",
        "signals",
        "Gated recurrent units from both ends of a signal (Cho et al. 2014).",
        SignalGRU,
    ),
    Architecture(
        "lstm",
        "signals",
        "Long short-term memory from both ends of a signal (Hochreiter & Schmidhuber 1997).",
        SignalLSTM,
    ),
    Architecture(
        "forecaster",
        "forecast",
        "A linear map and a small perceptron from a window relative to its last value to what "
        "comes (NLinear, Zeng et al. 2023; Kim et al. 2022).",
        Forecaster,
    ),
    Architecture(
        "lstm",
        "language-model",
        "A long short-term memory over the characters so far (Hochreiter & Schmidhuber 1997).",
        CharacterLSTM,
    ),
    Architecture(
        "transformer",
        "language-model",
        "Causal self-attention over the characters so far, with rotary positions (Vaswani et al. "
        "2017; Su et al. 2021).",
        CausalTransformer,
    ),
)


def names_for(kind: str) -> tuple[str, ...]:
    """The names of the architectures for a kind of run."""
    return tuple(each.name for each in ARCHITECTURES if each.suits == kind)


def find_architecture(kind: str, name: str) -> Architecture:
    """The architecture of that name for a kind of run.

    Raises UsageError for a name that is none of its.
    """
    for each in ARCHITECTURES:
        if (each.suits, each.name) == (kind, name):
            return each
    names = names_for(kind)
    raise UsageError(
        f"There is no model {name!r} for {kind}.{did_you_mean(name, names)} "
        f"Expected auto or one of {', '.join(names)}; `retrograd models` describes them."
    )
