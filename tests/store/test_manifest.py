"""What a run is: it comes back as it was written, and anything else is refused in words."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.made_manifests import made_manifest

from retrograd.errors import DataError
from retrograd.store import Given, Manifest, RunFolder
from retrograd.store.manifest import FileFacts, fingerprint
from retrograd.training.history import Verdict


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", "unused")


def test_a_manifest_comes_back_as_it_was_written(folder: RunFolder) -> None:
    manifest = made_manifest(
        validation=Given(share=0.25), test=Given("/t.csv", "ab"), verdict=Verdict.CONVERGED
    )
    folder.write_manifest(manifest)
    found = folder.manifest()
    assert found.verdict is Verdict.CONVERGED
    assert set(found.versions) == {"python", "retrograd", "numpy", "jax"}
    assert replace(found, written="", versions={}) == manifest


def test_it_knows_the_checksum_of_every_file_but_its_own(folder: RunFolder) -> None:
    folder.stage_json("config.json", {"a": 1})
    folder.write_lines("metrics.jsonl", [{"epoch": 1}])  # grows while the run trains
    folder.write_manifest(made_manifest())
    contents = (folder.path / "config.json").read_bytes()
    facts = FileFacts(len(contents), hashlib.sha256(contents).hexdigest())
    assert folder.manifest().files == {"config.json": facts}
    folder.write_manifest(made_manifest())
    assert folder.manifest().files == {"config.json": facts}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 1}, "is a run folder of version 1, and this Retrograd reads version 2"),
        ({"version": None}, "of version None"),
        ({"format": "zip"}, "is not the manifest of a run: its format is 'zip'"),
        ({"seed": "one"}, "seed is 'one', expected a whole number"),
        ({"data": {"path": 3}}, "data.path is 3"),
        ({"data": None}, "data is None"),
        ({"verdict": "bored"}, "verdict is 'bored', expected one of converged"),
        ({"rows": [1]}, "rows is [1]"),
        ({"files": {"a.json": {"size": 1}}}, "files.a.json.sha256 is missing"),
    ],
)
def test_what_is_no_manifest_of_this_version_is_refused(
    folder: RunFolder, change: dict[str, Any], said: str
) -> None:
    folder.write_manifest(made_manifest())
    saved = {**json.loads((folder.path / "manifest.json").read_text()), **change}
    (folder.path / "manifest.json").write_text(json.dumps(saved))
    with pytest.raises(DataError) as refusal:
        RunFolder.open(folder.path)
    assert said in str(refusal.value)
    assert str(folder.path) in str(refusal.value)


@pytest.mark.parametrize("field", ["kind", "task", "seed", "data", "validation", "test", "rows"])
def test_a_missing_fact_is_named(folder: RunFolder, field: str) -> None:
    saved = made_manifest().to_json()
    del saved[field]
    with pytest.raises(DataError, match=f"{field} is missing"):
        Manifest.from_json(saved, folder.path / "manifest.json")


def test_values_in_memory_have_neither_path_nor_share() -> None:
    assert Given().is_in_memory
    assert not Given("a.csv").is_in_memory
    assert not Given(share=0.2).is_in_memory


def test_the_fingerprint_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("a")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    os.utime(tmp_path / "sub" / "a.txt", ns=(1, 1))
    assert fingerprint(tmp_path) != before
