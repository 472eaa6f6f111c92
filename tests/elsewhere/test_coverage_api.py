"""docs/coverage-api.md lists what is here, and something is said of every name that is not."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


def script() -> Any:
    spec = importlib.util.spec_from_file_location("coverage_api", ROOT / "tools/coverage_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = script()


@pytest.mark.parametrize("namespace", TOOL.NAMESPACES)
def test_something_is_said_of_every_name(namespace: str) -> None:
    found = TOOL.answers(namespace)
    assert found.unknown == []
    covered = len(found.here) + len(found.otherwise)
    assert covered / (covered + len(found.left_out)) > 0.75


@pytest.mark.parametrize("namespace", TOOL.NAMESPACES)
def test_what_the_page_calls_here_is_here(namespace: str) -> None:
    text = TOOL.PAGE.read_text("utf-8")
    section = re.search(rf"\n## `{re.escape(namespace)}`\n\n(.*?)(?=\n## |\Z)", text, re.S)
    assert section is not None
    here = re.findall(r"`([^`]+)`", section[1].partition("\n\n**")[0])
    assert len(here) > 8
    theirs, ours = TOOL.NAMESPACES[namespace]
    assert [name for name in here if not hasattr(ours, name)] == []
    assert [name for name in here if not hasattr(theirs, name)] == []
