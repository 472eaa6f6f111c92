"""The records of a walk through the five steps of backpropagation; JSON by `to_json`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from retrograd.data.plain import plain

__all__ = ["Change", "Element", "Guess", "Outcome", "Stats", "WalkedLayer", "Walkthrough", "Weight"]


class Outcome(StrEnum):
    """How the repeated steps ended."""

    FITS_ALREADY = "fits already"
    FITTED = "fitted"
    OUT_OF_STEPS = "out of steps"
    DIVERGED = "diverged"  # the loss is not finite


@dataclass(frozen=True)
class Stats:
    """A summary of an array; `norm` is the root of the sum of squares."""

    shape: tuple[int, ...]
    norm: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Element:
    """One element of a layer's output, and d loss / d element if a gradient reaches it."""

    name: str
    value: float
    cotangent: float | None


@dataclass(frozen=True)
class WalkedLayer:
    """A layer's output and the gradient that came back to it.

    `elements` are those with the largest cotangents, largest first; if none reaches the layer,
    those with the largest values.
    """

    name: str
    kind: str
    is_input: bool  # whether it turns the row's cells into the features of the first layer
    output: Stats
    cotangent: Stats | None
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Change:
    """One element of a weight in one step: after = before - learning rate x gradient."""

    name: str
    before: float
    gradient: float
    after: float


@dataclass(frozen=True)
class Weight:
    """A weight in one step; `largest` are the elements that change most, in descending order."""

    name: str
    layer: str
    shape: tuple[int, ...]
    norm: float
    gradient_norm: float
    change_norm: float
    largest: tuple[Change, ...]

    @property
    def ratio(self) -> float:
        """The norm of the change relative to the weight's."""
        return self.change_norm / self.norm if self.norm else 0.0


@dataclass(frozen=True)
class Guess:
    """The prediction after a number of steps: a number in the target's units, or a class.

    `confidence` is the probability of the true class, None for regression.
    """

    answer: float | str
    confidence: float | None
    loss: float


@dataclass(frozen=True)
class Walkthrough:
    """One row's walk. `row` counts from 1; `cells` are its columns as they are in the table.

    `outputs` has a number for each member of the ensemble: its standardized output, or the
    probability that it gives the true class. The loss is the mean over members of (output -
    `truth_scaled`)², or of -log(output). `layers` and `weights` are in forward order. `guesses[0]`
    is the trained model's, `guesses[i]` the one after i steps.
    """

    row: int
    task: str
    target: str
    cells: dict[str, str]
    truth: float | str
    truth_scaled: float | None
    target_mean: float
    target_scale: float
    outputs: tuple[float, ...]
    probabilities: dict[str, float]
    layers: tuple[WalkedLayer, ...]
    weights: tuple[Weight, ...]
    learning_rate: float
    is_rate_chosen: bool
    guesses: tuple[Guess, ...]
    outcome: Outcome
    tolerance: float
    notes: tuple[str, ...]

    @property
    def loss(self) -> float:
        """The loss of the trained model on this row."""
        return self.guesses[0].loss

    def to_json(self) -> dict[str, Any]:
        """Names and plain values, recursively."""
        saved: dict[str, Any] = plain(self)
        return saved
