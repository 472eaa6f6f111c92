"""What a walk through the five steps of backpropagation found: plain records, JSON by `to_json`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from retrograd.data.plain import plain

__all__ = ["Change", "Element", "Guess", "Layer", "Outcome", "Stats", "Walkthrough", "Weight"]


class Outcome(StrEnum):
    """How the repeated steps ended."""

    FITS_ALREADY = "fits already"
    FITTED = "fitted"
    OUT_OF_STEPS = "out of steps"
    DIVERGED = "diverged"  # the loss is no longer a number


@dataclass(frozen=True)
class Stats:
    """An array in a few numbers; `norm` is the root of the sum of squares."""

    shape: tuple[int, ...]
    norm: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Element:
    """One element of a layer's output, and d loss / d element where a gradient reaches it."""

    name: str
    value: float
    cotangent: float | None


@dataclass(frozen=True)
class Layer:
    """What a layer put out and what came back to it.

    `elements` are those with the largest cotangents, largest first; of a layer that none reaches,
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
    """A weight in one step; `largest` are the elements that change the most, most first."""

    name: str
    layer: str
    shape: tuple[int, ...]
    norm: float
    gradient_norm: float
    change_norm: float
    largest: tuple[Change, ...]

    @property
    def ratio(self) -> float:
        """The size of the change relative to the weight's."""
        return self.change_norm / self.norm if self.norm else 0.0


@dataclass(frozen=True)
class Guess:
    """The prediction after some steps: a number in the target's units, or a class.

    `confidence` is the probability of the true class, None in a regression.
    """

    answer: float | str
    confidence: float | None
    loss: float


@dataclass(frozen=True)
class Walkthrough:
    """One row's walk. `row` counts from 1; `cells` are its columns as the table has them.

    `outputs` has a number for every member of the ensemble: its standardized answer, or the
    probability that it gives the true class; the loss is the mean over members of (output -
    `truth_scaled`)², or of -log(output). `layers` and `weights` stand in the order of the forward
    pass. `guesses[0]` is the trained model's, `guesses[i]` the one after i steps.
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
    layers: tuple[Layer, ...]
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
        """Names and plain values, all the way down."""
        saved: dict[str, Any] = plain(self)
        return saved
