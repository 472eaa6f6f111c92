"""The type of the `fresh_python` fixture, for the tests that take it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

FreshPython = Callable[..., "subprocess.CompletedProcess[str]"]
