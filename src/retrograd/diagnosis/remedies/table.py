"""All remedies: how each is applied to a Program, and to the options of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies import data, loss, model, options, outputs, steps, wiring
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.variants import Remedies, Variants
from retrograd.training.options import Options

__all__ = ["OPTION_REMEDIES", "PROGRAM_REMEDIES"]

_ForProgram = Callable[[Program, Finding | None], Variants[Program]]
_ForOptions = Callable[[Options, Finding | None], Variants[Options]]

# By `Remedy.change`; a change that is missing here must be made by hand. A run scales its data,
# initializes its weights and shuffles by itself, and has no options for that. The factors differ,
# since options have bounds and defaults that suit the run.
_TABLE: Mapping[str, tuple[_ForProgram, _ForOptions | None]] = {
    "lower_learning_rate": (steps.lower_learning_rate, options.lower_learning_rate),
    "raise_learning_rate": (steps.raise_learning_rate, options.times("learning_rate", 3.0, 10.0)),
    "adam": (steps.adam, None),
    "schedule": (steps.schedule, None),
    "warmup": (steps.warmup, None),
    "clip_gradients": (steps.clip_gradients, options.times("clip_norm", 0.1)),
    "raise_clip": (steps.raise_clip, options.times("clip_norm", 10.0, 100.0)),
    "larger_batch": (steps.larger_batch, options.times("batch_size", 4)),
    "smaller_batch": (steps.smaller_batch, options.times("batch_size", 0.25)),
    "more_epochs": (steps.more_epochs, options.more_epochs),
    "fewer_epochs": (steps.fewer_epochs, options.times("epochs", 0.5, 0.25)),
    "early_stopping": (steps.early_stopping, options.early_stopping),
    "add_weight_decay": (steps.add_weight_decay, options.add_weight_decay),
    "lower_weight_decay": (steps.lower_weight_decay, options.lower_weight_decay),
    "shuffle": (steps.shuffle, None),
    "initialize": (model.initialize, None),
    "activation_relu": (model.activation_relu, None),
    "activation_leaky_relu": (model.activation_leaky_relu, None),
    "add_activation": (model.add_activation, None),
    "add_normalization": (model.add_normalization, None),
    "batch_norm_momentum": (model.batch_norm_momentum, None),
    "residual": (model.residual, None),
    "raise_dropout": (model.raise_dropout, options.raise_dropout),
    "lower_dropout": (model.lower_dropout, options.lower_dropout),
    "larger_model": (model.larger_model, options.times("width", 2)),
    "smaller_model": (model.smaller_model, options.times("width", 0.5)),
    "remove_output_activation": (outputs.remove_output_activation, None),
    "sigmoid_output": (outputs.sigmoid_output, None),
    "widen_output": (outputs.widen_output, None),
    "flip_sign": (wiring.flip_sign, None),
    "match_shapes": (wiring.match_shapes, None),
    "usual_loop": (wiring.usual_loop, None),
    "train_all": (wiring.train_all, None),
    "rows_first": (wiring.rows_first, None),
    "scale_inputs": (data.scale_inputs, None),
    "scale_target": (data.scale_target, None),
    "fill_missing": (data.fill_missing, None),
    "drop_duplicates": (data.drop_duplicates, None),
    "drop_mislabeled": (data.drop_mislabeled, None),
    "drop_column": (data.drop_column, None),
    "resample": (data.resample, None),
    "change_loss": (loss.change_loss, None),
    "weigh_classes": (loss.weigh_classes, None),
    "label_smoothing": (loss.label_smoothing, None),
}

PROGRAM_REMEDIES = Remedies({change: program for change, (program, _) in _TABLE.items()})
OPTION_REMEDIES = Remedies({change: run for change, (_, run) in _TABLE.items() if run is not None})
