"""A kind of run in three steps: data is read, split, and a network is built for it.

    parts = kind.read(DataSpec("houses.csv", test=0.2), options)
    split = kind.split(parts, options)
    prepared = kind.build(split, options)
    prepared.fit()

Reading measures nothing, and building measures only the training rows, so the same data can be
split or built again. `registry.prepare` runs all three steps.

To add a kind, make a folder with its options, its `Dataset`, its `FittedModel`, its architectures
and a `Kind`, and name that in `registry.py`. `kinds/table/` is the example to follow.
"""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from retrograd import nn
from retrograd.errors import UsageError, about
from retrograd.kinds.base.architectures import Architectures
from retrograd.kinds.base.fitted import FittedModel
from retrograd.kinds.base.resolved import Resolved
from retrograd.random import manual_seed
from retrograd.training.callbacks import (
    BestWeights,
    Callback,
    EarlyStopping,
    FiniteLoss,
    TimeLimit,
)
from retrograd.training.history import History
from retrograd.training.options import Options
from retrograd.training.sources import Source
from retrograd.training.trainer import Trainer

__all__ = ["DataSpec", "Dataset", "Kind", "Parts", "Prepared", "Split", "introduction", "path_of"]


def path_of(data: Any) -> Path | None:
    """`data` as a path if it is a string or a `Path`; None for values in memory."""
    return Path(data) if isinstance(data, str | os.PathLike) else None


@dataclass(frozen=True)
class DataSpec:
    """The data that the user gave: paths, or values in memory.

    `validation` and `test` are separate data or, as a float, a share of the rows of `data`.
    Raises UsageError for a share that is not between 0 and 1.
    """

    data: Any
    validation: Any = None
    test: Any = None

    def __post_init__(self) -> None:
        for share in (self.validation, self.test):
            if isinstance(share, float) and not 0 < share < 1:
                raise UsageError(f"A share of rows must lie between 0 and 1; found {share}.")

    @property
    def name(self) -> str:
        """The name of the data in messages: its path, or nothing if it is in memory."""
        return str(path_of(self.data) or "")


class Dataset(Protocol):
    """Labeled data as it was read, with nothing measured on it.

    A kind whose rows may be drawn in any order supplies `Examples`; `split_examples` splits them.
    """

    @property
    def kind(self) -> str:
        """The kind of run that learns from it, which may differ from the one that read it."""

    def __len__(self) -> int: ...


D = TypeVar("D", bound=Dataset)
Asked = TypeVar("Asked", bound=Options)


@dataclass(frozen=True)
class Parts(Generic[D]):
    """What was read: training data, and data or shares for validation and test.

    `notes` is what the user should know about the reading; `name` is the data's name in messages.
    """

    train: D
    validation: D | float | None = None  # None: the share given by the options
    test: D | float | None = None
    notes: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Split(Generic[D]):
    """The training data, the validation data to stop by, and the test data, if there is any."""

    train: D
    validation: D
    test: D | None = None
    notes: tuple[str, ...] = ()
    name: str = ""

    @property
    def judging(self) -> D:
        """The data that a run is scored on: the test data, or else the validation data."""
        return self.validation if self.test is None else self.test


@dataclass
class Prepared(Generic[D]):
    """A run ready to train: the model, its trainer, and the sources for the training loop."""

    model: Any  # a FittedModel of its kind
    trainer: Trainer
    options: Resolved[Any]
    train: Source
    validation: Source
    split: Split[D]
    notes: list[str]  # what the user should know about the data
    introduction: str  # what is to be trained and why

    def fit(self, callbacks: Sequence[Callback] = (), seconds: float | None = None) -> History:
        """Train as the options say, for at most `seconds` seconds; see `Trainer.fit`.

        By default these are the options' `time_limit`.
        """
        asked = self.options.asked
        limit = asked.time_limit if seconds is None else seconds
        limit = math.inf if limit is None else limit
        return self.trainer.fit(
            self.train,
            self.validation,
            epochs=self.options.epochs,
            batch_size=self.options.batch_size,
            seed=asked.seed,
            callbacks=[
                BestWeights(),
                TimeLimit(limit),
                EarlyStopping(self.options.patience),
                *callbacks,
                FiniteLoss(),
            ],
        )


class Kind(ABC, Generic[D, Asked]):
    """One kind of run: what it learns from, its options, its model, and its three steps.

    `task` is the --task that selects it; if None, data for which it `holds` does.
    """

    name: str
    options: type[Options]
    model: type[FittedModel]
    architectures: Architectures
    task: str | None = None
    needs_target: bool = True  # whether a target column must be named

    @abstractmethod
    def holds(self, data: Any) -> bool:
        """Whether this kind, and no other, learns from a path or from values in memory."""

    def claims(self, data: Any, asked: Collection[str]) -> bool:
        """Whether options of these names say that the data is for this kind."""
        return False

    def assumed(self, data: Any) -> dict[str, Any]:
        """Options that this data settles, by name: the target of a pair of arrays."""
        return {}

    @abstractmethod
    def read(self, spec: DataSpec, options: Asked) -> Parts[D]:
        """The labeled data that `spec` names; DataError and UsageError for what cannot be used."""

    @abstractmethod
    def split(self, parts: Parts[D], options: Asked) -> Split[D]:
        """Data for each of the three parts; DataError if one would be empty."""

    @abstractmethod
    def make(self, split: Split[D], options: Asked) -> Prepared[D]:
        """`build`, after the random numbers have been seeded.

        Resolve the options, measure `split.train` only, and make the network, the trainer and the
        sources. `notes` holds the notes of the split and those added here.
        """

    def build(self, split: Split[D], options: Asked) -> Prepared[D]:
        """An untrained network for the data; the same for the same seed."""
        manual_seed(options.seed)
        with about(split.name):
            return self.make(split, options)


def introduction(name: str, network: nn.Module, *facts: str) -> str:
    """A short description of what is trained: its name, its size, and facts about it."""
    weights = sum(parameter.numel() for parameter in network.parameters())
    return f"{name} ({', '.join([f'{weights:,} weights', *filter(None, facts)])})"
