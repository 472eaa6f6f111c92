"""What all kinds of run share: a model that takes a person's data, and a run made ready."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.training.callbacks import (
    BestWeights,
    Callback,
    EarlyStopping,
    FiniteLoss,
    TimeLimit,
)
from retrograd.training.history import History
from retrograd.training.options import Options
from retrograd.training.scores import Scores
from retrograd.training.sources import Source
from retrograd.training.trainer import Trainer

__all__ = ["FittedModel", "Origin", "Picture", "Run"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Picture:
    """A cell that is seen, not read: a small PNG, and words for those who do not see it."""

    png: bytes
    text: str


class FittedModel(Protocol):
    """A network with all that it takes to use it: a person's data in, answers out.

    `task` is what it answers: "regression" and "classification" have a right answer for each row.
    """

    kind: ClassVar[str]

    @property
    def network(self) -> nn.Module: ...

    @property
    def task(self) -> str: ...

    @property
    def target_name(self) -> str:
        """What is predicted, in a person's words."""

    @property
    def classes(self) -> tuple[str, ...]:
        """By code; empty where the answer is no class."""

    @property
    def notes(self) -> Sequence[str]:
        """What a person should know about how the data was read in training."""

    def read(self, path: Path, notes: list[str], labelled: bool) -> Any:
        """Data as `answers` takes it, or with `labelled` as `score` does; DataError for none."""

    def answers(self, data: Any, notes: list[str] | None = None) -> Array:
        """(rows,) numbers in the target's units, or (rows, classes) probabilities."""

    def truth(self, data: Any) -> Array:
        """(rows,) numbers in the target's units, or class codes, of labelled data."""

    def score(self, data: Any) -> Scores:
        """The figures of merit on labelled data."""

    def predictions(self, data: Any, notes: list[str]) -> Any:
        """A table of the rows, in their order, with what is predicted beside them."""

    def columns(self) -> list[SchemaRow]:
        """How each input is read."""

    def shown(self, data: Any, rows: Array) -> Mapping[str, Sequence[str | Picture]]:
        """Some rows as a person would know them again: a column's name and its cells."""

    def to_json(self) -> dict[str, Any]:
        """All but the options and the weights."""

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], config: Any) -> Self:
        """The model that `to_json` and its options describe, its weights not yet learned."""


@dataclass(frozen=True)
class Origin:
    """Where the rows come from: a file or folder, and a share of it or another for each use."""

    data: str
    valid: str | None = None  # a path; a share is in the configuration
    test: str | None = None  # a path or a share


@dataclass
class Run:
    """A run made ready: the model, its trainer, and the data to train on, stop by and be judged on.

    `held` and `test` are what the model's `score` takes: rows to stop by, and rows never seen.
    """

    model: Any  # a FittedModel of its kind
    trainer: Trainer
    config: Options  # with everything resolved
    train: Source
    valid: Source
    held: Any
    notes: list[str]
    introduction: str  # what is to be trained and why, a sentence or two
    test: Any = None

    def fit(self, callbacks: Sequence[Callback] = ()) -> History:
        """Train as the configuration says; see `Trainer.fit`."""
        config = self.config
        assert config.epochs is not None
        assert config.patience is not None
        assert config.batch_size is not None
        return self.trainer.fit(
            self.train,
            self.valid,
            epochs=config.epochs,
            batch_size=config.batch_size,
            seed=config.seed,
            callbacks=[
                BestWeights(),
                TimeLimit(math.inf if config.time_limit is None else config.time_limit),
                EarlyStopping(config.patience),
                *callbacks,
                FiniteLoss(),
            ],
        )
