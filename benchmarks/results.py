"""Where measurements are kept: one section of docs/results.md for each script, rewritten by it."""

from __future__ import annotations

import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent.parent / "docs" / "results.md"


def record(section: str, title: str, text: str) -> None:
    """Print `text` and put it into the results as the section's contents."""
    machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "jax", "scikit-learn"))
    body = (
        f"<!-- {section} -->\n## {title}\n\n{text.strip()}\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine}; {versions}.\n<!-- end {section} -->"
    )
    print(text)
    old = RESULTS.read_text("utf-8") if RESULTS.exists() else "# Results\n"
    pattern = re.compile(rf"<!-- {section} -->.*?<!-- end {section} -->", re.DOTALL)
    new = pattern.sub(lambda _: body, old) if pattern.search(old) else f"{old}\n{body}\n"
    RESULTS.write_text(new, "utf-8")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def interleaved(
    contenders: Mapping[str, Callable[[], object]], rounds: int, calls: int
) -> dict[str, list[float]]:
    """Seconds per call, for each contender one figure a round; they take turns within a round.

    Taking turns exposes all of them to the same disturbances; compare the medians of the figures.
    """
    for call in contenders.values():  # compile, and fill caches
        for _ in range(max(3, calls // 10)):
            call()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            started = time.perf_counter()
            for _ in range(calls):
                call()
            seconds[name].append((time.perf_counter() - started) / calls)
    return seconds


def ratio(seconds: Mapping[str, Sequence[float]], one: str, other: str) -> float:
    """The median over rounds of one contender's time over the other's."""
    return statistics.median(a / b for a, b in zip(seconds[one], seconds[other], strict=True))
