"""How an injected fault is declared."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import retrograd as rg

__all__ = ["Injected", "injected", "kinds"]

Pair = tuple[rg.Program, rg.Program]


@dataclass(frozen=True)
class Injected:
    """A kind of fault: `build()` gives a healthy program and the same with the fault.

    The faulty one is mended if it scores at least `mended` on the healthy program's test rows, the
    mean over seeds. `source` is where the kind comes from.
    """

    name: str
    source: str
    mended: float
    build: Callable[[], Pair]


_found: dict[str, Injected] = {}


def injected(
    name: str, *, source: str, mended: float
) -> Callable[[Callable[[], Pair]], Callable[[], Pair]]:
    """The function below builds the pair of the kind `name`."""

    def keep(build: Callable[[], Pair]) -> Callable[[], Pair]:
        _found[name] = Injected(name, source, mended, build)
        return build

    return keep


def kinds() -> list[Injected]:
    """All kinds, from the files `faults_*.py`."""
    for file in sorted(Path(__file__).parent.glob("faults_*.py")):
        importlib.import_module(file.stem)
    return list(_found.values())
