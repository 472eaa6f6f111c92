"""Run programs of the benchmark without any diagnosis: does each train, and end as frozen?

python benchmarks/field/try.py NAME [NAME ...]
"""

from __future__ import annotations

import sys
import time

from collection import Healthy, programs
from training import ran


def main() -> None:
    """Print the score of each named program beside the one from which it ended well."""
    found = {each.name: each for half in ("seen", "unseen") for each in programs(half)}
    for name in sys.argv[1:]:
        program = found[name]
        built = program.build()
        parts = [built] if isinstance(program, Healthy) else list(built)
        for training in parts:
            start = time.process_time()
            score = ran(training).score
            took = time.process_time() - start
            print(
                f"{name}: score {score:.4g}, well from {training.well:.4g}; {took:.1f} CPU seconds"
            )


main()
