"""Run as a program: `half_of_the_batch.py PART` meets each planted cause in a compiled step.

PART (0 or 1) is this process's half of the batch. Prints a line of JSON for each cause.
"""

from __future__ import annotations

import json
import sys

import numpy as np

import retrograd as rg
from support.planted import CAUSES


def main() -> None:
    half = slice(0, 4) if sys.argv[1] == "0" else slice(4, 8)
    for cause in CAUSES:
        model, step, args = cause.build()
        args = tuple(each[half] for each in args)
        before = model.state_dict()
        compiled = rg.compile(step)
        loss = compiled(*args)
        weights = [np.array(each.data) for each in model.parameters()]
        failed = not all(np.isfinite(each).all() for each in (loss.numpy(), *weights))
        model.load_state_dict(before)
        origin = rg.find_nan(compiled, *args)
        print(json.dumps([cause.name, failed, origin.to_json()]), flush=True)


if __name__ == "__main__":
    main()
