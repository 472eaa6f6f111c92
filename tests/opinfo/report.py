"""Write docs/coverage.md: every operation of PyTorch's database, what covers it, what was run.

    PYTHONPATH=src:tests python -m opinfo.report [--compiled N] [--print NAME ...]

With `--print` the named entries (`*` stands for anything) run and their failures are shown instead.
`--compiled N` compiles at most N evenly spread samples an entry; all of them otherwise.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from pathlib import Path

from opinfo.compare import Case, Outcome, run
from opinfo.database import OPERATIONS
from opinfo.table import TABLE
from opinfo.uncovered import reason
from retrograd.autodiff.primitive import REGISTRY

__all__ = ["PAGE", "covered_names", "main"]

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"

HEAD = """\
# Operations compared with PyTorch's own database of cases

PyTorch 2.13.0 tests itself with a database of operations and sample inputs (`OpInfo`). This page
lists all {total} of its entries that have a gradient, variants counted: {covered} are covered here.
For these every real-valued sample runs through our operation eagerly on NumPy, and its value, its
gradient and, where PyTorch has one, its second-order gradient are compared with PyTorch's in
float64; {compiled_words} also run compiled by XLA in float32, value and gradient.
{samples} samples ran, of which {compiled} compiled too, and {passed} passed; {skipped} were left
out for the reasons given.

Allowed differences, relative to the largest element of an array: 1e-9 for values and gradients in
float64, 1e-7 for the second order, 1e-4 in float32; entries that need more say why. The library has
{primitives} operations with rules of their own; the others are composed of them.

`make coverage-table` writes this page; tests/opinfo/ holds the table.

| Entry | Ours | Samples | Compiled | Passed | Left out, and notes |
|---|---|--:|--:|--:|---|
"""

TAIL = """
## Not covered

| Entry | Why |
|---|---|
"""


def main() -> None:
    """Run the table and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiled", type=int, metavar="N")
    parser.add_argument("--print", nargs="+", metavar="NAME", dest="names")
    options = parser.parse_args()
    wanted = options.names or ["*"]
    names = [name for name in TABLE if any(fnmatch.fnmatch(name, each) for each in wanted)]
    outcomes: dict[str, Outcome] = {}
    for name in names:
        outcomes[name] = outcome = run(OPERATIONS[name], TABLE[name], None, options.compiled)
        print(f"{outcome.passed:5} of {outcome.run:5} passed  {name}", file=sys.stderr, flush=True)
        for failure in outcome.failures:
            print(f"      {failure}", file=sys.stderr)
    if not options.names:
        PAGE.write_text(_page(outcomes, options.compiled), encoding="utf-8")
    sys.exit(any(outcome.failures for outcome in outcomes.values()))


def covered_names(page: str) -> dict[str, bool]:
    """Every entry that the page lists, and whether as covered."""
    above, below = page.split(TAIL.lstrip().splitlines()[0])
    return dict.fromkeys(_listed(above), True) | dict.fromkeys(_listed(below), False)


def _listed(part: str) -> list[str]:
    return [line.split("|")[1].strip(" `") for line in part.splitlines() if line.startswith("| `")]


def _page(outcomes: dict[str, Outcome], limit: int | None) -> str:
    left = [name for name in OPERATIONS if name not in TABLE]
    page = HEAD.format(
        total=len(OPERATIONS),
        covered=len(TABLE),
        samples=sum(outcome.run for outcome in outcomes.values()),
        compiled=sum(outcome.compiled for outcome in outcomes.values()),
        passed=sum(outcome.passed for outcome in outcomes.values()),
        skipped=sum(outcome.skipped.total() for outcome in outcomes.values()),
        compiled_words="they" if limit is None else f"up to {limit} of each entry, evenly spread,",
        primitives=len(REGISTRY),
    )
    for name in OPERATIONS:
        if name in outcomes:
            page += _row(name, TABLE[name], outcomes[name])
    return page + TAIL + "".join(f"| `{name}` | {reason(name)} |\n" for name in left)


def _row(name: str, case: Case, outcome: Outcome) -> str:
    notes = [f"{count}: {why}" for why, count in outcome.skipped.items()]
    if case.eager_only:
        notes.append(f"not compiled: {case.eager_only}")
    if case.because:
        notes.append(f"{case.tolerance:g} times the difference: {case.because}")
    if case.nan_there:
        notes.append(case.nan_there)
    cells = [
        f"`{name}`",
        case.ours,
        outcome.run,
        outcome.compiled,
        outcome.passed,
        "; ".join(notes),
    ]
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |\n"


if __name__ == "__main__":
    main()
