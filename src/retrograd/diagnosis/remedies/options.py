"""Remedies for a run of `retrograd train`: changes to its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from retrograd.training.options import Options

__all__ = ["changed_options", "random_options"]

Changed = tuple[str, Options]


def changed_options(change: str, config: Options) -> list[Changed]:
    """The ways to make a change to resolved options that are worth a try; none if none applies.

    `change` is a `Remedy.change`. What a run does by itself (scaling, initial weights, shuffling)
    or has no option for, is not here.
    """
    make = _REMEDIES.get(change)
    return [] if make is None else make(config)


def random_options(config: Options, besides: str, seed: int) -> list[Changed]:
    """Any change that applies, drawn at random, but for one: a trial of the trial."""
    names = [name for name in _REMEDIES if name != besides]
    for place in np.random.default_rng(seed).permutation(len(names)):
        if found := changed_options(names[place], config):
            return found
    return []


def _with(config: Options, name: str, *values: Any) -> list[Changed]:
    """The option `name` set to each of the values that it can have and has not."""
    old = getattr(config, name)
    low, high = config.ranges[name]
    found = []
    for value in dict.fromkeys(values):
        value = float(f"{value:.3g}") if isinstance(value, float) else value
        if low <= value <= high and value != old:
            found.append(
                (f"{name} {_text(old)} -> {_text(value)}", config.replaced(**{name: value}))
            )
    return found


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _times(name: str, *factors: float) -> Callable[[Options], list[Changed]]:
    """The option times each factor; whole if it is whole."""

    def make(config: Options) -> list[Changed]:
        old = getattr(config, name)
        if not old:
            return []
        whole = isinstance(old, int)
        return _with(config, name, *(round(old * f) if whole else old * f for f in factors))

    return make


def _lower_learning_rate(config: Options) -> list[Changed]:
    """Times 0.3, times 0.1, and where that is still more than twice the usual rate, that one.

    A run at 2,500 times the usual rate diverges at a tenth of its own as well.
    """
    old = config.learning_rate
    usual = type(config).learning_rate
    rates = [0.3 * old, 0.1 * old, *([usual] if 2 * usual < 0.1 * old else [])]
    return _with(config, "learning_rate", *rates)


def _more_epochs(config: Options) -> list[Changed]:
    if config.epochs is None or config.patience is None:
        return []
    changed = config.replaced(epochs=3 * config.epochs, patience=2 * config.patience)
    return [(f"epochs {config.epochs} -> {changed.epochs}", changed)]


def _early_stopping(config: Options) -> list[Changed]:
    if config.epochs is None or config.patience is None:
        return []
    patience = max(3, config.epochs // 10)
    return _with(config, "patience", patience) if patience < config.patience else []


def _width(factor: float) -> Callable[[Options], list[Changed]]:
    def make(config: Options) -> list[Changed]:
        return _times("width", factor)(config) if "width" in config.ranges else []

    return make


_REMEDIES: Mapping[str, Callable[[Options], list[Changed]]] = {
    "lower_learning_rate": _lower_learning_rate,
    "raise_learning_rate": _times("learning_rate", 3.0, 10.0),
    "clip_gradients": _times("clip_norm", 0.1),
    "raise_clip": _times("clip_norm", 10.0, 100.0),
    "larger_batch": _times("batch_size", 4),
    "smaller_batch": _times("batch_size", 0.25),
    "more_epochs": _more_epochs,
    "fewer_epochs": _times("epochs", 0.5, 0.25),
    "early_stopping": _early_stopping,
    "add_weight_decay": lambda config: _with(config, "weight_decay", *_raised(config)),
    "lower_weight_decay": lambda config: _with(config, "weight_decay", 0.0),
    "raise_dropout": lambda config: _with(
        config, "dropout", *(p for p in (0.1, 0.3) if p > config.dropout)
    ),
    "lower_dropout": lambda config: _with(
        config, "dropout", *(p for p in (0.1, 0.0) if p < config.dropout)
    ),
    "larger_model": _width(2),
    "smaller_model": _width(0.5),
}


def _raised(config: Options) -> tuple[float, ...]:
    return (10 * config.weight_decay,) if config.weight_decay else (0.01, 0.1)
