"""A table with columns of free text to a trained network: the recipe, from texts to the scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from retrograd import nn
from retrograd.data import Preprocessor, Schema, take_rows
from retrograd.data.texts.columns import is_empty, read_texts, refuse_many_empty
from retrograd.data.texts.ngrams import NgramEncoder
from retrograd.data.texts.tokens import TokenEncoder
from retrograd.errors import DataError
from retrograd.kinds.base.architectures import find_architecture
from retrograd.kinds.base.fitted import Run
from retrograd.kinds.base.frame import (
    FrameModel,
    TableOptions,
    class_shares,
    objective_of,
    table_net,
    train_and_valid,
)
from retrograd.kinds.base.importance import Reasons
from retrograd.kinds.text.buckets import Buckets, by_length, cut_to, lengths_of
from retrograd.kinds.text.reasons import word_reasons
from retrograd.models.texts.bag import TextBag, log_count_ratios, mean_targets
from retrograd.models.texts.branches import BagBesideTable, BranchesBesideTable, TextBranches
from retrograd.random import manual_seed
from retrograd.training.predictor import Predictor
from retrograd.training.recipe import one_cycle_trainer
from retrograd.wording import count

__all__ = ["TextModel", "TextOptions", "prepare_text"]

Array = np.ndarray[Any, Any]
# How texts are read: n-grams of all of a row's texts, in several views, or each text's tokens.
Encoders = tuple[NgramEncoder | TokenEncoder, ...]

BAG = "bag"
_VIEWS = ("words", "characters")
# Of several texts, or a text beside other columns, each branch makes so many numbers.
_VECTOR = 64
# Up to several hundred thousand texts n-grams do better, beyond that convolutions (Zhang, Zhao,
# LeCun 2015, "Character-level convolutional networks for text classification", section 5).
_MANY_TEXTS = 500_000
_HELD_ROWS = 400
_LEAST_HELD_SHARE = 0.05
_EPOCHS = 12
_PATIENCE = 4


@dataclass(frozen=True, kw_only=True)
class TextOptions(TableOptions):
    """The options for texts: those of a table. Of a folder of texts the target is its label."""

    target: str = "label"


@dataclass
class TextModel(FrameModel):
    """A network for tables with free text, with all that it takes to use it."""

    kind: ClassVar[str] = "text"
    encoders: Encoders
    network: nn.Module
    max_tokens: int
    predictor: Predictor = field(init=False)

    def __post_init__(self) -> None:
        self.predictor = Predictor(self.network)

    @classmethod
    def build(
        cls,
        preprocessor: Preprocessor,
        encoders: Encoders,
        config: TableOptions,
        shares: Array,
    ) -> Self:
        """An untrained network for the texts and the other columns; `config` names its model."""
        network = _network(preprocessor, encoders, config)
        return cls(preprocessor, shares, encoders, network, config.max_tokens)

    def inputs(
        self, frame: Any, notes: list[str] | None = None
    ) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """What the network takes: numbers and categories where there are any; ids of the texts."""
        texts = read_texts(frame, self.schema, notes)
        read = [
            encoder.encode(list(zip(*texts, strict=True)), self.max_tokens)
            if isinstance(encoder, NgramEncoder)
            else encoder.encode(texts[place], self.max_tokens)
            for place, encoder in enumerate(self.encoders)
        ]
        sequences = tuple(ids for ids, _ in read)
        if (cut := max(cut for _, cut in read)) and notes is not None:
            notes.append(
                f"{count(cut, 'row has a text', 'rows have a text')} of more than "
                f"{self.max_tokens} tokens, cut there (--set max_tokens=...)."
            )
        if not self.schema.tabular:
            return (), sequences
        arrays = self.preprocessor.transform(frame)
        if notes is not None:
            notes += arrays.notes
        return (arrays.numbers, arrays.categories), sequences

    def answers(self, frame: Any, notes: list[str] | None = None) -> Array:
        return self.answers_to(*self.inputs(frame, notes))

    def answers_to(self, inputs: tuple[Array, ...], sequences: tuple[Array, ...]) -> Array:
        """What `answers` gives for the network's inputs; texts of a length are taken together."""
        parts, places = [], []
        for rows, limit in by_length(lengths_of(sequences)):
            cut = (cut_to(ids[rows], int(n)) for ids, n in zip(sequences, limit, strict=True))
            parts.append(self.predictor((*(each[rows] for each in inputs), *cut)))
            places.append(rows)
        output = np.concatenate(parts)
        return self.answered(output[np.argsort(np.concatenate(places))])

    def reasons(self, frame: Any, rows: Array) -> list[Reasons]:
        return word_reasons(self, frame, rows)

    def to_json(self) -> dict[str, Any]:
        return {
            "preprocessor": self.preprocessor.to_json(),
            "class_shares": self.class_shares.tolist(),
            "texts": [encoder.to_json() for encoder in self.encoders],
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], config: TableOptions) -> Self:
        """DataError for contents that it cannot have."""
        encoder: type[NgramEncoder | TokenEncoder]
        encoder = NgramEncoder if config.model == BAG else TokenEncoder
        try:
            encoders = tuple(encoder.from_json(each) for each in saved["texts"])
            shares = np.asarray(saved["class_shares"], float)
            preprocessor = Preprocessor.from_json(saved["preprocessor"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"What the run saved of its texts is damaged ({type(error).__name__}: {error}); "
                "train again."
            ) from error
        return cls.build(preprocessor, encoders, config, shares)


def prepare_text(frame: Any, config: TableOptions, valid_frame: Any | None, schema: Schema) -> Run:
    """Hold out rows (or take `valid_frame`), fit the vocabularies, build what is to be trained.

    Raises DataError and UsageError as the data room does; nothing has been trained or written.
    """
    if config.valid is None:
        # Some hundred tell when to stop, and each text more to learn from brings its words.
        fewer = max(_LEAST_HELD_SHARE, _HELD_ROWS / max(len(frame), 1))
        config = config.replaced(valid=min(config.held_share(), fewer))
    frame, valid_frame, notes = train_and_valid(frame, config, valid_frame, schema)
    frame = _with_texts(frame, schema, notes)
    config, why = _chosen(config, len(frame))
    manual_seed(config.seed)
    preprocessor = Preprocessor.fit(frame, schema, config.seed)
    target = preprocessor.target(frame)
    encoders = _encoders(read_texts(frame, schema), config)
    model = TextModel.build(preprocessor, encoders, config, class_shares(schema, target))
    train = Buckets(*model.inputs(frame, notes), target)
    valid = Buckets(*model.inputs(valid_frame), preprocessor.target(valid_frame))
    bags = [each for each in model.network.modules() if isinstance(each, TextBag)]
    for bag in bags:
        _weigh(bag, schema, train)
    config = _resolved(config, len(train))
    assert config.batch_size is not None
    return Run(
        model,
        one_cycle_trainer(
            model.network, objective_of(schema), config, train.steps(config.batch_size)
        ),
        config,
        train,
        valid,
        valid_frame,
        notes + [note for note in preprocessor.notes if note not in notes],
        _introduction(model, config, why),
    )


def _with_texts(frame: Any, schema: Schema, notes: list[str]) -> Any:
    """The rows that have something to learn from."""
    if schema.tabular:
        return frame
    empty = is_empty(read_texts(frame, schema))
    if note := refuse_many_empty(empty, schema):
        notes.append(note)
        return take_rows(frame, np.flatnonzero(~empty))
    return frame


def _chosen(config: TableOptions, rows: int) -> tuple[TableOptions, str]:
    """`config` with the model's name, and why it was picked where nobody asked for it."""
    if config.model != "auto":
        find_architecture(TextModel.kind, config.model)
        return config, ""
    if rows < _MANY_TEXTS:
        return config.replaced(model=BAG), (
            f"picked because n-grams do best with fewer than {_MANY_TEXTS:,} texts"
        )
    return config.replaced(model="cnn"), (
        f"picked because convolutions do best with {_MANY_TEXTS:,} texts or more"
    )


def _encoders(texts: list[list[str]], config: TableOptions) -> Encoders:
    if config.model == BAG:
        rows = list(zip(*texts, strict=True))
        return tuple(NgramEncoder.fit(view, rows, config.max_tokens) for view in _VIEWS)
    return tuple(TokenEncoder.fit(config.tokens, each, config.vocabulary) for each in texts)


def _network(preprocessor: Preprocessor, encoders: Encoders, config: TableOptions) -> nn.Module:
    outputs = objective_of(preprocessor.schema).outputs
    build = find_architecture(TextModel.kind, config.model).build
    dropout = {} if config.text_dropout is None else {"dropout": config.text_dropout}
    is_beside_table = bool(preprocessor.schema.tabular)
    sizes = [encoder.size for encoder in encoders]
    if isinstance(encoders[0], NgramEncoder):
        bag = TextBag(sizes, encoders[0].repeated, outputs, **dropout)
        if not is_beside_table:
            return bag
        return BagBesideTable(bag, table_net(preprocessor, config, outputs))
    if not is_beside_table and len(sizes) == 1:
        return build(sizes[0], outputs, **dropout)
    branches = [build(size, _VECTOR, **dropout) for size in sizes]
    if not is_beside_table:
        return TextBranches(branches, _VECTOR, outputs)
    vectors = _VECTOR * len(branches)
    return BranchesBesideTable(branches, table_net(preprocessor, config, outputs, vectors))


def _weigh(bag: TextBag, schema: Schema, train: Buckets) -> None:
    """Set what each n-gram votes for by the training rows."""
    for votes, ids in zip(bag.votes, train.sequences, strict=True):
        ngrams = len(votes.ratio)
        if schema.task == "regression":
            votes.ratio.data = mean_targets(ids, ngrams, train.target)
        else:
            classes = len(schema.target.classes)
            votes.ratio.data = log_count_ratios(ids, ngrams, train.target, classes)


def _resolved(config: TableOptions, rows: int) -> TableOptions:
    """`config` with what it leaves open decided by the number of training rows."""
    batch_size = config.batch_size
    if batch_size is None:
        # About 125 steps an epoch, but batches of 16 to 256 rows.
        batch_size = min(256, max(16, 2 ** round(math.log2(max(rows, 125) / 125))))
    return config.replaced(
        batch_size=min(batch_size, rows),
        epochs=config.epochs or _EPOCHS,
        patience=config.patience or _PATIENCE,
    )


def _introduction(model: TextModel, config: TableOptions, why: str) -> str:
    size = sum(parameter.numel() for parameter in model.network.parameters())
    name = type(model.network).__name__
    texts = count(len(model.schema.texts), "text column")
    return f"{name} ({config.model}, {texts}, {size:,} weights{f'; {why}' if why else ''})"
