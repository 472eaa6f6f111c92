"""A run folder whose files were cut short or edited: the file is named, and there is no traceback.

What a crash leaves of the last line is no damage.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import Command


def without(field: str, file: str) -> tuple[str, str]:
    """The text of a file of JSON objects, a line each, with the first one's `field` left out."""
    first, *others = [line for line in file.splitlines() if line]
    fields = json.loads(first)
    del fields[field]
    return "\n".join([json.dumps(fields), *others]), field


DAMAGES = {
    "a part cut short": ("record/000.json", lambda text: (text[:200], "000.json is damaged")),
    "a part that is a list": ("record/000.json", lambda text: ("[1]", "names and values")),
    "a part without columns": ("record/000.json", lambda text: without("columns", text)),
    "a part without a version": ("record/000.json", lambda text: without("version", text)),
    "a layer without units": (
        "record/000.json",
        lambda text: (text.replace('"units"', '"unit"', 1), "layers[0].units is missing"),
    ),
    "columns that are a number": (
        "record/000.json",
        lambda text: (
            json.dumps({**json.loads(text), "columns": 5}),
            "columns is 5, expected a list",
        ),
    ),
    "facts cut short": ("record/facts.json", lambda text: (text[:9], "facts.json is damaged")),
    "facts of another shape": (
        "record/facts.json",
        lambda text: ('{"never": [1]}', "never[0] is 1, expected a text"),
    ),
    "an epoch of another shape": ("record/epochs.jsonl", lambda text: ("[1, 2]\n", "entry 1")),
    "an epoch without its number": ("record/epochs.jsonl", lambda text: without("epoch", text)),
    "scores that are a text": (
        "record/epochs.jsonl",
        lambda text: (text.replace('"scores": {', '"scores": "high", "other": {'), "'high'"),
    ),
    "a histogram without counts": ("record/histograms.jsonl", lambda text: without("counts", text)),
}
LOG_DAMAGES = {
    "an epoch without its loss": lambda text: without("validation_loss", text),
    "a loss that is a text": lambda text: (
        text.replace('"step": ', '"step": "x", "s": ', 1),
        "'x'",
    ),
    "an epoch that is a number": lambda text: (f"5\n{text}", "line 1"),
    "a line cut short that is not the last": lambda text: (text[:40] + "\n" + text, "line 1"),
}


def refused(retrograd: Command, command: str, *said: str) -> None:
    result = retrograd(command, "run")
    assert result.code == 2, result
    assert result.err.startswith("error: "), result.err
    for words in said:
        assert words in result.err, result.err


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_record_is_named(case: str, retrograd: Command, trained: Path) -> None:
    name, damage = DAMAGES[case]
    path = trained / "run" / name
    changed, said = damage(path.read_text())
    path.write_text(changed)
    # What training found stands beside the record, and does not need it.
    manifest = json.loads((trained / "run" / "manifest.json").read_text())
    manifest["files"].pop("findings.json", None)
    (trained / "run" / "manifest.json").write_text(json.dumps(manifest))
    for command in ("diagnose", "report", "fix"):
        refused(retrograd, command, f"run/{name}", said)


@pytest.mark.parametrize("case", LOG_DAMAGES)
def test_a_damaged_log_is_named(case: str, retrograd: Command, trained: Path) -> None:
    path = trained / "run" / "metrics.jsonl"
    changed, said = LOG_DAMAGES[case](path.read_text())
    path.write_text(changed)
    refused(retrograd, "report", "run/metrics.jsonl", said)


def test_a_last_line_that_a_crash_cut_short_is_left_out(retrograd: Command, trained: Path) -> None:
    for name in ("metrics.jsonl", "record/epochs.jsonl", "record/histograms.jsonl"):
        path = trained / "run" / name
        path.write_text(path.read_text().rstrip() + '\n{"epoch": 3, "st')
    assert retrograd("diagnose", "run").code in (0, 1)
    assert retrograd("report", "run").code == 0
