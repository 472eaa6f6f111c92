"""Does the first remedy of the right finding bring a faulty program of the seen half back?

    python benchmarks/field/remedying.py

For each faulty program the first remedy of each code that names a cause which the source gives, as
it suits the program at hand. It counts if the author's figure then ends well. Remedies that only a
person can apply are listed. Results are kept in --results; a program that has one is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # what all benchmarks share

from collection import Faulty, programs
from figures import wilson
from mending import mendable
from results import record, table

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.remedies.advice import advised
from retrograd.diagnosis.remedies.planning import BY_HAND
from retrograd.diagnosis.remedies.table import PROGRAM_REMEDIES

Line = dict[str, Any]


def remedied(program: Faulty) -> Line:
    """What the first remedies of the right codes make of the faulty program."""
    training = program.build()[0]
    changed = None if training is None else mendable(training)
    line: Line = {"name": program.name, "well": training.well, "tried": [], "by_hand": []}
    if changed is None:
        return line
    for code in program.right:
        found = advised([finding(code, "as the source says")], changed)[0]
        first = found.remedies[0]
        variants = PROGRAM_REMEDIES.variants(first.change, changed, found)
        if first.change == BY_HAND or not variants:
            line["by_hand"].append(f"{code}: {first.text}")
            continue
        for words, mended in variants:
            score = mended.run(0).score
            line["tried"].append([f"{code}: {words}", None if math.isnan(score) else score])
            if score >= training.well:
                return line
    return line


def is_well(line: Line) -> bool:
    """Whether the figure is at least the one from which the run ended well."""
    return any(score is not None and score >= line["well"] for _, score in line["tried"])


def report(lines: list[Line]) -> None:
    """The table of what was tried, those that are not brought back first."""
    tried = [each for each in lines if each["tried"]]
    well = [each for each in tried if is_well(each)]
    low, high = wilson(len(well), len(tried))
    rows = [
        (
            each["name"],
            "; ".join(words for words, _ in each["tried"]) or "; ".join(each["by_hand"]) or "none",
            ", ".join("none" if s is None else f"{s:.3g}" for _, s in each["tried"]) or "by hand",
            f"{each['well']:.3g}",
            "yes" if is_well(each) else "no",
        )
        for each in sorted(lines, key=lambda each: (not each["tried"], is_well(each), each["name"]))
    ]
    record(
        "field-remedies",
        "First remedies for programs by other people",
        f"{len(lines)} faulty programs of the seen half (`python benchmarks/field/remedying.py`): "
        "the first remedy of each code that names a cause which the source gives, applied to the "
        "faulty program, seed 0, each value of it that `rg.fix` would try, until the author's "
        "figure ends well. Of "
        f"{len(tried)} to which a remedy can be applied by a program, {len(well)} end well "
        f"({len(well) / max(1, len(tried)):.0%}; {low:.0%} to {high:.0%}).\n\n"
        + table(("program", "first remedy", "figure", "well from", "ends well"), rows),
    )


def main() -> None:
    """Remedy what is missing, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, help="a file of JSON lines")
    parser.add_argument("--only", nargs="*", default=[], help="names of programs")
    options = parser.parse_args()
    results = options.results or Path(tempfile.gettempdir()) / "field-remedies.jsonl"
    known = results.read_text("utf-8").splitlines() if results.exists() else []
    lines = [json.loads(each) for each in known]
    done = {each["name"] for each in lines}
    warnings.simplefilter("ignore", RuntimeWarning)
    for program in programs("seen"):
        is_due = isinstance(program, Faulty) and program.name not in done and program.right
        if not is_due or (options.only and program.name not in options.only):
            continue
        try:
            line = remedied(program)
        except Exception as error:  # a remedy that makes a program fail is no remedy
            failed = f"{type(error).__name__}: {error}"
            line = {
                "name": program.name,
                "well": math.inf,
                "tried": [[failed, None]],
                "by_hand": [],
            }
        print(line, flush=True)
        lines.append(line)
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    if not options.only:
        report(lines)


if __name__ == "__main__":
    main()
