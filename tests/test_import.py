"""`import retrograd` is quick and pulls in no slow library; the package ships its data."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from support.interpreters import FreshPython

import retrograd
from retrograd import datasets

SLOW_LIBRARIES = {
    "jax",
    "jaxlib",
    "jinja2",
    "matplotlib",
    "narwhals",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "safetensors",
    "scipy",
    "sklearn",
    "torch",
    "typer",
}


def test_import_pulls_in_no_slow_library(fresh_python: FreshPython) -> None:
    result = fresh_python("import sys, retrograd; print(*sys.modules)")
    assert result.returncode == 0, result.stderr
    assert SLOW_LIBRARIES.isdisjoint(result.stdout.split())


def test_the_public_names_are_all_there_is_to_see(fresh_python: FreshPython) -> None:
    """Nothing that only helps the package shows, however much has been imported meanwhile."""
    result = fresh_python(
        "import retrograd as rg\n"
        "seen = dir(rg)\n"
        "assert seen == sorted(rg.__all__) == sorted(set(seen)), seen\n"
        "import types\n"
        "faces = {'autograd', 'func', 'linalg', 'nn', 'ops', 'optim'}\n"
        "faces |= {'random', 'special', 'utils'}\n"
        "for name in seen:\n"
        "    found = getattr(rg, name)\n"
        "    assert isinstance(found, types.ModuleType) == (name in faces), name\n"
        "    assert not name.startswith('_'), name\n"
        "assert dir(rg) == seen\n"
    )
    assert result.returncode == 0, result.stderr


def test_what_is_promised_is_public() -> None:
    promised = {"Tensor", "grad", "compile", "nn", "optim", "train", "load", "diagnose", "record"}
    promised |= {"fix", "find_nan", "Program", "Samples", "Run", "run_and_diagnose"}
    promised |= {"NeuralRegressor", "NeuralClassifier"}
    assert promised <= {*dir(retrograd)}


def test_a_name_that_is_not_there_is_said_to_be_missing() -> None:
    missing = "trian"
    with pytest.raises(AttributeError, match="module 'retrograd' has no attribute 'trian'"):
        getattr(retrograd, missing)


def test_the_documents_import_from_the_faces_alone() -> None:
    """No example reaches into the package: it has `rg`, `nn`, `optim` and what they show."""
    allowed = re.compile(r"(import retrograd as rg|from retrograd import [\w, ]+)$")
    root = Path(__file__).parent.parent
    for document in (root / "README.md", *sorted((root / "docs").rglob("*.md"))):
        for line in document.read_text("utf-8").splitlines():
            if re.match(r"(from|import) retrograd", line):
                assert allowed.match(line), f"{document.name}: {line}"


def test_import_takes_at_most_twice_as_long_as_numpys(fresh_python: FreshPython) -> None:
    def seconds(module: str) -> float:
        # From byte code, as an installed package is imported; the processor's time, which other
        # work on the machine does not lengthen.
        result = fresh_python(
            "import os, sys, time\n"
            "sys.dont_write_bytecode, sys.pycache_prefix = False, os.getcwd()\n"
            f"started = time.process_time(); import {module}\n"
            "print(time.process_time() - started)"
        )
        assert result.returncode == 0, result.stderr
        return float(result.stdout)

    seconds("retrograd")  # writes the byte code
    pairs = [(seconds("retrograd"), seconds("numpy")) for _ in range(5)]
    # The best of five each: the others measure what else the machine is doing.
    ours, numpys = (min(times) for times in zip(*pairs, strict=True))
    assert ours < 2 * numpys


def test_the_house_prices_ship_whole() -> None:
    with datasets.sacramento_homes().open(newline="", encoding="utf-8") as file:
        homes = list(csv.DictReader(file))
    assert len(homes) == 932
    assert {"beds", "baths", "sqft", "city", "price"} <= homes[0].keys()
