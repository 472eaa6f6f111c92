"""Which tests run a line: recorded once for the package and the tests as they are."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from cosmic_ray.work_item import MutationSpec
from trial import OPS, ROOT, fork, record

__all__ = ["Lines"]

# The samples eagerly; then all that tests the operations. PyTorch's samples are not compiled here.
GROUPS = {
    "checks": ["tools/mutation/checks.py"],
    "ops": ["tests/ops"],
}


class Lines:
    """The tests of each line of the operations, and the CPU time that each test takes."""

    def __init__(self, folder: Path, jobs: int) -> None:
        """Record what has not been recorded of the files as they are, `jobs` groups at a time."""
        files = {name: folder / f"lines-{name}-{_digest(name)}.json" for name in GROUPS}
        waiting = [name for name, file in files.items() if not file.exists()]
        running: dict[int, str] = {}
        start = time.monotonic()
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                print(f"recording which lines the tests run: {' '.join(GROUPS[name])}", flush=True)
                log = folder / f"recording-{name}.txt"
                running[fork(lambda name=name: _record(name, files[name]), log)] = name
            pid, status = os.wait()
            name = running.pop(pid)
            minutes = (time.monotonic() - start) / 60
            print(f"recorded {' '.join(GROUPS[name])} ({minutes:.1f} minutes in all)", flush=True)
            failed = os.waitstatus_to_exitcode(status)
            if failed:
                print(f"some did not pass and are not used: {folder}/recording-{name}.txt")
            if failed > 1:
                sys.exit(failed)
        found = [json.loads(file.read_text(encoding="utf-8")) for file in files.values()]
        self.seconds: dict[str, float] = {}
        self.of: dict[str, dict[int, set[str]]] = {}
        for each in found:
            self.seconds |= each["seconds"]
            for file, lines in each["lines"].items():
                for line, tests in lines.items():
                    self.of.setdefault(file, {}).setdefault(int(line), set()).update(tests)

    def tests(self, file: str, source: str, spec: MutationSpec, budget: float) -> dict[str, float]:
        """The tests for a mutant, in the order to run them, and the seconds that each takes."""
        lines = self.of.get(file, {})
        statement = _statement(source, spec.start_pos[0])
        spans = [
            range(spec.start_pos[0], spec.end_pos[0] + 1),
            range(statement.lineno, statement.end_lineno + 1),
            range(1, len(source.splitlines()) + 1),  # run on import only: a constant
        ]
        chosen: set[str] = set()
        for span in spans:
            chosen = set().union(*(lines.get(line, ()) for line in span))
            if chosen:
                break
        name = spec.definition_name or _owner(statement)
        own = {test for test in chosen if f"[{name}]" in test}
        taken: dict[str, float] = {}
        for test in sorted(chosen, key=lambda test: (test not in own, self.seconds[test], test)):
            if taken and sum(taken.values()) + self.seconds[test] > budget:
                break
            taken[test] = self.seconds[test]
        return taken


def _record(name: str, file: Path) -> int:
    return record([path for path in GROUPS[name] if (ROOT / path).exists()], file)


def _statement(source: str, line: int) -> Any:
    """The smallest statement around a line."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line)
    ]
    return min(around, key=lambda node: (node.end_lineno or node.lineno) - node.lineno)


def _owner(statement: ast.stmt) -> str:
    """The operation whose rules a statement at module level declares: `exp` of `exp.pullbacks`."""
    return next((node.id for node in ast.walk(statement) if isinstance(node, ast.Name)), "")


def _digest(group: str) -> str:
    """Changes with the operations, and with the group's tests and what they stand on."""
    found = hashlib.sha256()
    tests = ROOT / "tests"
    for folder in [
        OPS,
        tests / "opinfo",
        tests / "support",
        *(ROOT / path for path in GROUPS[group]),
    ]:
        for file in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()[:12]
