"""Train a program as its author does and diagnose it as he would, before and after the run."""

from __future__ import annotations

import time
import warnings
from dataclasses import asdict, dataclass, field
from typing import Any

from collection import Faulty, Healthy, programs
from training import Training, ran

import retrograd as rg
from retrograd.diagnosis.finding import Finding

__all__ = ["Look", "Outcome", "measured", "measured_by_name"]


@dataclass(frozen=True)
class Look:
    """One diagnosis: `(code, severity, evidence)` of the findings, and what failed within it."""

    findings: list[tuple[str, str, str]]
    failed: list[str]
    seconds: float

    def codes(self, *severities: str) -> list[str]:
        """The codes of the findings of these severities, in their order."""
        return [code for code, severity, _ in self.findings if severity in severities]

    @property
    def alarms(self) -> list[str]:
        """The codes of errors and warnings."""
        return self.codes("error", "warning")


@dataclass(frozen=True)
class Outcome:
    """A training's figure, and the looks before and after its run."""

    name: str
    part: str  # "healthy", "faulty" or "repaired"
    shape: str
    score: float
    well: float
    seconds: float
    before: Look
    after: Look
    right: tuple[str, ...] = ()
    saved: dict[str, Any] = field(default_factory=dict)

    @property
    def ended_well(self) -> bool:
        return self.score >= self.well

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Outcome:
        looks = {
            name: Look(**{**saved[name], "findings": [tuple(f) for f in saved[name]["findings"]]})
            for name in ("before", "after")
        }
        return cls(**{**saved, **looks, "right": tuple(saved["right"])})


def measured(program: Healthy | Faulty, seed: int = 0) -> list[Outcome]:
    """The outcome of a healthy program, or of a faulty one and its repair."""
    built = program.build()
    if isinstance(program, Healthy):
        return [_outcome(program.name, "healthy", program.shape, built, (), seed)]
    parts = zip(("faulty", "repaired"), built, strict=True)
    return [
        _outcome(program.name, part, program.shape, training, program.right, seed)
        for part, training in parts
    ]


def measured_by_name(half: str, name: str) -> list[Outcome]:
    """`measured`, in a process of its own."""
    warnings.simplefilter("ignore", RuntimeWarning)
    return measured(next(each for each in programs(half) if each.name == name))


def _outcome(
    name: str, part: str, shape: str, training: Training, right: tuple[str, ...], seed: int
) -> Outcome:
    rg.manual_seed(seed)
    model = training.model()
    optimizer = training.optimizer(model.parameters())
    before = _look(training, model, optimizer)
    start = time.perf_counter()
    run = ran(training, seed)
    seconds = time.perf_counter() - start
    after = _look(training, run.model, run.optimizer, valid=training.valid, record=run.record)
    return Outcome(name, part, shape, run.score, training.well, seconds, before, after, right)


def _look(training: Training, model: Any, optimizer: Any, **more: Any) -> Look:
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found: list[Finding] = rg.diagnose(
                model,
                training.train,
                loss=training.loss,
                optimizer=optimizer,
                task=training.task,
                batch_size=training.batch_size,
                **more,
            )
            failed = []
        except Exception as error:  # whatever a diagnosis raises is a failure to count
            found, failed = [], [f"{type(error).__name__}: {error}"]
    failed += [str(each.message) for each in caught if each.category.__name__ == "CheckWarning"]
    return Look(
        [(each.code, each.severity, each.evidence.text) for each in found],
        failed,
        time.perf_counter() - start,
    )
