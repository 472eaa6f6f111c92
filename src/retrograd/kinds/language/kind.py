"""From a text to a network that is ready to be trained to continue it."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.data.texts.corpus import Vocabulary
from retrograd.errors import DataError
from retrograd.kinds.base.kind import DataSpec, Kind, Parts, Prepared, Split, introduction
from retrograd.kinds.base.resolved import Resolved
from retrograd.kinds.language.architectures import ARCHITECTURES
from retrograd.kinds.language.data import TextData, read_texts
from retrograd.kinds.language.model import LanguageModel
from retrograd.kinds.language.options import LanguageOptions
from retrograd.kinds.language.windows import NextCharacter, TextWindows
from retrograd.training.recipe import one_cycle_trainer
from retrograd.wording import count

__all__ = ["LANGUAGE"]

# A longer validation text takes longer to score after every epoch and adds no information.
_MOST_VALIDATION = 1 << 18
# The number of characters that a run sees in all by default.
_CHARACTERS = 10_000_000
_MOST_EPOCHS = 60
# A step's arrays stay in the cache: with 64 windows a transformer runs at half the speed (45,000
# and 24,000 characters a second on two cores); the LSTM's speed is the same.
_BATCH_SIZES = {"lstm": 64, "transformer": 32}


class LanguageKind(Kind[TextData, LanguageOptions]):
    """The characters of one long text, each predicted from those before it."""

    name = "language-model"
    options = LanguageOptions
    model = LanguageModel
    architectures = ARCHITECTURES
    task = "language-model"
    needs_target = False

    def holds(self, data: Any) -> bool:
        return False

    def read(self, spec: DataSpec, options: LanguageOptions) -> Parts[TextData]:
        return read_texts(spec)

    def split(self, parts: Parts[TextData], options: LanguageOptions) -> Split[TextData]:
        """Validation and test come from the end of the text: test last, validation before it."""
        train, validation, test = parts.train, parts.validation, parts.test
        if isinstance(test, float):
            train, test = train.cut(test)
        if validation is None:
            validation = options.valid
        if isinstance(validation, float):
            train, validation = train.cut(validation)
        notes = list(parts.notes)
        if len(validation) > _MOST_VALIDATION:
            notes.append(
                f"Of the {len(validation):,} validation characters, the first {_MOST_VALIDATION:,} "
                "count."
            )
            validation = TextData(validation.text[:_MOST_VALIDATION])
        return Split(train, validation, test, tuple(notes), parts.name)

    def make(self, split: Split[TextData], options: LanguageOptions) -> Prepared[TextData]:
        vocabulary = Vocabulary.of(split.train.text)
        notes = list(split.notes)
        train = vocabulary.encode(split.train.text)
        validation = vocabulary.encode(split.validation.text, notes, "the validation part")
        shortest = len(validation)
        if split.test is not None:
            source = "the test part"
            shortest = min(shortest, len(vocabulary.encode(split.test.text, notes, source)))
        if len(train) <= 2 * options.context or shortest < 2:
            raise DataError(
                f"{count(len(train), 'character')} to train on and {shortest:,} held out are too "
                f"few for a context of {options.context}; expected more than "
                f"{2 * options.context}. Give a longer text, or look back less: "
                "--set context=..."
            )
        windows = TextWindows(train, options.context)
        resolved, why = _resolved(options, windows)
        model = LanguageModel.build(
            vocabulary, resolved.to_options(), np.bincount(train) / len(train)
        )
        trainer = one_cycle_trainer(
            model.network,
            NextCharacter(),
            resolved.to_options(),
            windows.steps(resolved.batch_size),
        )
        return Prepared(
            model,
            trainer,
            resolved,
            windows,
            TextWindows(validation, options.context),
            split,
            notes,
            introduction(
                type(model.network).__name__,
                model.network,
                f"looking back over {options.context} characters",
                why,
            ),
        )


def _resolved(
    options: LanguageOptions, windows: TextWindows
) -> tuple[Resolved[LanguageOptions], str]:
    """The options left open, chosen by the length of the text, and why the model was picked."""
    model, why = options.model, ""
    if model == "auto":
        model, why = "lstm", "picked because it learns more than a transformer in the same time"
    return Resolved(
        asked=options,
        model=ARCHITECTURES.find(model).name,
        batch_size=min(options.batch_size or _BATCH_SIZES.get(model, 64), len(windows) - 1),
        epochs=options.epochs or min(max(_CHARACTERS // len(windows.codes), 1), _MOST_EPOCHS),
        patience=options.patience or 5,
    ), why


LANGUAGE = LanguageKind()
