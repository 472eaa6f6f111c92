"""One training of a network on weighted rows, by the `Trainer`, on programs kept for the next."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from retrograd.errors import UsageError
from retrograd.estimators.fitting.network import shapes_of
from retrograd.estimators.fitting.objective import WeightedObjective
from retrograd.estimators.fitting.optimizers import DecayedAdam, DecayedSGD, TunableOneCycle
from retrograd.estimators.fitting.plan import NetworkPlan
from retrograd.estimators.fitting.pool import Pool
from retrograd.estimators.fitting.rows import WeightedRows
from retrograd.kinds.base.resolved import Resolved
from retrograd.kinds.table.options import TableOptions
from retrograd.kinds.table.recipe import averaged_trainer, decay_groups
from retrograd.models import TableNet
from retrograd.random import manual_seed, seeded
from retrograd.training import Callback, History
from retrograd.training.trainer import Trainer

__all__ = ["Fit", "Trained"]

Array = np.ndarray[Any, Any]

# The random stream of a step is the process's, and XLA uses all cores for one program anyway.
_ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True)
class Trained:
    """The weights that are kept, how they came about, and what going on from here needs."""

    weights: dict[str, Array]
    history: History
    state: dict[str, Array]


@dataclass
class Fit:
    """What is trained, on what, and how.

    `start` are weights to start from; `state`, what an earlier `Trained` left, is gone on from at a
    constant learning rate, for `options.epochs` epochs more. `momentum` is that of SGD; Adam has
    None. Where a callback `records` the layers, the programs are that training's own.
    """

    plan: NetworkPlan
    objective: WeightedObjective
    train: WeightedRows
    validation: WeightedRows | None
    options: Resolved[TableOptions]
    momentum: float | None = None
    one_cycle: bool = True
    device: str | None = None
    callbacks: Sequence[Callback] = ()
    records: bool = False
    start: Mapping[str, Array] = field(default_factory=dict)
    state: Mapping[str, Array] = field(default_factory=dict)

    def run(self) -> Trained:
        """Train; raises RunError for a loss that is not finite, UsageError for no such device."""
        asked = self.options.asked
        with _ONE_AT_A_TIME, self._on_device(), seeded(asked.seed):
            network = self.plan.build(asked.seed)
            network.load_state_dict({**network.state_dict(), **self.start})
            key = (
                shapes_of(network),
                self.train.shapes,
                type(self.objective),
                self.momentum,
                self.one_cycle,
                self.device,
                (asked.average, asked.clip_norm),
            )
            make = partial(_Bench, self)
            borrowed = nullcontext(make()) if self.records else _BENCHES.borrowed(key, make)
            with borrowed as bench:
                manual_seed(asked.seed)
                return bench.train(self, network)

    def _on_device(self) -> AbstractContextManager[Any]:
        if self.device is None:
            return nullcontext()
        import jax

        try:
            return jax.default_device(jax.devices(self.device)[0])
        except RuntimeError as error:
            raise UsageError(
                f"device is {self.device!r}, and XLA has none: {error} Leave it out to train on "
                f"{jax.default_backend()!r}."
            ) from error


class _Bench:
    """A trainer with its compiled programs, and a source that fits of its shapes lend rows to."""

    def __init__(self, fit: Fit) -> None:
        options = fit.options.asked
        network = fit.plan.build(options.seed)
        groups = decay_groups(network, 1.0)
        self.optimizer: DecayedAdam | DecayedSGD = (
            DecayedAdam(groups) if fit.momentum is None else DecayedSGD(groups, fit.momentum)
        )
        self.schedule = TunableOneCycle(self.optimizer) if fit.one_cycle else None
        self.trainer: Trainer = averaged_trainer(
            network, fit.objective, self.optimizer, self.schedule, options
        )
        self.rows = WeightedRows(
            fit.train.inputs,
            fit.train.target,
            fit.train.weight,
            fit.train.names,
            fit.train.batching,
            fit.train.shuffle,
        )
        self._untouched = self.trainer.state()

    def train(self, fit: Fit, network: TableNet) -> Trained:
        trainer, options = self.trainer, fit.options
        fresh = {f"model/{name}": np.array(a) for name, a in network.state_dict().items()}
        trainer.load_state({**self._untouched, **fresh, **fit.state})
        trainer.objective = fit.objective
        self._tune(fit)
        fit.train.lend(self.rows)
        try:
            trainer.fit(
                self.rows,
                fit.validation,
                epochs=len(trainer.history.epochs) + options.epochs,
                batch_size=options.batch_size,
                seed=options.asked.seed,
                callbacks=fit.callbacks,
            )
            # Those of the best epoch, once a callback has restored them.
            weights = trainer.best_weights or trainer.validated_weights()
            history = History(list(trainer.history.epochs), trainer.history.verdict)
            return Trained(weights, history, trainer.state())
        finally:
            self.rows.forget()
            trainer.validation = None
            trainer.best_weights = {}

    def _tune(self, fit: Fit) -> None:
        asked = fit.options.asked
        self.optimizer.decay.data = np.asarray(asked.weight_decay)
        if self.schedule is not None:
            epoch = fit.train.batching.epoch
            self.schedule.tune(asked.learning_rate, fit.options.epochs * epoch)
            return
        for group in self.optimizer.param_groups:
            group["lr"] = asked.learning_rate


_BENCHES: Pool[_Bench] = Pool(16)
