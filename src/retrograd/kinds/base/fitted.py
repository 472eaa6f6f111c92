"""A model that takes the user's data and predicts in the user's units."""

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

__all__ = ["ROW", "FittedModel", "NetworkModel", "Picture"]

Array = np.ndarray[Any, Any]

ROW = "row"
"""The name of a row's number, from 1, among what `FittedModel.shown` gives."""


@dataclass(frozen=True)
class Picture:
    """A table cell that is an image: a small PNG, and alternative text."""

    png: bytes
    text: str


class FittedModel(Protocol):
    """A network with everything needed to use it: the user's data in, predictions out.

    `task` is what it predicts; "regression" and "classification" have one target for each row.
    """

    kind: ClassVar[str]

    @property
    def network(self) -> nn.Module: ...

    @property
    def task(self) -> str: ...

    @property
    def target_name(self) -> str:
        """The name of what is predicted, for messages."""

    @property
    def classes(self) -> tuple[str, ...]:
        """By code; empty if the target is not a class."""

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know about how the data was read in training."""

    def read(self, data: Any, notes: list[str], labeled: bool) -> Any:
        """The data set at a path, or in memory, for `predict`; with `labeled`, also for `score`.

        Raises DataError for data that the network cannot take.
        """

    def predict(self, data: Any, notes: list[str] | None = None) -> Array:
        """(rows,) numbers in the target's units, or (rows, classes) probabilities."""

    def targets(self, data: Any) -> Array:
        """(rows,) numbers in the target's units, or class codes, of labeled data."""

    def score(self, data: Any) -> Scores:
        """The metrics on labeled data."""

    def predictions(self, data: Any, notes: list[str]) -> Any:
        """A table of the rows, in order, with the predictions beside them."""

    def columns(self) -> list[SchemaRow]:
        """How each input is read."""

    def shown(self, data: Any, rows: Array) -> Mapping[str, Sequence[str | Picture]]:
        """Some rows in a form that the user recognizes: each column's name and its cells."""

    @property
    def noun(self) -> str:
        """What a fingerprint is of: "row", or "passage" of a text."""

    def fingerprints(self, data: Any) -> Array:
        """(rows,) uint64: equal for rows of labeled data that are the same to the network."""

    def to_json(self) -> dict[str, Any]:
        """Everything but the options and the weights."""

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], options: Any) -> Self:
        """The model that `to_json` and its resolved options describe, with untrained weights."""


class NetworkModel:
    """What every fitted model gets from its network; the base class of each kind's model."""

    noun: ClassVar[str] = "row"
    network: nn.Module

    @cached_property
    def predictor(self) -> Predictor:
        """The network's outputs in evaluation mode; compiled on first use."""
        return Predictor(self.network)
