"""Remedies for what is wrong with a run, tried on its options; those that help are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from retrograd.diagnosis.catalogue import catalogue
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.recorder import Recorder
from retrograd.diagnosis.remedies.planning import BY_HAND
from retrograd.diagnosis.remedies.search import try_remedies
from retrograd.diagnosis.remedies.starved import with_starved
from retrograd.diagnosis.remedies.table import OPTION_REMEDIES
from retrograd.diagnosis.remedies.trials import Fix, FixInterrupted, FixProgress, Scored, bounded
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.errors import RunError
from retrograd.runs.data import RunData
from retrograd.runs.findings import trained_case
from retrograd.store import RunFolder, load_options, read_history
from retrograd.store.findings import muted_codes
from retrograd.store.names import FIX, OPTIONS, TRIALS
from retrograd.training.history import History, Verdict
from retrograd.training.metrics import decisive
from retrograd.training.options import Options
from retrograd.training.scores import Scores

__all__ = ["fix_run", "trials_json"]


# What a person can do about a run that `retrograd train` made is about the data, which is theirs;
# the network, its loss and its loop are not.
_ABOUT_DATA = 2  # the catalogue's stage
_IN_THE_DATA = frozenset({BY_HAND, "drop_column", "drop_duplicates", "drop_mislabeled"})


def fix_run(
    folder: RunFolder,
    data: RunData,
    findings: Sequence[Finding],
    *,
    seeds: Sequence[int],
    budget: int,
    progress: Callable[[FixProgress], None] | None,
) -> Fix[Options]:
    """Try remedies for a run's options and keep in RUN/fix what was tried; see `Run.fix`."""
    options, muted = load_options(folder), muted_codes(folder)

    def apply(changed: Options, finding: Finding, remedy: Remedy) -> Variants[Options]:
        return OPTION_REMEDIES.variants(remedy.change, changed, finding)

    def train(changed: Options, seed: int) -> Scored:
        return _trained(data, changed.replaced(seed=options.seed + seed), muted)

    try:
        found = try_remedies(
            options,
            with_starved(findings, _losses(read_history(folder))),
            apply,
            train,
            random=lambda besides: OPTION_REMEDIES.random(options, besides, options.seed),
            seeds=seeds,
            budget=budget,
            can_do=_is_about_data,
            progress=progress,
        )
    except FixInterrupted as stop:
        _write(folder, stop.so_far)
        raise
    _write(folder, found)
    return found


def _is_about_data(finding: Finding, remedy: Remedy) -> bool:
    return catalogue()[finding.code].stage == _ABOUT_DATA and remedy.change in _IN_THE_DATA


def _trained(data: RunData, options: Options, muted: frozenset[str]) -> Scored:
    prepared, recorder = data.prepared_anew(options), Recorder()

    @cache
    def diagnose() -> list[Finding]:
        found = examined(trained_case(recorder.record, prepared, prepared.model), muted)
        return with_starved(found, _losses(prepared.trainer.history))

    try:
        # The loop takes Ctrl-C for the end of one run; here it is meant for all of them, and what
        # was cut short has no score that could stand beside others.
        if prepared.fit([recorder]).verdict is Verdict.INTERRUPTED:
            raise KeyboardInterrupt
    except RunError:  # it diverged, and has the best weights so far
        if prepared.trainer.history.best is None:
            return Scored(-1.0, -1.0, diagnose)
    model, split = prepared.model, prepared.split
    validation = _figure(model.score(split.validation))
    test = validation if split.test is None else _figure(model.score(split.test))
    return Scored(validation, test, diagnose)


def _losses(history: History) -> list[float]:
    return [each.validation_loss for each in history.epochs]


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
    if not found.kept:
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
                "mends": trial.mends,
            }
            for trial in trials
        ],
        "by_hand": [{"finding": f.code, "remedy": remedy.text} for f, remedy in found.by_hand],
        "kept": [trial.change for trial in found.kept],
        "interrupted": found.interrupted,
    }
