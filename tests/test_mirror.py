"""Each file of src has a test of its name, one that imports it, or one that the docs name."""

from __future__ import annotations

import ast
import fnmatch
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src/retrograd"
TESTS = ROOT / "tests"
ROW = re.compile(r"^\| `([\w/*.]+)` \| ((?:`tests/[\w/*.]+`(?:, )?)+) \|$", re.MULTILINE)


def imported() -> set[str]:
    """The modules that test files import, by their dotted names."""
    found: set[str] = set()
    for file in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
            elif isinstance(node, ast.Import):
                found |= {each.name for each in node.names}
    return found


def rows() -> dict[str, list[str]]:
    """The table of docs/architecture.md: a pattern of files, and the tests that cover them."""
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    return {pattern: re.findall("`([^`]+)`", tests) for pattern, tests in ROW.findall(page)}


def test_every_file_is_covered() -> None:
    known, table = imported(), rows()
    left, used = [], set()
    for file in sorted(PACKAGE.rglob("*.py")):
        path = file.relative_to(PACKAGE)
        module = ".".join(("retrograd", *path.with_suffix("").parts))
        if path.name in ("__init__.py", "__main__.py") or module in known:
            continue
        if (TESTS / path.parent / f"test_{path.name}").exists():
            continue
        rule = next((each for each in table if fnmatch.fnmatch(str(path), each)), None)
        left += [str(path)] if rule is None else []
        used.add(rule)
    assert not left
    assert table.keys() <= used, "a row that covers no file"


def test_the_tests_that_cover_are_there() -> None:
    for tests in rows().values():
        for each in tests:
            assert list(ROOT.glob(each)), each
