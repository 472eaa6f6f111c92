"""A model that takes a person's data and gives answers in a person's units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.training.predictor import Predictor
from retrograd.training.scores import Scores

__all__ = ["FittedModel", "NetworkModel", "Picture"]

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

    def read(self, data: Any, notes: list[str], labeled: bool) -> Any:
        """The data set at a path, or in memory, for `predict`; with `labeled` for `score` too.

        Raises DataError for data that the network cannot take.
        """

    def predict(self, data: Any, notes: list[str] | None = None) -> Array:
        """(rows,) numbers in the target's units, or (rows, classes) probabilities."""

    def targets(self, data: Any) -> Array:
        """(rows,) numbers in the target's units, or class codes, of labeled data."""

    def score(self, data: Any) -> Scores:
        """The figures of merit on labeled data."""

    def predictions(self, data: Any, notes: list[str]) -> Any:
        """A table of the rows, in their order, with what is predicted beside them."""

    def columns(self) -> list[SchemaRow]:
        """How each input is read."""

    def shown(self, data: Any, rows: Array) -> Mapping[str, Sequence[str | Picture]]:
        """Some rows as a person would know them again: a column's name and its cells."""

    def to_json(self) -> dict[str, Any]:
        """All but the options and the weights."""

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], options: Any) -> Self:
        """The model that `to_json` and its resolved options describe, its weights not learned."""


class NetworkModel:
    """What every fitted model has by its network; a kind's model is derived from it."""

    network: nn.Module

    @cached_property
    def predictor(self) -> Predictor:
        """The network's outputs in evaluation mode; compiled at the first use."""
        return Predictor(self.network)
