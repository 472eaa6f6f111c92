"""Mutation testing of what computes and of what decides; `make mutation` runs it.

    python tools/mutation TARGET [FILE ...] [--again] [--report] [--jobs N] [--budget SECONDS]

TARGET is `ops` or `decisions` (see targets.py), FILE one of its files as the page names it, such as
`reductions/sums.py`; all of them by default. Each mutant runs the tests that run its line, those
for its own operation or file first, then the quicker ones first, until one fails or all have passed
whose CPU times add up to the budget. A run that is stopped goes on where it was; a changed file
starts anew. `--again` tries the survivors only, once more, after tests were added. `--report` only
writes docs/mutation.md from what is known.
"""

from __future__ import annotations

import argparse
import ast
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult
from lines import Lines
from mutants import changed_lines, mutants, mutated
from page import PAGE, Fate, write_part
from targets import ROOT, TARGETS, Target
from trial import BROKEN, fork, preload, try_mutant
from warm import Warm, changed_functions, is_in_function, with_tests

STATE = ROOT / ".mutation"
Mutant = tuple[Path, WorkItem]
NO_PYTHON = 2  # the exit status for a mutant that no interpreter reads


def main() -> None:
    """Try the mutants that are pending, then write the target's part of the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--again", action="store_true", help="try the survivors only, once more")
    parser.add_argument("--report", action="store_true", help="only write docs/mutation.md")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at the same time (default 2)")
    parser.add_argument("--budget", type=float, help="CPU seconds of tests a mutant")
    options = parser.parse_args()
    target = TARGETS[options.target]
    STATE.mkdir(exist_ok=True)
    items = {target.relative(file): mutants(file) for file in target.files}
    if unknown := set(options.files) - items.keys():
        parser.error(f"no file of that name in {options.target}: {', '.join(unknown)}")
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
                    (target.folder / name, item)
                    for name in options.files or items
                    for item in items[name]
                    if (item.job_id in survivors if options.again else item.job_id not in results)
                ),
                key=lambda pair: pair[1].job_id,
            )
            if pending:
                preload()
                trials = _Trials(target, session, options.jobs, options.budget or target.budget)
                trials.run(pending)
        results = dict(session.results)
    fates = {
        name: [
            Fate(item.mutations[0].start_pos[0], results[item.job_id])
            for item in found
            if item.job_id in results
        ]
        for name, found in items.items()
    }
    write_part(target, fates, {name: len(found) for name, found in items.items()})
    print(f"wrote {PAGE.relative_to(ROOT)}")


class _Trials:
    """Tries mutants, each in a process of its own, `jobs` of them at a time."""

    def __init__(self, target: Target, session: WorkDB, jobs: int, budget: float) -> None:
        self.target = target
        self.session = session
        self.jobs = jobs
        self.budget = budget
        self.lines = Lines(target, STATE, jobs)
        self.done = self.survived = self.count = 0
        self.start = time.monotonic()

    def run(self, pending: list[Mutant]) -> None:
        """First those that need a process without the package, then those of functions."""
        self.count = len(pending)
        anew, of_functions = [], []
        for file, item in pending:
            is_warm = is_in_function(file.read_text(encoding="utf-8"), item.mutations[0])
            (of_functions if is_warm else anew).append((file, item))
        self._try_all(anew, try_mutant)
        if of_functions:
            files = list(dict.fromkeys(name.split("::")[0] for name in self.lines.seconds))
            with_tests(files, lambda warm: self._try_all(of_functions, partial(_warm, warm)))

    def _try_all(self, pending: list[Mutant], trial: Callable[..., int]) -> None:
        running: dict[int, tuple[Path, WorkItem, str]] = {}
        waiting = iter(pending)
        while True:
            while len(running) < self.jobs and (following := next(waiting, None)):
                pid, diff = self._start(*following, trial)
                running[pid] = (*following, diff)
            if not running:
                break
            pid, status = os.wait()
            self._tell(*running.pop(pid), os.waitstatus_to_exitcode(status))

    def _start(self, file: Path, item: WorkItem, trial: Callable[..., int]) -> tuple[int, str]:
        """The process that tries a mutant, and what the mutant changes."""
        (spec,) = item.mutations
        source = file.read_text(encoding="utf-8")
        code = mutated(source, spec)
        tests = self.lines.tests(self.target.relative(file), source, spec, self.budget)
        if not _is_python(code):
            work = partial(int, NO_PYTHON)
        else:
            work = partial(trial, file, code, tests) if tests else partial(int, 0)
        pid = fork(work, STATE / f"log-{item.job_id[:2]}.txt")
        return pid, "\n".join(changed_lines(source, code))

    def _tell(self, file: Path, item: WorkItem, diff: str, status: int) -> None:
        result = _judged(status, diff)
        self.session.set_result(item.job_id, result)
        self.done += 1
        if result.test_outcome == TestOutcome.SURVIVED:
            self.survived += 1
            line = item.mutations[0].start_pos[0]
            print(f"survived: {self.target.relative(file)}:{line}\n{diff}")
        if self.done % 20 == 0 or self.done == self.count:
            left = (time.monotonic() - self.start) / self.done * (self.count - self.done) / 60
            print(
                f"{self.done} of {self.count} tried, {self.survived} survived, "
                f"{left:.0f} minutes left",
                flush=True,
            )


def _is_python(code: str) -> bool:
    """Whether a mutant is a program: without a `*`, `{**a, "b": c}` is none."""
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _warm(warm: Warm, file: Path, code: str, tests: dict[str, float]) -> int:
    changes = changed_functions(file, file.read_text(encoding="utf-8"), code)
    return warm.try_functions(file, changes, tests)


def _judged(status: int, diff: str) -> WorkResult:
    """Every test passed (0), a test failed (1), the package or a test file broke, or a time-out."""
    if status == BROKEN:
        raise RuntimeError(f"the trial itself failed, see {STATE}/log-*.txt:\n{diff}")
    survived = status == 0
    return WorkResult(
        worker_outcome=WorkerOutcome.NORMAL if status in (0, 1) else WorkerOutcome.ABNORMAL,
        output=f"exit status {status}",
        test_outcome=TestOutcome.SURVIVED if survived else TestOutcome.KILLED,
        diff=diff,
    )


if __name__ == "__main__":
    main()
