"""Mutants of functions, tried in a process that has imported the package and collected the tests.

A mutated function gets its code within a fork, which takes milliseconds; only what runs on import,
constants and tables, has to be imported anew (see `try_mutant`).
"""

from __future__ import annotations

import ast
import gc
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from cosmic_ray.work_item import MutationSpec
from trial import QUIET, allow

__all__ = ["Warm", "changed_functions", "is_in_function", "with_tests"]

Changes = list[tuple[CodeType, CodeType]]


def is_in_function(source: str, spec: MutationSpec) -> bool:
    """Whether a mutation lies in the body of a function or a method."""
    bodies = [node.body for node in _functions(ast.parse(source))]
    line = spec.start_pos[0]
    return any(body[0].lineno <= line <= (body[-1].end_lineno or line) for body in bodies)


def _functions(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node)
        elif isinstance(node, ast.FunctionDef):
            yield node


def changed_functions(file: Path, before: str, after: str) -> Changes:
    """The code of the functions that a mutant changes, old and new.

    Raises ValueError where something else than a function differs.
    """
    return list(_changed(*(compile(text, str(file), "exec") for text in (before, after))))


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    if old.co_flags & inspect.CO_OPTIMIZED:
        if old != new:
            yield old, new
    elif _own(old) != _own(new):
        raise ValueError(f"{old.co_qualname} in {old.co_filename} differs in more than functions")
    else:
        for inner, mutated in zip(_inner(old), _inner(new), strict=True):
            yield from _changed(inner, mutated)


def _own(code: CodeType) -> CodeType:
    rest = tuple(each for each in code.co_consts if not isinstance(each, CodeType))
    # Where a function ends, a longer number moves, and lines that come after it.
    return code.replace(co_consts=rest, co_linetable=b"", co_firstlineno=1)


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


class Warm:
    """The tests as pytest has collected them, and the functions that they run."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session
        self.items = {item.nodeid: item for item in session.items}
        self.functions: dict[str, list[FunctionType]] = defaultdict(list)
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                self.functions[each.__code__.co_filename].append(each)
        gc.collect()
        gc.freeze()  # else the first collection in each fork copies all that was imported

    def try_functions(self, file: Path, changes: Changes, tests: dict[str, float]) -> int:
        """Run tests until one fails, with the changes made; the status that pytest exits with."""
        for function in self.functions[str(file)]:
            for old, new in changes:
                if function.__code__ == old:
                    function.__code__ = new
        items = [self.items[name] for name in tests]
        for item, following in zip(items, [*items[1:], None], strict=True):
            allow(10 + 10 * tests[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.session.testsfailed:
                return 1
        return 0


def with_tests(files: Sequence[str], work: Callable[[Warm], None]) -> None:
    """Collect the tests of the files, then do the work, in place of running them."""

    class Loop:
        def pytest_runtestloop(self, session: pytest.Session) -> bool:
            work(Warm(session))
            return True

    pytest.main([*QUIET, "--capture=no", *files], plugins=[Loop()])
