"""Mend injected faults with `rg.fix`, which knows no language model, and count what is mended.

python benchmarks/injected               all kinds, and the table in docs/results.md
python benchmarks/injected --look        the scores of the programs alone, before anything is mended
python benchmarks/injected NAME ...      some kinds, printed
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import gettempdir

sys.path.insert(0, str(Path(__file__).parent.parent))  # what all benchmarks share

from kinds import Injected, kinds
from results import record, table

import retrograd as rg

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Line:
    """What came of one kind: mean scores on the healthy program's test rows."""

    name: str
    source: str
    mended: float
    healthy: float
    faulty: float
    after: float
    kept: list[str]
    found: list[str]
    trainings: int
    seconds: float

    @property
    def is_mended(self) -> bool:
        return self.after >= self.mended


def mend(kind: Injected, budget: int) -> Line:
    """Run `rg.fix` on the faulty program, and score its result."""
    started = time.process_time()
    healthy, faulty = kind.build()
    aim = score(healthy)
    trainings = 0

    def count(progress: rg.diagnosis.remedies.trials.FixProgress) -> None:
        nonlocal trainings
        trainings = progress.done

    found = rg.fix(faulty, seeds=SEEDS, budget=budget, beside_random=False, progress=count)
    return Line(
        kind.name,
        kind.source,
        kind.mended,
        aim,
        score(faulty),
        statistics.fmean(found.scores) if found.scores else score(faulty),
        [trial.change for trial in found.kept],
        [trial.finding.code for trial in found.trials if trial.finding],
        trainings,
        time.process_time() - started,
    )


def score(program: rg.Program) -> float:
    """The mean test score; a run that ends in no number is as bad as can be."""
    least = -1.0 if program.task == "regression" else 0.0
    scores = [program.run(seed).score for seed in SEEDS]
    return statistics.fmean(max(least, each) if each == each else least for each in scores)


def report(lines: list[Line], budget: int) -> None:
    """The table, and how many of all are mended."""
    header = ("fault", "from", "healthy", "faulty", "mended from", "after `rg.fix`", "kept")
    rows = [
        (
            each.name,
            each.source,
            f"{each.healthy:.3f}",
            f"{each.faulty:.3f}",
            f"{each.mended:.2f}",
            f"**{each.after:.3f}**" if each.is_mended else f"{each.after:.3f}",
            "; ".join(each.kept) or "nothing",
        )
        for each in sorted(lines, key=lambda each: (not each.is_mended, each.name))
    ]
    hits = sum(each.is_mended for each in lines)
    record(
        "injected",
        "Injected faults",
        f"{len(lines)} kinds of fault that mutation operators and repair benchmarks inject, each "
        "in a small healthy program (`python benchmarks/injected`). Mean test scores of three "
        "seeds, R² or accuracy. The score from which a fault counts as mended, nine tenths of the "
        f"way back, was fixed before `rg.fix` was first run. It has {budget} trainings for each, "
        "judges by the same test rows, and has no language model. It mends "
        f"**{hits} of {len(lines)}** (target: more than 18).\n\n" + table(header, rows),
    )


def main() -> None:
    """Look, or mend all kinds or some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--look", action="store_true", help="only score the programs")
    parser.add_argument("--budget", type=int, default=40, help="trainings for each kind")
    parser.add_argument("--results", type=Path, help="a file of JSON lines, to go on with")
    options = parser.parse_args()
    results = options.results or Path(gettempdir()) / "injected.jsonl"
    chosen = [each for each in kinds() if not options.names or each.name in options.names]
    if options.look:
        for kind in chosen:
            healthy, faulty = map(score, kind.build())
            print(f"{kind.name}: healthy {healthy:.3f}, faulty {faulty:.3f}", flush=True)
        return
    known = [] if options.names or not results.exists() else results.read_text().splitlines()
    lines = [Line(**json.loads(each)) for each in known]
    done = {each.name for each in lines}
    for kind in chosen:
        if kind.name in done:
            continue
        lines.append(mend(kind, options.budget))
        print(lines[-1], lines[-1].is_mended, flush=True)
        if not options.names:
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(lines[-1])) + "\n")
    if not options.names:
        report(lines, options.budget)


if __name__ == "__main__":
    main()
