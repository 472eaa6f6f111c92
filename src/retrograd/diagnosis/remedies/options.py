"""Remedies for a run of `retrograd train`: changes to its resolved options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies.starved import FEW_EPOCHS
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.training.options import Options

__all__ = [
    "add_weight_decay",
    "early_stopping",
    "lower_dropout",
    "lower_learning_rate",
    "lower_weight_decay",
    "more_epochs",
    "raise_dropout",
    "times",
]


def times(name: str, *factors: float) -> Callable[[Options, Finding | None], Variants[Options]]:
    """Multiply the option `name`, if the run has it, by each factor; integers stay integers."""

    def multiply(options: Options, finding: Finding | None) -> Variants[Options]:
        old = getattr(options, name) if name in options.ranges else None
        if not old:
            return []
        whole = isinstance(old, int)
        return _with(options, name, *(round(old * f) if whole else old * f for f in factors))

    return multiply


def lower_learning_rate(options: Options, finding: Finding | None) -> Variants[Options]:
    """Multiply by 0.3 and by 0.1; if that is still more than twice the usual rate, also use that.

    A run at 2,500 times the usual rate still diverges at a tenth of its own.
    """
    old = options.learning_rate
    usual = type(options).learning_rate
    rates = [0.3 * old, 0.1 * old, *([usual] if 2 * usual < 0.1 * old else [])]
    return _with(options, "learning_rate", *rates)


def more_epochs(options: Options, finding: Finding | None) -> Variants[Options]:
    """Three times as many epochs, with twice the patience; of few epochs also ten times."""
    if options.epochs is None or options.patience is None:
        return []
    found = []
    for factor in (3, 10) if options.epochs < FEW_EPOCHS else (3,):
        changed = options.replaced(epochs=factor * options.epochs, patience=2 * options.patience)
        found.append((f"epochs {options.epochs} -> {changed.epochs}", changed))
    return found


def early_stopping(options: Options, finding: Finding | None) -> Variants[Options]:
    """A patience of a tenth of the epochs, if that is less."""
    if options.epochs is None or options.patience is None:
        return []
    patience = max(3, options.epochs // 10)
    return _with(options, "patience", patience) if patience < options.patience else []


def add_weight_decay(options: Options, finding: Finding | None) -> Variants[Options]:
    """Ten times the decay; 0.01 and 0.1 if there is none."""
    old = options.weight_decay
    return _with(options, "weight_decay", *((10 * old,) if old else (0.01, 0.1)))


def lower_weight_decay(options: Options, finding: Finding | None) -> Variants[Options]:
    """No weight decay."""
    return _with(options, "weight_decay", 0.0)


def raise_dropout(options: Options, finding: Finding | None) -> Variants[Options]:
    """Dropout of 0.1 and 0.3, if higher than now."""
    return _with(options, "dropout", *(p for p in (0.1, 0.3) if p > options.dropout))


def lower_dropout(options: Options, finding: Finding | None) -> Variants[Options]:
    """Dropout of 0.1 and none, if lower than now."""
    return _with(options, "dropout", *(p for p in (0.1, 0.0) if p < options.dropout))


def _with(options: Options, name: str, *values: Any) -> Variants[Options]:
    """The option `name` set to each new value within its range."""
    old = getattr(options, name)
    low, high = options.ranges[name]
    found = []
    for value in dict.fromkeys(values):
        value = float(f"{value:.3g}") if isinstance(value, float) else value
        if low <= value <= high and value != old:
            words = f"{name} {_text(old)} -> {_text(value)}"
            found.append((words, options.replaced(**{name: value})))
    return found


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
