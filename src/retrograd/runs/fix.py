"""Remedies for what is wrong with a run, tried on its options until one is shown to help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.remedies.table import OPTION_REMEDIES
from retrograd.diagnosis.remedies.trials import (
    Fix,
    FixInterrupted,
    FixProgress,
    Scored,
    bounded,
    try_remedies,
)
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.errors import RunError
from retrograd.runs.data import RunData
from retrograd.store import RunFolder, load_options
from retrograd.store.names import FIX, OPTIONS, TRIALS
from retrograd.training.history import Verdict
from retrograd.training.metrics import decisive
from retrograd.training.options import Options
from retrograd.training.scores import Scores

__all__ = ["fix_run", "trials_json"]


def fix_run(
    folder: RunFolder,
    data: RunData,
    findings: Sequence[Finding],
    *,
    seeds: Sequence[int],
    tries: int,
    progress: Callable[[FixProgress], None] | None,
) -> Fix[Options]:
    """Try remedies for a run's options and keep in RUN/fix what was tried; see `Run.fix`."""
    options = load_options(folder)

    def variants(finding: Finding, remedy: Remedy) -> Variants[Options]:
        return OPTION_REMEDIES.variants(remedy.change, options, finding)

    def train(changed: Options, seed: int) -> Scored:
        return _trained(data, changed.replaced(seed=options.seed + seed))

    try:
        found = try_remedies(
            options,
            findings,
            variants,
            train,
            random=lambda besides: OPTION_REMEDIES.random(options, besides, options.seed),
            seeds=seeds,
            tries=tries,
            progress=progress,
        )
    except FixInterrupted as stop:
        _write(folder, stop.so_far)
        raise
    _write(folder, found)
    return found


def _trained(data: RunData, options: Options) -> Scored:
    prepared = data.prepared_anew(options)
    try:
        # The loop takes Ctrl-C for the end of one run; here it is meant for all of them, and what
        # was cut short has no score that could stand beside others.
        if prepared.fit().verdict is Verdict.INTERRUPTED:
            raise KeyboardInterrupt
    except RunError:  # it diverged, and has the best weights so far
        if prepared.trainer.history.best is None:
            return Scored(-1.0, -1.0)
    model, split = prepared.model, prepared.split
    validation = _figure(model.score(split.validation))
    test = validation if split.test is None else _figure(model.score(split.test))
    return Scored(validation, test)


def _figure(scores: Scores) -> float:
    """One figure of merit, higher is better, in a scale on which -1 is useless.

    An error is counted in shares of the baseline's.
    """
    metric = decisive(scores.metrics)
    value, baseline = scores.metrics[metric.key], scores.baseline[metric.key]
    if not metric.greater_is_better:
        value = 1 - value / baseline if baseline else -value
    return bounded(value, -1.0)


def _write(folder: RunFolder, found: Fix[Options]) -> None:
    """Write what was tried into RUN/fix, and the options that helped."""
    if not found.trials:
        return
    place = folder.path / FIX
    place.mkdir(exist_ok=True)
    beside = RunFolder(place)
    beside.write_json(TRIALS, trials_json(found))
    if found.kept is None:
        (place / OPTIONS).unlink(missing_ok=True)  # of an earlier fix, which no longer holds
    else:
        beside.write_json(OPTIONS, found.subject.to_json())


def trials_json(found: Fix[Options]) -> dict[str, Any]:
    """What was tried and what came of it, as RUN/fix/trials.json holds it."""
    trials = [*found.trials, *([] if found.random is None else [found.random])]
    return {
        "trials": [
            {
                "finding": trial.finding and trial.finding.code,
                "change": trial.change,
                "before": trial.before,
                "after": trial.after,
                "gain": trial.gain,
                "spread": trial.spread,
                "helped": trial.helped,
            }
            for trial in trials
        ],
        "by_hand": [{"finding": f.code, "remedy": remedy.text} for f, remedy in found.by_hand],
        "kept": found.kept and found.kept.change,
        "interrupted": found.interrupted,
    }
