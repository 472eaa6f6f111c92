"""Diagnose a program as its user would: train it under a Recorder, then run the checks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from retrograd.diagnosis.diagnose import diagnose_program
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.recorder import Recorder
from retrograd.diagnosis.remedies.program import Program


@contextmanager
def quietly() -> Iterator[None]:
    """Silence NumPy: some programs overflow, and its warnings are not findings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def diagnosed(program: Program, seed: int) -> tuple[float, list[Finding]]:
    """The held-out score of a run, and its findings, the likeliest cause first."""
    recorder = Recorder()
    with quietly():
        outcome = program.run(seed, recorder)
        return outcome.score, diagnose_program(program, outcome, recorder.record)
