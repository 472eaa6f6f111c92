"""Mutation testing of the operations and their rules; `make mutation` runs it.

    python tools/mutation [FILE ...] [--again] [--report] [--jobs N] [--budget SECONDS]

FILE is a path in src/retrograd/ops, such as `reductions/sums.py`; all of them by default. Each
mutant runs the tests that run its line, those for its own operation first, then the quicker ones
first, until one fails or all have passed whose CPU times add up to the budget. A run that is
stopped goes on where it was; a changed file starts anew. `--again` tries the survivors only, once
more, after tests were added. `--report` only writes docs/mutation.md from what is known.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult
from lines import Lines
from mutants import changed_lines, mutants, mutated
from page import PAGE, Fate, write_page
from trial import OPS, ROOT, fork, preload, relative, try_mutant

STATE = ROOT / ".mutation"


def main() -> None:
    """Try the mutants that are pending, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--again", action="store_true", help="try the survivors only, once more")
    parser.add_argument("--report", action="store_true", help="only write docs/mutation.md")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at the same time (default 2)")
    parser.add_argument(
        "--budget", type=float, default=40, help="CPU seconds of tests a mutant (default 40)"
    )
    options = parser.parse_args()
    STATE.mkdir(exist_ok=True)
    items = {relative(file): mutants(file) for file in sorted(OPS.rglob("*.py"))}
    if unknown := set(options.files) - items.keys():
        parser.error(f"no file of that name in {OPS.relative_to(ROOT)}: {', '.join(unknown)}")
    os.environ["MUTATION_ANSWERS"] = str(STATE / "answers")
    with use_db(STATE / "session.sqlite") as session:
        known = {item.job_id for item in session.work_items}
        session.add_work_items(
            item for found in items.values() for item in found if item.job_id not in known
        )
        if not options.report:
            results = dict(session.results)
            survivors = {
                job for job, found in results.items() if found.test_outcome == TestOutcome.SURVIVED
            }
            # In the order of their ids, which are hashes: what has been tried is a random sample.
            pending = sorted(
                (
                    (OPS / name, item)
                    for name in options.files or items
                    for item in items[name]
                    if (item.job_id in survivors if options.again else item.job_id not in results)
                ),
                key=lambda pair: pair[1].job_id,
            )
            if pending:
                preload()
                lines = Lines(STATE, options.jobs)
                _try_all(pending, lines, session, options.jobs, options.budget)
        results = dict(session.results)
    write_page(
        {
            name: [
                Fate(item.mutations[0].start_pos[0], results[item.job_id])
                for item in found
                if item.job_id in results
            ]
            for name, found in items.items()
        },
        {name: len(found) for name, found in items.items()},
    )
    print(f"wrote {PAGE.relative_to(ROOT)}")


def _try_all(
    pending: list[tuple[Path, WorkItem]], lines: Lines, session: WorkDB, jobs: int, budget: float
) -> None:
    """Try each mutant in a process of its own, `jobs` of them at a time."""
    running: dict[int, tuple[Path, WorkItem, str]] = {}
    waiting = iter(pending)
    start, done, survived = time.monotonic(), 0, 0
    while True:
        while len(running) < jobs and (following := next(waiting, None)):
            pid, diff = _start(*following, lines, budget)
            running[pid] = (*following, diff)
        if not running:
            break
        pid, status = os.wait()
        file, item, diff = running.pop(pid)
        result = _judged(os.waitstatus_to_exitcode(status), diff)
        session.set_result(item.job_id, result)
        done += 1
        if result.test_outcome == TestOutcome.SURVIVED:
            survived += 1
            print(f"survived: {relative(file)}:{item.mutations[0].start_pos[0]}\n{diff}")
        if done % 20 == 0 or done == len(pending):
            left = (time.monotonic() - start) / done * (len(pending) - done) / 60
            print(
                f"{done} of {len(pending)} tried, {survived} survived, {left:.0f} minutes left",
                flush=True,
            )


def _start(file: Path, item: WorkItem, lines: Lines, budget: float) -> tuple[int, str]:
    """The process that tries a mutant, and what the mutant changes."""
    (spec,) = item.mutations
    source = file.read_text(encoding="utf-8")
    code = mutated(source, spec)
    tests = lines.tests(relative(file), source, spec, budget)
    pid = fork(
        (lambda: try_mutant(file, code, tests)) if tests else (lambda: 0),
        STATE / f"log-{item.job_id[:2]}.txt",
    )
    return pid, "\n".join(changed_lines(source, code))


def _judged(status: int, diff: str) -> WorkResult:
    """Every test passed (0), a test failed (1), the package or a test file broke, or a time-out."""
    survived = status == 0
    return WorkResult(
        worker_outcome=WorkerOutcome.NORMAL if status in (0, 1) else WorkerOutcome.ABNORMAL,
        output=f"exit status {status}",
        test_outcome=TestOutcome.SURVIVED if survived else TestOutcome.KILLED,
        diff=diff,
    )


if __name__ == "__main__":
    main()
