"""The programs of the benchmark: healthy ones, and faulty ones beside their repair."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training import Training

__all__ = ["Faulty", "Healthy", "faulty", "half_of", "healthy", "programs"]


@dataclass(frozen=True)
class Healthy:
    """A program of an official example or tutorial; `build()` gives its training."""

    name: str
    source: str
    shape: str
    build: Callable[[], Training]


@dataclass(frozen=True)
class Faulty:
    """A program that somebody asked about or that a bug collection holds, and its repair.

    `right` holds the finding codes that name a cause which the source or an expert gives; `faults`
    says each fault in a phrase. `build()` gives the faulty and the repaired training.
    """

    name: str
    source: str
    shape: str
    faults: tuple[str, ...]
    right: tuple[str, ...]
    build: Callable[[], tuple[Training, Training]]


_found: dict[str, Healthy | Faulty] = {}


def half_of(name: str) -> str:
    """`seen` (thresholds may be tuned on it) or `unseen`, drawn by a hash of the name."""
    return "unseen" if hashlib.sha256(name.encode()).digest()[0] % 2 else "seen"


def healthy(
    name: str, *, source: str, shape: str
) -> Callable[[Callable[[], Training]], Callable[[], Training]]:
    """The function below builds the healthy program `name`."""

    def keep(build: Callable[[], Training]) -> Callable[[], Training]:
        _add(Healthy(name, source, shape, build))
        return build

    return keep


def faulty(
    name: str, *, source: str, shape: str, faults: tuple[str, ...], right: tuple[str, ...]
) -> Callable[[Callable[[], tuple[Training, Training]]], Callable[[], tuple[Training, Training]]]:
    """The function below builds the faulty program `name` and its repair."""

    def keep(
        build: Callable[[], tuple[Training, Training]],
    ) -> Callable[[], tuple[Training, Training]]:
        _add(Faulty(name, source, shape, faults, right, build))
        return build

    return keep


def _add(program: Healthy | Faulty) -> None:
    half = program.build.__module__.partition("_")[0]
    if half != half_of(program.name):
        raise ValueError(f"{program.name} belongs into a file of the half {half_of(program.name)}")
    if program.name in _found:
        raise ValueError(f"{program.name} is there twice")
    _found[program.name] = program


def programs(half: str) -> list[Healthy | Faulty]:
    """The programs of `seen` or `unseen`, from the files named so."""
    for file in sorted(Path(__file__).parent.glob(f"{half}_*.py")):
        importlib.import_module(file.stem)
    return [each for each in _found.values() if half_of(each.name) == half]


if __name__ == "__main__":
    import sys

    for each in sys.argv[1:]:
        print(half_of(each), each)
