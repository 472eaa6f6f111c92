"""From signals to a network that is ready to be trained to classify them."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.data.arrays import examples_kind
from retrograd.kinds.base.kind import DataSpec, Kind, Parts, Prepared, Split, introduction
from retrograd.kinds.base.resolved import Resolved
from retrograd.kinds.base.split import split_examples
from retrograd.kinds.signals.architectures import ARCHITECTURES
from retrograd.kinds.signals.data import Signals, read_signals
from retrograd.kinds.signals.model import SignalsModel
from retrograd.kinds.signals.options import SignalsOptions
from retrograd.training.objective import Classification
from retrograd.training.recipe import one_cycle_trainer
from retrograd.training.sources import Rows

__all__ = ["SIGNALS"]

_STEPS = 6000


class SignalsKind(Kind[Signals, SignalsOptions]):
    """Several numbers at each of many time steps, and the class of each signal."""

    name = "signals"
    options = SignalsOptions
    model = SignalsModel
    architectures = ARCHITECTURES
    needs_target = False

    def holds(self, data: Any) -> bool:
        return examples_kind(data) == "signals"

    def read(self, spec: DataSpec, options: SignalsOptions) -> Parts[Signals]:
        return read_signals(spec)

    def split(self, parts: Parts[Signals], options: SignalsOptions) -> Split[Signals]:
        return split_examples(parts, options.validation_share(), options.seed)

    def make(self, split: Split[Signals], options: SignalsOptions) -> Prepared[Signals]:
        train = split.train
        resolved, why = _resolved(options, len(train))
        std = train.x.std((0, 2))
        model = SignalsModel.build(
            train.classes,
            train.shape,
            np.bincount(train.codes, minlength=len(train.classes)) / len(train),
            resolved.to_options(),
            # A constant channel is only shifted to 0.
            (train.x.mean((0, 2)), np.where(std > 0, std, 1)),
        )
        rows = Rows((train.x,), train.codes)
        trainer = one_cycle_trainer(
            model.network,
            Classification(len(train.classes)),
            resolved.to_options(),
            rows.steps(resolved.batch_size),
        )
        return Prepared(
            model,
            trainer,
            resolved,
            rows,
            Rows((split.validation.x,), split.validation.codes),
            split,
            list(split.notes),
            introduction(f"the {resolved.model} for signals", model.network, why),
        )


def _resolved(options: SignalsOptions, rows: int) -> tuple[Resolved[SignalsOptions], str]:
    """The options left open, chosen by the number of training signals, and why this model."""
    batch_size = min(options.batch_size or 64, rows)
    epochs = options.epochs or min(120, max(10, _STEPS // (rows // batch_size)))
    model, why = options.model, ""
    if model == "auto":
        model, why = "cnn", "picked because it trains fastest on signals of any length"
    return Resolved(
        asked=options,
        model=ARCHITECTURES.find(model).name,
        batch_size=batch_size,
        epochs=epochs,
        patience=options.patience or epochs,
    ), why


SIGNALS = SignalsKind()
