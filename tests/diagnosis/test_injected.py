"""The benchmark of injected faults: its kinds are there, and simple ones are mended."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import retrograd as rg

FOLDER = Path(__file__).parents[2] / "benchmarks" / "injected"


@pytest.fixture(scope="module")
def kinds() -> Iterator[dict[str, Any]]:
    """The kinds by name; the benchmark's modules, whose names are short, are forgotten after."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    try:
        from kinds import kinds as all_kinds

        yield {each.name: each for each in all_kinds()}
    finally:
        sys.path.remove(str(FOLDER))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(FOLDER)):
                del sys.modules[name]


def test_there_are_28_kinds(kinds: dict[str, Any]) -> None:
    assert len(kinds) == 28
    assert all(0 < each.mended < 1 for each in kinds.values())


@pytest.mark.parametrize("name", ["gradient-sign", "missing-normalization"])
def test_a_kind_is_mended(kinds: dict[str, Any], name: str) -> None:
    _, faulty = kinds[name].build()
    found = rg.fix(faulty, seeds=(0, 1), budget=6, beside_random=False)
    assert found.kept
    assert sum(found.scores) / 2 >= kinds[name].mended
