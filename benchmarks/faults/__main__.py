"""Faulty programs and their healthy twins: are faults found, and are false alarms rare?

    python benchmarks/faults measure [--data FOLDER] [--results FILE] [--minutes N]
    python benchmarks/faults repair

Runs each program of a half ("tune" or "measure", see draw.py) with three seeds under the recorder
and diagnoses it as its user would; the first finding counts as the named cause. `repair` applies
the first remedy to the programs of the measuring half. Each run adds a line to the results file,
and a run with a line is skipped, so a benchmark that was interrupted, or ended after `--minutes`,
resumes; after a change of the code it starts over in a new file. Once all runs are done, the
figures are printed, and those of "measure" and "repair" are written to docs/results.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent))

import data
import figures
import repairs
from cases import Case, cases
from diagnosis import diagnosed

import retrograd

SEEDS = range(3)

Line = dict[str, Any]


def diagnoses(half: str, lines: list[Line]) -> Iterator[Callable[[], Line]]:
    """The runs without a line yet: all programs with the first seed, then with the next."""
    done = {(line["case"], line["twin"], line["seed"]) for line in lines}
    for seed in SEEDS:
        for case in cases(half):
            for twin in ("healthy", "faulty"):
                if (case.name, twin, seed) not in done:
                    yield lambda case=case, twin=twin, seed=seed: diagnose(case, twin, seed)


def diagnose(case: Case, twin: str, seed: int) -> Line:
    """One run and its findings."""
    healthy, faulty = case.build()
    started = time.perf_counter()
    score, findings = diagnosed(healthy if twin == "healthy" else faulty, seed)
    return {
        "case": case.name,
        "kind": case.kind,
        "twin": twin,
        "seed": seed,
        "score": score,
        "findings": [[each.code, each.severity, each.evidence.text] for each in findings],
        "seconds": round(time.perf_counter() - started, 2),
    }


def attempts(lines: list[Line]) -> Iterator[Callable[[], Line]]:
    """The repairs without a line yet."""
    for case in repairs.repairable({line["case"] for line in lines}):
        yield lambda case=case: repairs.repair(case, SEEDS)


def default_file(what: str) -> Path:
    """A file in the temporary folder, named after a hash of the package and of this folder."""
    code = hashlib.sha256()
    for folder in Path(retrograd.__file__).parent, Path(__file__).parent:
        for file in sorted(folder.rglob("*.py")):
            code.update(file.read_bytes())
    name = f"retrograd-faults-{what}-{code.hexdigest()[:12]}.jsonl"
    return Path(tempfile.gettempdir()) / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("tune", "measure", "repair"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument(
        "--results",
        type=Path,
        help="JSON lines; by default one of this code in the temporary folder",
    )
    parser.add_argument("--minutes", type=float, default=float("inf"))
    given = parser.parse_args()
    data.FOLDER = given.data
    file = given.results or default_file(given.what)
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    ends = time.monotonic() + 60 * given.minutes
    for run in attempts(lines) if given.what == "repair" else diagnoses(given.what, lines):
        if time.monotonic() > ends:
            print(f"{len(lines)} runs are in {file}; run the same command again to resume.")
            return
        lines.append(run())
        with file.open("a") as out:
            print(json.dumps(lines[-1]), file=out)
        print(figures.brief(lines[-1]), flush=True)
    if given.what == "repair":
        repairs.report(lines)
    else:
        figures.report(given.what, lines)


if __name__ == "__main__":
    main()
