"""A text to a network that continues it: the recipe, from the characters to the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.data.split import share
from retrograd.data.texts.corpus import Vocabulary, read_text
from retrograd.errors import DataError, UsageError, about
from retrograd.kinds.base.bridge import Origin, Run
from retrograd.kinds.language.architectures import ARCHITECTURES
from retrograd.kinds.language.windows import NextCharacter, TextWindows, next_character_losses
from retrograd.random import manual_seed
from retrograd.training.options import Options
from retrograd.training.predictor import ROWS_PER_CALL, Predictor
from retrograd.training.recipe import one_cycle_trainer
from retrograd.training.scores import Scores
from retrograd.wording import count, shown

__all__ = ["LanguageModel", "LanguageOptions", "prepare_language"]

Array = np.ndarray[Any, Any]

# A longer held-out part takes longer to measure after every epoch and tells nothing more.
_MOST_HELD = 1 << 18
# How many characters a run sees in all, where nothing else is asked for.
_CHARACTERS = 10_000_000
_MOST_EPOCHS = 60
# A step's arrays stay in the cache: with 64 windows a transformer runs at half the pace (45,000 and
# 24,000 characters a second on two cores), while the LSTM's is the same.
_BATCH_SIZES = {"lstm": 64, "transformer": 32}


@dataclass(frozen=True, kw_only=True)
class LanguageOptions(Options):
    """The options for a text: those of every run, and those of its network.

    `context` is how many characters the network looks back over; `width` and `depth` are the size
    of its layers and how many there are. The last share `valid` of the text is held out.
    """

    valid: float = 0.1
    learning_rate: float = 0.006
    dropout: float = 0.2
    average: float = 0.99
    context: int = 64
    width: int | None = None
    depth: int | None = None

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Options.ranges,
        "context": (2, 100_000),
        "width": (1, 100_000),
        "depth": (1, 1000),
    }


@dataclass
class LanguageModel:
    """A network for the characters of a text, with all that it takes to use it."""

    kind: ClassVar[str] = "language-model"
    task: ClassVar[str] = "language-model"
    target_name: ClassVar[str] = "the next character"
    classes: ClassVar[tuple[str, ...]] = ()
    vocabulary: Vocabulary
    network: nn.Module
    context: int
    shares: Array  # (characters,) of the training text
    notes: Sequence[str] = ()
    predictor: Predictor = field(init=False)

    def __post_init__(self) -> None:
        self.predictor = Predictor(self.network)

    @classmethod
    def build(cls, vocabulary: Vocabulary, config: LanguageOptions, shares: Array) -> Self:
        """An untrained network for a vocabulary."""
        sizes = {"width": config.width, "depth": config.depth}
        network = ARCHITECTURES.find(config.model).build(
            len(vocabulary),
            dropout=config.dropout,
            **{name: size for name, size in sizes.items() if size is not None},
        )
        return cls(vocabulary, network, config.context, shares)

    def read(self, path: Path, notes: list[str], labelled: bool) -> Array:
        codes = self.vocabulary.encode(read_text(path), notes, str(path))
        if len(codes) < 2:
            raise DataError(
                f"{path} holds {count(len(codes), 'character')} of those that the network knows; "
                "expected at least 2."
            )
        return codes

    def predict(self, codes: Any, notes: list[str] | None = None) -> Array:
        """(n - 1, characters): the probability of each character to follow those before it."""
        found = []
        for inputs, target in TextWindows(codes, self.context).parts(ROWS_PER_CALL):
            chosen = self.predictor(inputs)[target >= 0]
            weights = np.exp(chosen - chosen.max(-1, keepdims=True))
            found.append(weights / weights.sum(-1, keepdims=True))
        return np.concatenate(found)

    def targets(self, codes: Any) -> Array:
        """(n - 1,): the codes of the characters after the first."""
        return codes[1:]

    def score(self, codes: Any) -> Scores:
        """Accuracy and loss (nats a character) beside those of the characters' shares alone."""
        losses, right = [], []
        for inputs, target in TextWindows(codes, self.context).parts(ROWS_PER_CALL):
            output = self.predictor(inputs)
            losses.append(next_character_losses(output, target))
            right.append((output.argmax(-1) == target)[target >= 0])
        truth = self.targets(codes)
        metrics = {
            "accuracy": float(np.concatenate(right).mean()),
            "log_loss": float(np.concatenate(losses).mean()),
        }
        baseline = {
            "accuracy": float((truth == self.shares.argmax()).mean()),
            "log_loss": float(-np.log(self.shares[truth]).mean()),
        }
        return Scores(len(truth), metrics, baseline, "knowing only how frequent each character is")

    def predictions(self, codes: Any, notes: list[str]) -> Any:
        raise UsageError(
            "A language model has no rows to predict; it continues a text: "
            "retrograd generate RUN --prompt '...'"
        )

    def columns(self) -> list[SchemaRow]:
        different = count(len(self.vocabulary), "different character")
        return [SchemaRow("the text", "characters", different, 0.0)]

    def shown(self, codes: Any, rows: Array) -> dict[str, list[str]]:
        before = [self.vocabulary.decode(codes[max(row - 30, 0) : row + 1]) for row in rows]
        return {"after": [shown(text) for text in before]}

    def to_json(self) -> dict[str, Any]:
        return {"characters": "".join(self.vocabulary.characters), "shares": self.shares.tolist()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], config: LanguageOptions) -> Self:
        return cls.build(Vocabulary(saved["characters"]), config, np.asarray(saved["shares"]))


def prepare_language(origin: Origin, config: LanguageOptions) -> Run:
    """Read a text, hold its end out (or take another text), and build what is to be trained.

    With a share of test text, that is the very end, and the part to stop by lies before it.
    Raises DataError and UsageError as the data room does; nothing has been trained or written.
    """
    notes: list[str] = []
    text, held_text, test_text = _parts(origin, config)
    vocabulary = Vocabulary.of(text)
    with about(origin.data):
        train = vocabulary.encode(text)
        held = vocabulary.encode(held_text, notes, "the part held out")
        test = None
        if test_text is not None:
            test = vocabulary.encode(test_text, notes, "the part never seen in training")
        shortest = min(len(part) for part in (held, test) if part is not None)
        if len(train) <= 2 * config.context or shortest < 2:
            raise DataError(
                f"{count(len(train), 'character')} to train on and {shortest:,} held out are too "
                f"few for a context of {config.context}; expected more than {2 * config.context}. "
                "Give a longer text, or look back less: --set context=..."
            )
    if len(held) > _MOST_HELD:
        notes.append(f"Of the {len(held):,} characters held out the first {_MOST_HELD:,} count.")
        held = held[:_MOST_HELD]
    manual_seed(config.seed)
    windows = TextWindows(train, config.context)
    config, reason = _resolved(config, windows)
    model = LanguageModel.build(vocabulary, config, np.bincount(train) / len(train))
    assert config.batch_size is not None
    trainer = one_cycle_trainer(
        model.network, NextCharacter(), config, windows.steps(config.batch_size)
    )
    size = sum(parameter.numel() for parameter in model.network.parameters())
    introduction = (
        f"{type(model.network).__name__} ({size:,} weights, looking back over {config.context} "
        f"characters{reason})"
    )
    valid = TextWindows(held, config.context)
    return Run(model, trainer, config, windows, valid, held, notes, introduction, test)


def _parts(origin: Origin, config: LanguageOptions) -> tuple[str, str, str | None]:
    """The text to train on, to stop by, and never to see; the later ones from the text's end."""
    text = read_text(origin.data)
    test = None
    fraction = share(origin.test)
    if fraction is not None:
        text, test = _cut(text, fraction)
    elif origin.test is not None:
        test = read_text(origin.test)
    if origin.valid is not None:
        return text, read_text(origin.valid), test
    train, held = _cut(text, config.valid)
    return train, held, test


def _cut(text: str, fraction: float) -> tuple[str, str]:
    place = len(text) - round(len(text) * fraction)
    return text[:place], text[place:]


def _resolved(config: LanguageOptions, windows: TextWindows) -> tuple[LanguageOptions, str]:
    """`config` with what it leaves open decided by the length of the text, and why this model."""
    model, reason = config.model, ""
    if model == "auto":
        model, reason = "lstm", ", picked since in equal time it learns more than a transformer"
    batch_size = min(config.batch_size or _BATCH_SIZES.get(model, 64), len(windows) - 1)
    return config.replaced(
        model=model,
        batch_size=batch_size,
        epochs=config.epochs or min(max(_CHARACTERS // len(windows.codes), 1), _MOST_EPOCHS),
        patience=config.patience or 5,
    ), reason
