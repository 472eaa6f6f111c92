"""`import retrograd`, and a whole `retrograd train` on the shipped house prices, cold.

    python benchmarks/cold.py

Expected before measuring: 1.5 s of imports, 1.5 s of compiling, 2 s of training.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from results import record

from retrograd.datasets import sacramento_homes


def main() -> None:
    trains = []
    for _ in range(7):
        with tempfile.TemporaryDirectory() as folder:
            train = ("-m", "retrograd", "train", str(sacramento_homes()), "--target", "price")
            trains.append(seconds(*train, "--quiet", folder=folder))
    imports: dict[str, list[float]] = {"retrograd": [], "numpy": []}
    for _ in range(11):
        for module, times in imports.items():
            times.append(seconds("-c", f"import {module}") - seconds("-c", ""))
    ours, numpys = (statistics.median(times) for times in imports.values())
    record(
        "cold",
        "A whole run, cold",
        "`retrograd train sacramento_homes.csv --target price`, a new process each time, imports, "
        "compilation, scores and report included; `benchmarks/cold.py`, 7 runs.\n\n"
        f"- median **{statistics.median(trains):.2f} s**, slowest {max(trains):.2f} s "
        "(target: under 6 s on 2 cores)\n"
        "- `import retrograd`, beyond what Python takes to start, median of 11 processes: "
        f"**{ours:.2f} s** (target: under 0.3 s), {ours / numpys:.1f} times `import numpy`",
    )


def seconds(*arguments: str, folder: str | None = None) -> float:
    """What a new interpreter takes from its start to its end, with byte code to read."""
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, cwd=folder, env=environment)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
