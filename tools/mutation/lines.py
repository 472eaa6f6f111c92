"""Which tests run a line: recorded once for the package and the tests as they are."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from cosmic_ray.work_item import MutationSpec
from targets import ROOT, Target
from trial import fork, record
from warm import is_in_function

__all__ = ["Lines"]


class Lines:
    """The tests of each line of a target's files, and the CPU time that each test takes."""

    def __init__(self, target: Target, folder: Path, jobs: int) -> None:
        """Record what has not been recorded of the files as they are, `jobs` tests at a time."""
        files = {tests: folder / f"lines-{_digest(target, tests)}.json" for tests in target.tests}
        waiting = [tests for tests, file in files.items() if not file.exists()]
        running: dict[int, str] = {}
        start = time.monotonic()
        while waiting or running:
            while waiting and len(running) < jobs:
                tests = waiting.pop(0)
                print(f"recording which lines the tests run: {tests}", flush=True)
                work = partial(record, target, tests, files[tests])
                running[fork(work, files[tests].with_suffix(".txt"))] = tests
            pid, status = os.wait()
            tests = running.pop(pid)
            minutes = (time.monotonic() - start) / 60
            print(f"recorded {tests} ({minutes:.1f} minutes in all)", flush=True)
            failed = os.waitstatus_to_exitcode(status)
            if failed:
                print(f"some did not pass and are not used: {files[tests].with_suffix('.txt')}")
            if failed > 1:
                sys.exit(failed)
        found = [json.loads(file.read_text(encoding="utf-8")) for file in files.values()]
        self.seconds: dict[str, float] = {}
        self.of: dict[str, dict[int, set[str]]] = {}
        for each in found:
            self.seconds |= each["seconds"]
            for name, lines in each["lines"].items():
                for line, chosen in lines.items():
                    self.of.setdefault(name, {}).setdefault(int(line), set()).update(chosen)

    def tests(self, file: str, source: str, spec: MutationSpec, budget: float) -> dict[str, float]:
        """The tests for a mutant, in the order to run them, and the seconds that each takes.

        All of its own, and the others until their times add up to the budget.
        """
        lines = self.of.get(file, {})
        statement = _statement(source, spec.start_pos[0])
        spans = [range(1, len(source.splitlines()) + 1)]
        if is_in_function(source, spec):  # else it runs on import only: a constant
            spans[:0] = [
                range(spec.start_pos[0], spec.end_pos[0] + 1),
                range(statement.lineno, statement.end_lineno + 1),
            ]
        chosen: set[str] = set()
        for span in spans:
            chosen = set().union(*(lines.get(line, ()) for line in span))
            if chosen:
                break
        name = spec.definition_name or _owner(statement)
        own = {t for t in chosen if f"[{name}]" in t or f"/test_{Path(file).stem}.py:" in t}
        taken: dict[str, float] = {}
        for test in sorted(chosen, key=lambda test: (test not in own, self.seconds[test], test)):
            is_dear = sum(taken.values()) + self.seconds[test] > budget
            if taken and test not in own and is_dear:
                break
            taken[test] = self.seconds[test]
        return taken


def _statement(source: str, line: int) -> Any:
    """The smallest statement around a line."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and _first_line(node) <= line <= (node.end_lineno or line)
    ]
    return min(around, key=lambda node: (node.end_lineno or node.lineno) - node.lineno)


def _first_line(statement: ast.stmt) -> int:
    """That of its first decorator, where it has any."""
    return min(each.lineno for each in (statement, *getattr(statement, "decorator_list", ())))


def _owner(statement: ast.stmt) -> str:
    """The operation whose rules a statement at module level declares: `exp` of `exp.pullbacks`."""
    return next((node.id for node in ast.walk(statement) if isinstance(node, ast.Name)), "")


def _digest(target: Target, tests: str) -> str:
    """Changes with the target's files, and with the tests and what they stand on."""
    found = hashlib.sha256(tests.encode())
    folders = (ROOT / "tests" / "opinfo", ROOT / "tests" / "support", ROOT / tests)
    for path in (*target.files, *folders):
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()[:12]
