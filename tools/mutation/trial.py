"""Tests run in a forked process: recorded line by line, or with a mutant in a module's place.

The process that forks has imported what takes seconds (NumPy, JAX, PyTorch and its database) and
nothing of ours, so that each fork imports the package anew, with the mutated text for one file. The
files on disk are never changed.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from targets import ROOT, Target

__all__ = ["BROKEN", "QUIET", "allow", "fork", "preload", "record", "try_mutant"]

IMPORTS = (
    *("hypothesis", "jax.numpy", "opinfo.database", "pandas", "scipy.special", "scipy.stats"),
    *(f"sklearn.{part}" for part in ("linear_model", "metrics", "model_selection", "neighbors")),
)
BROKEN = 70  # the status of a fork whose work raised: nothing is known of the mutant
PATIENCE = 60  # seconds of CPU time
MEMORY = 24 << 30  # of address space: a mutated size must not take the machine's memory


def preload() -> None:
    """Import once what every fork needs."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "ops"), str(ROOT / "src")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in IMPORTS:
            importlib.import_module(name)
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()  # else the first collection in each fork copies all that was imported
    early = [name for name in sys.modules if name.split(".")[0] == "retrograd"]
    assert not early, f"imported before the fork: {early}"


def fork(work: Callable[[], int], log: Path) -> int:
    """Start `work` in a process whose exit status it returns; its output goes to `log`."""
    with warnings.catch_warnings():
        # JAX and Python warn of forks with threads running; none has computed anything yet.
        warnings.simplefilter("ignore")
        pid = os.fork()
    if pid:
        return pid
    status = BROKEN
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.chdir(ROOT)
        status = work()
    except BaseException:  # whatever it is, it must not go on in two processes
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def record(target: Target, tests: str, found: Path) -> int:
    """Run tests; write which lines of the target's files each ran, and how long it took."""
    import coverage

    watch = coverage.Coverage(data_file=None, include=[str(file) for file in target.files])
    recorder = _Recorder(watch, target.budget)
    watch.start()
    status = int(pytest.main([*QUIET, tests], plugins=[recorder]))
    watch.stop()
    lines: dict[str, dict[int, list[str]]] = defaultdict(dict)
    data = watch.get_data()
    for file in data.measured_files():
        for line, contexts in data.contexts_by_lineno(file).items():
            lines[target.relative(Path(file))][line] = [
                name for name in contexts if name in recorder.seconds
            ]
    found.write_text(json.dumps({"seconds": recorder.seconds, "lines": lines}), encoding="utf-8")
    return status


def try_mutant(file: Path, source: str, tests: Mapping[str, float]) -> int:
    """Run tests, the first failure ending it, with `source` in the place of a file's text.

    `tests` says how many seconds of CPU time each takes, which a busy machine does not change. A
    mutated loop may not end: a test that takes more than ten times as long, and ten seconds, counts
    as failed.
    """
    allow(PATIENCE)  # to import the package
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    module = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
    sys.meta_path.insert(0, _Mutant(module, file, source))
    files = list(dict.fromkeys(name.split("::")[0] for name in tests))
    return int(pytest.main([*QUIET, "-x", *files], plugins=[_Selection(tests)]))


def allow(seconds: float) -> None:
    """End the process, by the signal's default action, once it has used so much CPU time."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


QUIET = [
    "-q",
    "--assert=plain",
    "--no-header",
    "--tb=line",
    "-p",
    "no:cacheprovider",
    "-o",
    "addopts=--import-mode=importlib",
]


class _Mutant(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Finds one module, and gives its mutated text."""

    def __init__(self, module: str, file: Path, source: str) -> None:
        self.module, self.file, self.source = module, file, source

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.module:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=str(self.file))

    def get_filename(self, fullname: str) -> str:
        return str(self.file)

    def get_data(self, path: str | bytes) -> bytes:
        return self.source.encode() if str(path) == str(self.file) else Path(str(path)).read_bytes()


class _Selection:
    """Keeps the named tests, in their order, and sets each its time."""

    def __init__(self, tests: Mapping[str, float]) -> None:
        self.seconds = tests
        self.place = {name: place for place, name in enumerate(tests)}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        allow(10 + 10 * self.seconds[item.nodeid])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.place),
            key=lambda item: self.place[item.nodeid],
        )


class _Recorder:
    """Tells coverage which test is running, and takes the CPU time of those that pass in time."""

    def __init__(self, watch: Any, budget: float) -> None:
        self.watch = watch
        self.budget = budget
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        self.watch.switch_context(item.nodeid)
        signal.signal(signal.SIGPROF, _too_slow)
        allow(self.budget)
        start = time.process_time()
        try:
            result = yield
            self.seconds[item.nodeid] = time.process_time() - start
            return result
        finally:
            allow(0)  # no limit
            self.watch.switch_context("")


def _too_slow(*_: Any) -> None:
    raise TimeoutError("the test takes more CPU time than a mutant may")
