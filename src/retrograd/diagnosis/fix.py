"""`rg.fix`: a program's findings, and its remedies tried, until one is shown to help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from retrograd.diagnosis.diagnose import diagnose_program
from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.recorder import Recorder
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.table import PROGRAM_REMEDIES
from retrograd.diagnosis.remedies.trials import Fix, FixProgress, Scored, bounded, try_remedies
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.training.predictor import Predictor

__all__ = ["fix"]

# An R² of -1 and an accuracy of 0 are as useless as any worse one.
_LEAST = {"regression": -1.0, "classification": 0.0}


def fix(
    program: Program,
    findings: Iterable[Finding] | None = None,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    tries: int = 3,
    beside_random: bool = True,
    progress: Callable[[FixProgress], None] | None = None,
) -> Fix[Program]:
    """Try remedies for what is wrong with `program`, and keep the first that is shown to help.

    `findings` are what `program` was diagnosed with, the likeliest cause first; by default it is
    trained once under a Recorder and looked at. Each remedy is trained for the same budget with
    every seed, beside the untouched program and, with `beside_random`, beside a random change; it
    helps if the held-out score is better by more than the spread between seeds. At most `tries`
    remedies are tried. Nothing of `program` is changed: the result's `subject` is another one.

    Raises TypeError for what is no Program, and at Ctrl-C FixInterrupted, a KeyboardInterrupt that
    has what was tried until then.
    """
    if not isinstance(program, Program):
        raise TypeError(
            f"fix: program is of type {type(program).__name__}; expected a "
            "Program, which says how a model is built and trained."
        )
    if findings is None:
        recorder = Recorder()
        outcome = program.run(seeds[0], recorder)
        findings = diagnose_program(program, outcome, recorder.record)

    def random(besides: str) -> Variants[Program]:
        return PROGRAM_REMEDIES.random(program, besides, 0)

    def variants(finding: Finding, remedy: Remedy) -> Variants[Program]:
        return PROGRAM_REMEDIES.variants(remedy.change, program, finding)

    return try_remedies(
        program,
        findings,
        variants,
        _train,
        random=(lambda besides: PROGRAM_REMEDIES.random(program, besides, 0))
        if beside_random
        else None,
        seeds=seeds,
        tries=tries,
        progress=progress,
    )


def _train(program: Program, seed: int) -> Scored:
    outcome = program.run(seed)
    least = _LEAST[program.task]
    test = bounded(outcome.score, least)
    if program.test is None:
        return Scored(test, test)
    validation = program.score(Predictor(outcome.model), program.valid)
    return Scored(bounded(validation, least), test)
