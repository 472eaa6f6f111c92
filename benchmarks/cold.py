"""A whole `retrograd train` on the shipped house prices, cold, from the shell.

    python benchmarks/cold.py

Expected before measuring: 1.5 s of imports, 1.5 s of compiling, 2 s of training.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from results import record

from retrograd.datasets import sacramento_homes


def main() -> None:
    seconds = []
    for _ in range(7):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "retrograd",
                "train",
                str(sacramento_homes()),
                "--target",
                "price",
                "--quiet",
            ]
            started = time.perf_counter()
            subprocess.run(command, check=True, cwd=folder)
            seconds.append(time.perf_counter() - started)
    record(
        "cold",
        "A whole run, cold",
        "`retrograd train sacramento_homes.csv --target price`, a new process each time, imports, "
        "compilation, scores and report included; `benchmarks/cold.py`, 7 runs.\n\n"
        f"- median **{statistics.median(seconds):.2f} s**, slowest {max(seconds):.2f} s "
        "(target: under 6 s on 2 cores)",
    )


if __name__ == "__main__":
    main()
