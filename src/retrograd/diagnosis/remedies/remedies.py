"""Remedies by name: from a program and what was found, to changed programs that are worth a try."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies import data, loss, model, steps
from retrograd.diagnosis.remedies.program import Program

__all__ = ["Changed", "changed_programs", "random_change"]

Changed = tuple[str, Program]
"""What was changed, in words, and the program with the change."""

# Each gives the ways to make its change that are worth a try, likeliest first; none where it does
# not apply. Of `Remedy.change`; what is missing here a person must do.
_REMEDIES: Mapping[str, Callable[[Program, Finding | None], list[Changed]]] = {
    "lower_learning_rate": steps.lower_learning_rate,
    "raise_learning_rate": steps.raise_learning_rate,
    "adam": steps.adam,
    "schedule": steps.schedule,
    "warmup": steps.warmup,
    "clip_gradients": steps.clip_gradients,
    "raise_clip": steps.raise_clip,
    "larger_batch": steps.larger_batch,
    "smaller_batch": steps.smaller_batch,
    "more_epochs": steps.more_epochs,
    "fewer_epochs": steps.fewer_epochs,
    "early_stopping": steps.early_stopping,
    "add_weight_decay": steps.add_weight_decay,
    "lower_weight_decay": steps.lower_weight_decay,
    "shuffle": steps.shuffle,
    "initialize": model.initialize,
    "activation_relu": model.activation_relu,
    "activation_leaky_relu": model.activation_leaky_relu,
    "add_activation": model.add_activation,
    "add_normalization": model.add_normalization,
    "batch_norm_momentum": model.batch_norm_momentum,
    "residual": model.residual,
    "raise_dropout": model.raise_dropout,
    "lower_dropout": model.lower_dropout,
    "larger_model": model.larger_model,
    "smaller_model": model.smaller_model,
    "remove_output_activation": model.remove_output_activation,
    "scale_inputs": data.scale_inputs,
    "scale_target": data.scale_target,
    "fill_missing": data.fill_missing,
    "drop_duplicates": data.drop_duplicates,
    "drop_column": data.drop_column,
    "resample": data.resample,
    "change_loss": loss.change_loss,
    "weigh_classes": loss.weigh_classes,
    "label_smoothing": loss.label_smoothing,
}


def changed_programs(change: str, program: Program, finding: Finding | None) -> list[Changed]:
    """The ways to make a change to `program` that are worth a try; none if it does not apply."""
    make = _REMEDIES.get(change)
    return [] if make is None else make(program, finding)


def random_change(program: Program, besides: str, seed: int) -> list[Changed]:
    """Any change that applies to `program`, drawn at random, but for one: a trial of the trial."""
    names = [name for name in _REMEDIES if name != besides]
    for place in np.random.default_rng(seed).permutation(len(names)):
        found = changed_programs(names[place], program, None)
        if found:
            return found
    return []
