"""Diagnose programs by other people, and count how often the diagnosis is right.

    python benchmarks/field seen      the half that thresholds may be tuned on
    python benchmarks/field unseen    the half whose figures count

Results are kept in --results, one line for each training; programs that have one are not run again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from collection import programs
from figures import report
from measuring import Outcome, measured_by_name

# What a process compiles is kept as long as it lives.
_TOGETHER = 12


def main() -> None:
    """Measure what is missing, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("half", choices=("seen", "unseen"))
    parser.add_argument("--results", type=Path, help="a file of JSON lines")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], help="names of programs, or parts of them")
    options = parser.parse_args()
    results = options.results or Path(tempfile.gettempdir()) / f"field-{options.half}.jsonl"
    done = {each.name for each in _read(results)}
    names = [
        each.name
        for each in programs(options.half)
        if each.name not in done
        and (not options.only or any(part in each.name for part in options.only))
    ]
    # In the order of a hash: what has been run so far is a random sample.
    names.sort(key=lambda name: hashlib.sha256(name[::-1].encode()).digest())
    count = 0
    with results.open("a", encoding="utf-8") as file:
        for start in range(0, len(names), _TOGETHER * options.jobs):
            chunk = names[start : start + _TOGETHER * options.jobs]
            for outcomes in _all_measured(options.half, chunk, options.jobs):
                count += 1
                for each in outcomes:
                    file.write(json.dumps(each.to_json()) + "\n")
                    file.flush()
                    print(f"[{count}/{len(names)}] {_line(each)}", flush=True)
    print(report(_read(results)))


def _all_measured(half: str, names: list[str], jobs: int) -> Iterator[list[Outcome]]:
    """The outcomes of some programs, in processes that end with them."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        tasks = {pool.submit(measured_by_name, half, name): name for name in names}
        for task in as_completed(tasks):
            try:
                yield task.result()
            except Exception as error:  # a program that does not run is no result
                print(f"{tasks[task]} FAILED: {type(error).__name__}: {error}", flush=True)


def _line(each: Outcome) -> str:
    ended = "well" if each.ended_well else "badly"
    return (
        f"{each.name} ({each.part}) {each.score:.3g}/{each.well:.3g} {ended}; "
        f"before {','.join(each.before.alarms) or '-'}; after {','.join(each.after.alarms) or '-'}"
        + (f"; right {','.join(each.right)}" if each.part == "faulty" else "")
        + (
            f"; FAILED {each.before.failed + each.after.failed}"
            if each.before.failed + each.after.failed
            else ""
        )
    )


def _read(results: Path) -> list[Outcome]:
    if not results.exists():
        return []
    lines = results.read_text("utf-8").splitlines()
    return [Outcome.from_json(json.loads(line)) for line in lines]


if __name__ == "__main__":
    main()
