"""The cases of a half, each a healthy program and the same with one fault."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from data import Data
from draw import halves

from retrograd.diagnosis.remedies.program import Program

Pair = tuple[Program, Program]

_built: dict[str, Callable[[], Pair]] = {}


@dataclass(frozen=True)
class Case:
    """`name` is data/model/fault; `kind` is one of draw.KINDS. `build()` gives healthy, faulty."""

    name: str
    kind: str
    build: Callable[[], Pair]


def case(name: str) -> Callable[[Callable[[], Pair]], Callable[[], Pair]]:
    """The function below builds the case `name`: it returns the healthy and the faulty program."""

    def keep(build: Callable[[], Pair]) -> Callable[[], Pair]:
        _built[name] = build
        return build

    return keep


def cases(half: str) -> Iterator[Case]:
    """Those of `half`, "tune" or "measure", as they were drawn."""
    for file in sorted(Path(__file__).parent.glob(f"{half}_*.py")):
        importlib.import_module(file.stem)
    for name, kind in halves()[half].items():
        yield Case(name, kind, _built[name])


def on(program: Program, data: Data) -> Program:
    """The same program on other data."""
    return replace(program, train=data.train, valid=data.valid, test=data.test)
