"""`import retrograd` is quick and pulls in no slow library; the package ships its data."""

from __future__ import annotations

import csv

from support.interpreters import FreshPython

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
