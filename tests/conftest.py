"""What every test stands on: JAX on the CPU, fixed random numbers, fresh interpreters."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from support.interpreters import FreshPython

# Fixtures that several rooms share.
pytest_plugins = ("support.command", "support.pages", "support.small_images")

# Read when JAX is first imported; a run on a GPU sets it beforehand.
os.environ.setdefault("JAX_PLATFORMS", "cpu")

# Compiling takes most of the tests' time, and many compile the same programs. They share what is
# compiled, also with the processes that they start, and with the next run of the tests.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".xla_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

# A shell that starts the tests in the background has them ignore Ctrl-C, which some tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: the first call of a compiled function takes seconds, the second microseconds.
hypothesis.settings.register_profile("retrograd", deadline=None, derandomize=True)
hypothesis.settings.load_profile("retrograd")


@pytest.fixture(autouse=True)
def _same_random_numbers_in_any_order() -> None:
    import retrograd.random

    random.seed(0)
    np.random.seed(0)
    retrograd.random.manual_seed(0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def fresh_python(tmp_path: Path) -> FreshPython:
    """Run code in an interpreter of its own, in an empty folder, with warnings as errors.

    The caller looks at the result's `returncode`, `stdout` and `stderr`.
    """

    def run(code: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
