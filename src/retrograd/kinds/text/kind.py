"""From a table with columns of free text to a network that is ready to be trained."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from retrograd.data import Preprocessor
from retrograd.data.texts.columns import is_empty, read_texts, refuse_many_empty
from retrograd.data.texts.folder import is_text_folder
from retrograd.data.texts.ngrams import NgramEncoder
from retrograd.data.texts.tokens import TokenEncoder
from retrograd.errors import about
from retrograd.kinds.base.kind import DataSpec, Kind, Parts, Prepared, Split, introduction, path_of
from retrograd.kinds.base.split import split_examples
from retrograd.kinds.table.data import TableData, read_tables
from retrograd.kinds.table.frame import class_shares, objective_of
from retrograd.kinds.table.options import TableOptions
from retrograd.kinds.text.architectures import ARCHITECTURES
from retrograd.kinds.text.buckets import Buckets
from retrograd.kinds.text.lengths import longest_read
from retrograd.kinds.text.model import BAG, Encoders, TextModel
from retrograd.kinds.text.options import ResolvedTexts, TextOptions
from retrograd.models.texts.bag import TextBag, log_count_ratios, mean_targets
from retrograd.training.recipe import one_cycle_trainer
from retrograd.wording import count

__all__ = ["TEXT"]

_VIEWS = ("words", "characters")
# Up to several hundred thousand texts n-grams do better, beyond that convolutions (Zhang, Zhao,
# LeCun 2015, "Character-level convolutional networks for text classification", section 5).
_MANY_TEXTS = 500_000
_VALIDATION_ROWS = 400
_LEAST_VALIDATION = 0.05
_EPOCHS = 12
_PATIENCE = 4


class TextKind(Kind[TableData, TableOptions]):
    """A folder of texts, or a table with columns of free text, whatever its other columns."""

    name = "text"
    options = TextOptions
    model = TextModel
    architectures = ARCHITECTURES
    needs_target = False

    def holds(self, data: Any) -> bool:
        path = path_of(data)
        return path is not None and is_text_folder(path)

    def read(self, spec: DataSpec, options: TableOptions) -> Parts[TableData]:
        return read_tables(spec, options)

    def split(self, parts: Parts[TableData], options: TableOptions) -> Split[TableData]:
        with about(parts.name):
            parts = _with_texts(parts)
        share = options.validation_share()
        if options.valid is None:
            # A few hundred tell when to stop, and each further training text adds its words.
            rows = len(parts.train)
            rows -= round(rows * parts.test) if isinstance(parts.test, float) else 0
            share = min(share, max(_LEAST_VALIDATION, _VALIDATION_ROWS / max(rows, 1)))
        return split_examples(parts, share, options.seed)

    def make(self, split: Split[TableData], options: TableOptions) -> Prepared[TableData]:
        notes, frame, schema = list(split.notes), split.train.frame, split.train.schema
        resolved, why = _resolved(options, len(split.train))
        preprocessor = Preprocessor.fit(frame, schema, options.seed)
        target = preprocessor.target(frame)
        encoders = _encoders(read_texts(frame, schema), resolved)
        model = TextModel.build(preprocessor, encoders, resolved, class_shares(schema, target))
        train = Buckets(*model.inputs(split.train, notes), target)
        validation = Buckets(
            *model.inputs(split.validation), preprocessor.target(split.validation.frame)
        )
        for bag in model.network.modules():
            if isinstance(bag, TextBag):
                _weigh(bag, schema.target.classes, train)
        return Prepared(
            model,
            one_cycle_trainer(
                model.network,
                objective_of(schema),
                resolved.to_options(),
                train.steps(resolved.batch_size),
            ),
            resolved,
            train,
            validation,
            split,
            notes + [note for note in preprocessor.notes if note not in notes],
            introduction(
                type(model.network).__name__,
                model.network,
                resolved.model,
                count(len(schema.texts), "text column"),
                f"up to {resolved.max_tokens:,} tokens of a text",
                why,
            ),
        )


def _with_texts(parts: Parts[TableData]) -> Parts[TableData]:
    """The same without rows to learn from that have no text."""
    train = parts.train
    if train.schema.tabular:
        return parts
    empty = is_empty(read_texts(train.frame, train.schema))
    note = refuse_many_empty(empty, train.places, train.schema)
    if not note:
        return parts
    return replace(parts, train=train.take(np.flatnonzero(~empty)), notes=(*parts.notes, note))


def _resolved(options: TableOptions, rows: int) -> tuple[ResolvedTexts, str]:
    """The options left open, chosen by the number of training rows, and why this model."""
    model, why = options.model, ""
    if model == "auto" and rows < _MANY_TEXTS:
        model = BAG
        why = f"picked because n-grams do best with fewer than {_MANY_TEXTS:,} texts"
    elif model == "auto":
        model = "cnn"
        why = f"picked because convolutions do best with {_MANY_TEXTS:,} texts or more"
    batch_size = options.batch_size
    if batch_size is None:
        # About 125 steps per epoch, with batches of 16 to 256 rows.
        batch_size = min(256, max(16, 2 ** round(math.log2(max(rows, 125) / 125))))
    name, batch_size = ARCHITECTURES.find(model).name, min(batch_size, rows)
    return ResolvedTexts(
        asked=options,
        model=name,
        batch_size=batch_size,
        epochs=options.epochs or _EPOCHS,
        patience=options.patience or _PATIENCE,
        max_tokens=options.max_tokens or longest_read(name, batch_size),
    ), why


def _encoders(texts: list[list[str]], resolved: ResolvedTexts) -> Encoders:
    options = resolved.asked
    if resolved.model == BAG:
        rows = list(zip(*texts, strict=True))
        return tuple(NgramEncoder.fit(view, rows, resolved.max_tokens) for view in _VIEWS)
    return tuple(TokenEncoder.fit(options.tokens, each, options.vocabulary) for each in texts)


def _weigh(bag: TextBag, classes: tuple[str, ...], train: Buckets) -> None:
    """Set each n-gram's vote from the training rows; `classes` is empty for regression."""
    for votes, ids in zip(bag.votes, train.sequences, strict=True):
        ngrams = len(votes.ratio)
        if classes:
            votes.ratio.data = log_count_ratios(ids, ngrams, train.target, len(classes))
        else:
            votes.ratio.data = mean_targets(ids, ngrams, train.target)


TEXT = TextKind()
