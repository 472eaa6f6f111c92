"""Manifests of runs that never were, for what only reads them."""

from __future__ import annotations

from typing import Any

from retrograd.store import Given, Manifest


def made_manifest(**changes: Any) -> Manifest:
    """That of a table's run on houses.csv, still training."""
    facts: dict[str, Any] = {
        "kind": "table",
        "task": "regression",
        "seed": 1,
        "data": Given("houses.csv", "0" * 64),
        "validation": None,
        "test": None,
        "rows": {"train": 100, "validation": 20},
        **changes,
    }
    return Manifest(**facts)
