"""The road from a call to `.grad` stays short enough to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools/road.py"


def test_the_road_from_a_call_to_the_gradient_is_under_300_lines() -> None:
    result = subprocess.run([sys.executable, str(TOOL)], capture_output=True, text=True, check=True)
    assert int(result.stdout.splitlines()[-1].split()[0]) < 300, result.stdout
