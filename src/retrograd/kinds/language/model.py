"""A network for the characters of a text, with everything needed to use it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.data.texts.corpus import Vocabulary
from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.fingerprints import fingerprints
from retrograd.kinds.base.fitted import NetworkModel
from retrograd.kinds.base.kind import path_of
from retrograd.kinds.language.architectures import ARCHITECTURES
from retrograd.kinds.language.data import TextData, text_of
from retrograd.kinds.language.options import LanguageOptions
from retrograd.kinds.language.windows import TextWindows, next_character_losses
from retrograd.training.predictor import ROWS_PER_CALL
from retrograd.training.scores import Scores
from retrograd.wording import count, shown

__all__ = ["LanguageModel"]

Array = np.ndarray[Any, Any]

# Where a passage ends, and how many letters one has that two texts hardly share by chance.
_PASSAGE_END = re.compile(r"(?<=[.!?;])\s+|[\r\n]+")
_LEAST_PASSAGE = 20


@dataclass
class LanguageModel(NetworkModel):
    """A network for the characters of a text, with everything needed to use it."""

    kind: ClassVar[str] = "language-model"
    noun: ClassVar[str] = "passage"
    task: ClassVar[str] = "language-model"
    target_name: ClassVar[str] = "the next character"
    classes: ClassVar[tuple[str, ...]] = ()
    vocabulary: Vocabulary
    network: nn.Module
    context: int
    shares: Array  # (characters,) of the training text
    notes: Sequence[str] = ()

    @classmethod
    def build(cls, vocabulary: Vocabulary, options: LanguageOptions, shares: Array) -> Self:
        """An untrained network for a vocabulary; `options` names its model."""
        sizes = {"width": options.width, "depth": options.depth}
        network = ARCHITECTURES.find(options.model).build(
            len(vocabulary),
            dropout=options.dropout,
            **{name: size for name, size in sizes.items() if size is not None},
        )
        return cls(vocabulary, network, options.context, shares)

    def read(self, data: Any, notes: list[str], labeled: bool) -> TextData:
        text, name = text_of(data, notes), str(path_of(data) or "the text")
        codes = self.vocabulary.encode(text, notes, name)
        if len(codes) < 2:
            raise DataError(
                f"{name} holds {count(len(codes), 'character')} that the network knows; "
                "expected at least 2."
            )
        return TextData(text)

    def predict(self, data: TextData, notes: list[str] | None = None) -> Array:
        """(n - 1, characters): the probability of each character, given those before it."""
        found = []
        for inputs, target in self._windows(data):
            chosen = self.predictor(inputs)[target >= 0]
            weights = np.exp(chosen - chosen.max(-1, keepdims=True))
            found.append(weights / weights.sum(-1, keepdims=True))
        return np.concatenate(found)

    def targets(self, data: TextData) -> Array:
        """(n - 1,): the codes of the characters after the first."""
        return self.vocabulary.encode(data.text)[1:]

    def _windows(self, data: TextData) -> Iterator[tuple[tuple[Array, ...], Array]]:
        codes = self.vocabulary.encode(data.text)
        return TextWindows(codes, self.context).parts(ROWS_PER_CALL)

    def score(self, data: TextData) -> Scores:
        """Accuracy and loss (nats per character) beside those of the characters' frequencies."""
        losses, right = [], []
        for inputs, target in self._windows(data):
            output = self.predictor(inputs)
            losses.append(next_character_losses(output, target))
            right.append((output.argmax(-1) == target)[target >= 0])
        truth = self.targets(data)
        metrics = {
            "accuracy": float(np.concatenate(right).mean()),
            "log_loss": float(np.concatenate(losses).mean()),
        }
        baseline = {
            "accuracy": float((truth == self.shares.argmax()).mean()),
            "log_loss": float(-np.log(self.shares[truth]).mean()),
        }
        return Scores(len(truth), metrics, baseline, "knowing only how frequent each character is")

    def predictions(self, data: TextData, notes: list[str]) -> Any:
        raise UsageError(
            "A language model has no rows to predict; it continues a text: "
            "retrograd generate RUN --prompt '...'"
        )

    def columns(self) -> list[SchemaRow]:
        different = count(len(self.vocabulary), "different character")
        return [SchemaRow("the text", "characters", different, 0.0)]

    def shown(self, data: TextData, rows: Array) -> dict[str, list[str]]:
        codes = self.vocabulary.encode(data.text)
        before = [self.vocabulary.decode(codes[max(row - 30, 0) : row + 1]) for row in rows]
        return {"after": [shown(text) for text in before]}

    def fingerprints(self, data: TextData) -> Array:
        """(passages,) of the sentences and lines that are long enough to be one text's own."""
        passages = (each.strip() for each in _PASSAGE_END.split(data.text))
        return fingerprints([each for each in passages if len(each) >= _LEAST_PASSAGE])

    def to_json(self) -> dict[str, Any]:
        return {"characters": "".join(self.vocabulary.characters), "shares": self.shares.tolist()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], options: LanguageOptions) -> Self:
        return cls.build(Vocabulary(saved["characters"]), options, np.asarray(saved["shares"]))
