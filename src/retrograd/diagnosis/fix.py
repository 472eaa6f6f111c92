"""`rg.fix`: try the remedies for a program's findings, and keep those that are shown to help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from retrograd.diagnosis.diagnose import diagnose_program
from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.recorder import Recorder
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.search import try_remedies
from retrograd.diagnosis.remedies.starved import with_starved
from retrograd.diagnosis.remedies.table import PROGRAM_REMEDIES
from retrograd.diagnosis.remedies.trials import Fix, FixProgress, Scored, bounded
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.training.predictor import Predictor

__all__ = ["fix"]

# Below an R² of -1 or an accuracy of 0, scores are equally useless.
_LEAST = {"regression": -1.0, "classification": 0.0}


def fix(
    program: Program,
    findings: Iterable[Finding] | None = None,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    budget: int = 40,
    beside_random: bool = True,
    progress: Callable[[FixProgress], None] | None = None,
) -> Fix[Program]:
    """Try remedies for what is wrong with `program`, and keep those that are shown to help.

    `findings` is the diagnosis of `program`, the likeliest cause first; by default it is trained
    under a Recorder and diagnosed. A remedy is trained with every seed, like the unchanged program
    and, with `beside_random`, a random change. It is kept if the held-out score improves by more
    than the spread between seeds, or if it ends a fault that is certain, at no cost; then the
    changed program is diagnosed anew, and the next remedy is tried on top of it. So faults that
    stand together are mended one after the other. At most `budget` trainings are run, those of the
    unchanged program and of the random change included. `program` itself is not changed: the
    result's `subject` is a new one.

    Raises TypeError if `program` is not a Program. At Ctrl-C, raises FixInterrupted, a
    KeyboardInterrupt that holds the trials completed so far.
    """
    if not isinstance(program, Program):
        raise TypeError(
            f"fix: program is of type {type(program).__name__}; expected a "
            "Program, which says how a model is built and trained."
        )

    def apply(changed: Program, finding: Finding, remedy: Remedy) -> Variants[Program]:
        return PROGRAM_REMEDIES.variants(remedy.change, changed, finding)

    def random(besides: str) -> Variants[Program]:
        return PROGRAM_REMEDIES.random(program, besides, 0)

    return try_remedies(
        program,
        findings,
        apply,
        _train,
        random=random if beside_random else None,
        seeds=seeds,
        budget=budget,
        progress=progress,
    )


def _train(program: Program, seed: int) -> Scored:
    recorder = Recorder()
    outcome = program.run(seed, recorder)
    least = _LEAST[program.task]

    @cache
    def diagnose() -> list[Finding]:
        found = diagnose_program(program, outcome, recorder.record)
        return with_starved(found, outcome.validation_loss)

    test = bounded(outcome.score, least)
    if program.test is None:
        return Scored(test, test, diagnose)
    validation = program.score(Predictor(outcome.model), program.valid)
    return Scored(bounded(validation, least), test, diagnose)
