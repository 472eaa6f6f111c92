"""`rg.fix`: try the remedies for a program's findings until one is shown to help."""

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

# Below an R² of -1 or an accuracy of 0, scores are equally useless.
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

    `findings` is the diagnosis of `program`, the likeliest cause first; by default the program is
    trained once under a Recorder and diagnosed. Each remedy is trained with every seed on the same
    budget as the unchanged program and, with `beside_random`, a random change. A remedy helps if
    the held-out score improves by more than the spread between seeds. At most `tries` remedies are
    tried. `program` itself is not changed: the result's `subject` is a new one.

    Raises TypeError if `program` is not a Program. At Ctrl-C, raises FixInterrupted, a
    KeyboardInterrupt that holds the trials completed so far.
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
