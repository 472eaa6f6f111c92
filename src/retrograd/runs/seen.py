"""Whether a run is asked about rows that it was trained on, of which its figures say little."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from retrograd.kinds.base.fitted import FittedModel
from retrograd.kinds.base.kind import Prepared
from retrograd.store import RunFolder
from retrograd.store.names import TRAIN, VALIDATION
from retrograd.store.seen import read_seen, write_seen
from retrograd.training.scores import Scores
from retrograd.wording import count

__all__ = ["keep_seen", "with_seen"]


def keep_seen(folder: RunFolder, prepared: Prepared[Any]) -> None:
    """Write the fingerprints of the rows that a run was trained on and stopped by."""
    split, of = prepared.split, prepared.model.fingerprints
    write_seen(folder, {TRAIN: of(split.train), VALIDATION: of(split.validation)})


def with_seen(
    folder: RunFolder, model: FittedModel, data: Any, scores: Scores, notes: list[str]
) -> Scores:
    """The scores on `data`, and how many of its rows the run knows; if any, a note says so."""
    known = read_seen(folder)
    if not known:
        return scores
    found = model.fingerprints(data)
    is_trained = np.isin(found, known[TRAIN])
    is_stopped = np.isin(found, known[VALIDATION]) & ~is_trained
    trained, stopped = int(is_trained.sum()), int(is_stopped.sum())
    of = f"of the {count(len(found), model.noun)}"
    facts = []
    if trained:
        facts.append(f"it was trained on {trained:,} {of}")
    if stopped:
        facts.append(
            f"stopped by {stopped:,}" if trained else f"it was stopped by {stopped:,} {of}"
        )
    if facts:
        notes.append(
            f"The run knows this data: {' and '.join(facts)}. The figures tell how well it "
            "remembers, not how it does on what is new."
        )
    return replace(scores, trained_on=trained, stopped_by=stopped)
