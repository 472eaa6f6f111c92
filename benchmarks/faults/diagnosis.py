"""A program diagnosed as its user would: trained under a Recorder, then looked at."""

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
    """Programs that overflow are among those run; NumPy's word for it is no finding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def diagnosed(program: Program, seed: int) -> tuple[float, list[Finding]]:
    """The held-out score of a run, and the findings, the likeliest cause first."""
    recorder = Recorder()
    with quietly():
        outcome = program.run(seed, recorder)
        return outcome.score, diagnose_program(program, outcome, recorder.record)
