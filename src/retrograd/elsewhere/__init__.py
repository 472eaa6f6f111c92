"""PyTorch's names that are not here: what to use, or why there is nothing.

`names.toml` has a table for each of PyTorch's namespaces. It is read when somebody asks for
such a name, and by the script that counts how many of PyTorch's names are covered.
"""

from __future__ import annotations

import functools
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from retrograd.wording import did_you_mean

__all__ = ["advice", "missing"]


@functools.cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("names.toml").read_text("utf-8"))


def advice(namespace: str, name: str) -> tuple[str, str] | None:
    """`("otherwise", what to use)` or `("left out", why)` for a name of `namespace`, or None.

    Names are patterns, as `sparse_*`; the first that fits counts.
    """
    for kind, words in _tables().get(namespace, {}).items():
        for pattern, text in words.items():
            if fnmatchcase(name, pattern):
                return kind.replace("_", " "), text
    return None


def missing(owner: str, namespace: str, name: str, known: list[str]) -> AttributeError:
    """The error for `name`, which `owner` does not have, with the way out."""
    found = advice(namespace, name)
    near = did_you_mean(name, known)
    hint = f": {found[1]}" if found else f".{near}" if near else ""
    return AttributeError(f"{owner} has no attribute {name!r}{hint}", name=name)
