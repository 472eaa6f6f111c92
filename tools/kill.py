"""Kill runs at random moments, resume them, and compare them to the bit with runs left alone.

    python tools/kill.py --kills 200            # kill -9
    python tools/kill.py --kills 50 --signal INT
    python tools/kill.py --kills 200 --record   # and writes the section of docs/results.md

For each of the six kinds a small run is trained once without a kill. Then others are started with
the same options and killed at a moment drawn from the time that the first one took, resumed with
`train --resume`, killed again, until one comes to its end: that one must have the same weights,
checkpoint, scores, findings, log and record, times aside, and nothing else may lie in its folder.
After every kill `predict`, `evaluate`, `report` and `diagnose` must answer or refuse in words.

A checkpoint is written every 50 ms instead of every 30 s, and a call into XLA makes two steps, so
that a kill meets the writing of checkpoints, the middle of epochs, and every moment in between.
Processes are forked from one that has imported all, which saves seconds each.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results.md"
EPOCHS = "6"
SMALL = ["--set", "width=8", "--set", "depth=1"]
TABLE = [*SMALL, "--set", "members=2", "--set", "bins=4"]


def write_data(folder: Path) -> dict[str, list[str]]:
    """Small data for each kind in `folder`; what follows `retrograd train`, the data first."""
    rng = np.random.default_rng(0)
    lines = ["size,beds,city,price"]
    for _ in range(160):
        size, beds, city = rng.integers(40, 200), rng.integers(1, 6), rng.choice(["Bern", "Ulm"])
        lines.append(f"{size},{beds},{city},{1000 * size + 5000 * beds + rng.integers(0, 999)}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    words = {"good": ["fine", "great", "lovely"], "bad": ["poor", "dull", "broken"]}
    lines = ["review,verdict"]
    for _ in range(160):
        verdict = rng.choice(["good", "bad"])
        chosen = [*rng.choice(words[verdict], 2), *rng.choice(["it", "was", "the", "room"], 6)]
        lines.append(f"{' '.join(chosen)},{verdict}")
    (folder / "text.csv").write_text("\n".join(lines) + "\n")
    y = rng.integers(0, 2, 160)
    pixels = rng.integers(0, 60, (160, 8, 8, 3))
    for image, side in zip(pixels, y, strict=True):
        image[:, 4 * side : 4 * side + 4] += 150
    np.savez(folder / "images.npz", x=pixels.astype(np.uint8), y=y)
    slope = np.linspace(-1, 1, 12) * (2 * y[:, None, None] - 1)
    np.savez(folder / "signals.npz", x=slope + rng.normal(0, 0.5, (160, 2, 12)), y=y)
    level = np.sin(np.arange(400) / 2) + rng.normal(0, 0.1, 400)
    (folder / "forecast.csv").write_text("level\n" + "\n".join(f"{x:.4f}" for x in level) + "\n")
    (folder / "language.txt").write_text("haul away the bowline\nhaul away the rope\n" * 60)
    batch = ["--set", "batch_size=16"]
    return {
        "table": ["table.csv", "--target", "price", *TABLE, *batch, "--set", "dropout=0.1"],
        "text": ["text.csv", "--target", "verdict", "--model", "cnn", *TABLE, *batch],
        "images": ["images.npz", "--model", "mlp", *batch, "--set", "mixup=0.2"],
        "signals": ["signals.npz", "--model", "gru", *batch],
        "forecast": [
            *("forecast.csv", "--task", "forecast", "--target", "level", "--set", "width=8"),
            *("--set", "horizon=3", "--set", "context=12", *batch),
        ],
        "language": [
            *("language.txt", "--task", "language-model", *SMALL),
            *("--set", "context=8", "--set", "batch_size=8"),
        ],
    }


# Processes ----------------------------------------------------------------------------------------


def forked(log: Path, work: Callable[[], int]) -> int:
    """Start `work` in a process of its own that writes what it says to `log`; its number."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        with log.open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def command(*arguments: str) -> int:
    """The command's exit code; 99 and a traceback for what it did not put into words."""
    from retrograd.cli import main

    sys.argv = ["retrograd", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def used(run: str, data: str) -> int:
    """Use a run as it is after a kill; 99 if a command neither answers nor refuses in words."""
    codes = {}
    for name, arguments in {
        "predict": (run, data, "--out", f"{run}.csv"),
        "evaluate": (run, data),
        "report": (run,),
        "diagnose": (run,),
    }.items():
        Path(f"{run}.csv").unlink(missing_ok=True)
        codes[name] = command(name, *arguments)
    print(codes)
    return 0 if set(codes.values()) <= {0, 1, 2} else 99


def ended(child: int) -> int:
    """Wait for a process; its exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def ended_within(child: int, seconds: float) -> int | None:
    """The same if it ends in time; None if it goes on."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return None


# What a run is ------------------------------------------------------------------------------------


def facts(run: Path) -> dict[str, object]:
    """All of a run but its times, by the names of its files."""
    from safetensors.numpy import load_file

    found: dict[str, object] = {}
    for path in sorted(each for each in run.rglob("*") if each.is_file()):
        name = str(path.relative_to(run))
        if name == "manifest.json":
            manifest = json.loads(path.read_text())
            found[name] = {
                k: v for k, v in manifest.items() if k not in ("written", "files", "previous")
            }
            found[f"{name}, files"] = sorted(manifest["files"])
        elif name == "metrics.jsonl":
            epochs = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in epochs]
        elif name == "checkpoint.safetensors":
            arrays = load_file(path)
            found[name] = {k: v.tobytes() for k, v in arrays.items() if not k.endswith("seconds")}
        elif name.startswith(("weights-", "checkpoint-")):
            continue  # the checkpoint before, which falls where the time lets it
        elif name != "report.html":  # which tells the time
            found[name] = path.read_bytes()
    return found


def differences(found: dict[str, object], expected: dict[str, object]) -> list[str]:
    """The names of what is not the same; within a file, of the arrays."""
    names = []
    for name in sorted({*found, *expected}):
        one, other = found.get(name), expected.get(name)
        if one != other:
            both = isinstance(one, dict) and isinstance(other, dict)
            inner = [k for k in {*one, *other} if one.get(k) != other.get(k)] if both else []
            names.append(f"{name} {sorted(inner)[:4] if inner else ''}")
    return names


# Trials -------------------------------------------------------------------------------------------


class Kind:
    """One kind's small run, and what it is when nothing kills it."""

    def __init__(self, name: str, arguments: list[str], seed: int) -> None:
        self.name = name
        self.data = arguments[0]
        self.start = ["train", *arguments, "--epochs", EPOCHS, "--set", "patience=99", "--out"]
        self.random = random.Random(f"{seed} {name}")
        self.log = Path(f"{name}.log")
        run = f"{name}-whole"
        for _ in range(2):  # the first compiles
            shutil.rmtree(run, ignore_errors=True)
            began = time.monotonic()
            code = ended(forked(self.log, lambda: command(*self.start, run)))
            self.seconds = time.monotonic() - began
            if code:
                raise SystemExit(
                    f"{name}: the run without a kill ended with {code}; see {self.log}"
                )
        self.expected = facts(Path(run))

    def trial(self, number: int, most: int, sign: int) -> tuple[int, list[str]]:
        """A run that is killed up to `most` times on its way; the kills, and what went wrong."""
        run, kills = f"{self.name}-{number}", 0
        while True:
            go_on = (Path(run) / "manifest.json").is_file()
            words = ["train", "--resume", run] if go_on else [*self.start, run]
            child = forked(self.log, lambda words=words: command(*words))
            moment = self.random.uniform(0, self.seconds) if kills < most else 1e6
            code = ended_within(child, moment)
            if code is not None:
                # 2: it had come to its end when it was killed, and the resume says so.
                if code not in (0, 2):
                    return kills, [f"{' '.join(words)} ended with {code}"]
                break
            os.kill(child, sign)
            code, kills = ended(child), kills + 1
            if code == 99:
                return kills, [f"{' '.join(words)}: a traceback at the signal"]
            if code == 0:
                break  # it had come to its end
            if ended(forked(self.log, lambda: used(run, self.data))):
                return kills, [f"{run} after kill {kills}: a traceback"]
        wrong = differences(facts(Path(run)), self.expected)
        if not wrong:
            shutil.rmtree(run)
        return kills, wrong


def main() -> None:
    """Try until there were so many kills; exits with 1 if a run was not the same."""
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=30)
    options.add_argument("--most", type=int, default=4, help="kills of one run")
    options.add_argument("--signal", choices=["KILL", "INT", "TERM"], default="KILL")
    options.add_argument("--kinds", nargs="*")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--record", action="store_true", help="write docs/results.md")
    asked = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kill-"))
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".xla_cache"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    import retrograd.cli  # noqa: F401  # for all forks
    from retrograd.kinds.text import buckets
    from retrograd.store import log
    from retrograd.training import sources

    log._SECONDS_BETWEEN_CHECKPOINTS = 0.05
    sources.STEPS_PER_CALL = buckets._STEPS_PER_CALL = 2
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cases = write_data(folder)
    kinds = [Kind(n, cases[n], asked.seed) for n in asked.kinds or cases]
    print(
        f"{folder}: " + ", ".join(f"{each.name} {each.seconds:.1f} s" for each in kinds), flush=True
    )
    total: dict[str, list[int]] = {each.name: [0, 0, 0] for each in kinds}
    number = 0
    while sum(row[0] for row in total.values()) < asked.kills:
        kind = kinds[number % len(kinds)]
        kills, wrong = kind.trial(number, asked.most, getattr(signal, f"SIG{asked.signal}"))
        row = total[kind.name]
        total[kind.name] = [row[0] + kills, row[1] + 1, row[2] + (not wrong)]
        print(f"{kind.name}-{number}: {kills} kills, {'; '.join(wrong) or 'the same'}", flush=True)
        number += 1
    rows = [*total.items(), ("all", [sum(column) for column in zip(*total.values(), strict=True)])]
    table = "\n".join(f"| {name} | {k} | {runs} | {same} |" for name, (k, runs, same) in rows)
    text = (
        f"Kills by SIG{asked.signal} at random moments, up to {asked.most} of one run, from its "
        "first moment to its report; `tools/kill.py`. The same: weights, checkpoint, scores, "
        "findings, log and record are those of a run left alone, to the bit, and nothing else is "
        "left in the folder. After each kill `predict`, `evaluate`, `report` and `diagnose` "
        "answered or refused in words.\n\n"
        f"| kind | kills | runs | the same |\n| --- | --- | --- | --- |\n{table}\n"
    )
    print(text)
    if asked.record:
        sys.path.append(str(ROOT / "benchmarks"))
        from results import record

        record("kill", "Runs that are killed", text)
    if rows[-1][1][1] == rows[-1][1][2]:
        shutil.rmtree(folder)
        return
    print(f"What differs is in {folder}.")
    sys.exit(1)


if __name__ == "__main__":
    main()
