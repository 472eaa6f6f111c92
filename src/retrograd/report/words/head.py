"""What a report's head says of a run: when, on what data, for how long, with which network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from retrograd.kinds.base.fitted import FittedModel
from retrograd.report.words.figures import duration
from retrograd.store import Given, Manifest
from retrograd.training.history import Epoch
from retrograd.wording import count

__all__ = ["head_facts", "manifest_facts", "without_folder"]

# How the rows of each part are used.
_USES = {"train": "to train on", "validation": "to stop by", "test": "never seen in training"}


def head_facts(
    manifest: Manifest, epochs: Sequence[Epoch], model: FittedModel | None
) -> list[tuple[str, str]]:
    """(what, value) of each fact that is known by now."""
    facts = [("Data", _named(manifest))]
    if manifest.written:
        facts.insert(0, ("Date", f"{datetime.fromisoformat(manifest.written):%Y-%m-%d %H:%M %Z}"))
    rows = [f"{number:,} {_USES[part]}" for part, number in manifest.rows.items()]
    facts.append(("Rows", ", ".join(rows)))
    if model is not None:
        weights = sum(each.numel() for each in model.network.parameters())
        name = type(model.network).__name__
        facts.append(("Network", f"{name}, {count(weights, 'weight')}"))
    if epochs:
        last = epochs[-1]
        facts.append(("Training", f"{count(last.epoch, 'epoch')} in {duration(last.seconds)}"))
    return facts


def manifest_facts(manifest: Manifest) -> dict[str, Any]:
    """The manifest by name, with files' names in place of their paths, which are nobody's business
    with whom the page is shared."""
    facts = manifest.to_json()
    for part in ("data", "validation", "test"):
        if facts[part] and facts[part]["path"]:
            facts[part] = {**facts[part], "path": Path(facts[part]["path"]).name}
    return facts


def without_folder(text: str, manifest: Manifest) -> str:
    """The text with the data's name in place of its absolute path."""
    for given in (manifest.data, manifest.validation, manifest.test):
        if given is not None and given.path is not None:
            text = text.replace(f"{Path(given.path).parent}/", "")
    return text


def _named(manifest: Manifest) -> str:
    parts = (("", manifest.data), (" to stop by", manifest.validation), (" to test", manifest.test))
    names = [f"{_name(given)}{use}" for use, given in parts if given and given.share is None]
    return ", ".join(names)


def _name(given: Given) -> str:
    return "values in memory" if given.path is None else Path(given.path).name
