"""Write docs/coverage-modules.md: every layer, loss and optimizer of PyTorch's databases.

    PYTHONPATH=src:tests python -m torchdb.report [--compiled N]

`--compiled N` compiles at most N evenly spread cases a class; all of them otherwise.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections import Counter
from pathlib import Path

import jax
import numpy as np

from retrograd import nn, optim
from torchdb.compare import Outcome, run
from torchdb.database import MODULES, OPTIMIZERS, module_cases, module_errors
from torchdb.missing import MISSING_MODULES, MISSING_OPTIMIZERS, allowed_here, skip_case
from torchdb.optimizers import (
    by_retrograd,
    by_torch,
    error_inputs,
    inputs,
    left_out,
    plain,
    tolerance,
)

__all__ = ["PAGE", "listed_names", "main"]

PAGE = Path(__file__).parents[2] / "docs" / "coverage-modules.md"

HEAD = """\
# Layers, losses and optimizers compared with PyTorch's own databases

PyTorch 2.13.0 tests its modules and optimizers with two databases of constructor arguments, inputs
and options (`ModuleInfo`, `OptimizerInfo`). This page lists all of their classes. `make
coverage-table` writes it; tests/torchdb/ holds the comparison.

## Layers and losses

{covered} of {total} classes are here. Both libraries build each case from the same arguments and
take the same state; outputs, gradients of inputs and parameters, and the state afterwards are
compared eagerly in float64, allowing 1e-10 of an array's largest element, and compiled by XLA in
float32, allowing 1e-4. {run} cases ran, of which {compiled} compiled too, and {passed} passed;
{skipped} were left out for the reasons given. Of {errors} cases that PyTorch refuses, {refused}
are refused here too. Layers that behave differently in training and evaluation run in both.

| Class | Cases | Compiled | Passed | Left out, and notes |
|---|--:|--:|--:|---|
"""

OPTIMIZER_HEAD = """
## Optimizers

{covered} of {total} classes are here. Each set of options runs for 20 steps beside PyTorch's;
weights and moments are compared eagerly in float64 to 1e-10, and compiled in float32. What PyTorch
refuses is refused here too. Complex parameters are out of scope.

| Class | Options | Passed | Refused | Left out |
|---|--:|--:|--:|---|
"""

MISSING_HEAD = """
## Not covered

| Class | Why |
|---|---|
"""


def main() -> None:
    """Run the databases and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiled", type=int, metavar="N")
    options = parser.parse_args()
    jax.config.update("jax_disable_most_optimizations", True)  # compiling takes all the time here
    modules: dict[str, Outcome] = {}
    for name in [name for name in MODULES if hasattr(nn, name)]:
        skip = functools.partial(skip_case, name)
        modules[name] = outcome = run(name, module_cases(MODULES[name]), skip, options.compiled)
        passed = outcome.run - len(outcome.failures)
        print(f"{passed:5} of {outcome.run:5} passed  {name}", file=sys.stderr, flush=True)
        for failure in outcome.failures:
            print(f"      {failure}", file=sys.stderr)
    PAGE.write_text(_page(modules), encoding="utf-8")
    sys.exit(any(outcome.failures for outcome in modules.values()))


def listed_names(page: str) -> dict[str, bool]:
    """Every class that the page lists, and whether as covered."""
    above, below = page.split(MISSING_HEAD.lstrip().splitlines()[0])
    return {
        line.split("|")[1].strip(" `"): covered
        for part, covered in ((above, True), (below, False))
        for line in part.splitlines()
        if line.startswith("| `")
    }


def _page(modules: dict[str, Outcome]) -> str:
    errors = [(name, message) for name in modules for _, message in module_errors(MODULES[name])]
    page = HEAD.format(
        covered=len(modules),
        total=len(MODULES),
        run=sum(outcome.run for outcome in modules.values()),
        compiled=sum(outcome.compiled for outcome in modules.values()),
        passed=sum(outcome.run - len(outcome.failures) for outcome in modules.values()),
        skipped=sum(sum(outcome.skipped.values()) for outcome in modules.values()),
        errors=len(errors),
        refused=sum(allowed_here(*error) is None for error in errors),
    )
    for name, outcome in modules.items():
        notes = [f"{count}: {why}" for why, count in outcome.skipped.items()]
        notes += [
            why
            for owner, message in errors
            if owner == name and (why := allowed_here(name, message))
        ]
        passed = outcome.run - len(outcome.failures)
        page += _row(
            f"`nn.{name}`", outcome.run, outcome.compiled, passed, "; ".join(dict.fromkeys(notes))
        )
    ours = [name for name in OPTIMIZERS if hasattr(optim, name)]
    page += OPTIMIZER_HEAD.format(covered=len(ours), total=len(OPTIMIZERS))
    page += "".join(_optimizer_row(name) for name in ours)
    page += MISSING_HEAD
    page += "".join(_row(f"`nn.{n}`", MISSING_MODULES[n]) for n in MODULES if n not in modules)
    page += "".join(
        _row(f"`optim.{n}`", MISSING_OPTIMIZERS[n]) for n in OPTIMIZERS if n not in ours
    )
    return page


def _optimizer_row(name: str) -> str:
    given = [options for _, options in inputs(name)]
    reasons = Counter(why for options in given if (why := left_out(options)))
    chosen = [plain(options) for options in given if left_out(options) is None]
    passed = 0
    for options in chosen:
        pairs = zip(
            by_retrograd(name, options, "float64", compiled=False)
            + by_retrograd(name, options, "float32", compiled=True),
            by_torch(name, options, "float64") + by_torch(name, options, "float32"),
            strict=True,
        )
        passed += all(
            np.allclose(mine, right, 0, tolerance(name, 1e-10))
            if mine.itemsize == 8
            else np.allclose(mine, right, 1e-4, tolerance(name, 1e-5))
            for mine, right in pairs
        )
    notes = "; ".join(f"{count}: {why}" for why, count in reasons.items())
    return _row(f"`optim.{name}`", len(chosen), passed, len(list(error_inputs(name))), notes)


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


if __name__ == "__main__":
    main()
