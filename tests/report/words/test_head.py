"""The head of a report says when, on what, for how long and with which network."""

from __future__ import annotations

import pytest
from support.made_manifests import made_manifest
from support.small_tables import houses, prepared

from retrograd.report.words.figures import duration
from retrograd.report.words.head import head_facts, manifest_facts, without_folder
from retrograd.store import Given
from retrograd.training.history import Epoch

EPOCHS = [Epoch(n, n, 40.0 * n, 1.0, 1.0, 0.1, True) for n in (1, 2)]
MANIFEST = made_manifest(
    data=Given("/home/ann/secret/houses.csv", "0" * 64),
    validation=Given("/home/ann/other/stop.csv", "1" * 64),
    test=Given(share=0.2),
    written="2026-03-04T05:06:07+00:00",
    rows={"train": 1234, "validation": 20, "test": 30},
)


def test_the_facts_of_a_run() -> None:
    model = prepared(houses(), "price").model
    weights = sum(each.data.size for each in model.network.parameters())
    assert head_facts(MANIFEST, EPOCHS, model) == [
        ("Date", "2026-03-04 05:06 UTC"),
        ("Data", "houses.csv, stop.csv to stop by"),
        ("Rows", "1,234 to train on, 20 to stop by, 30 never seen in training"),
        ("Network", f"TableNet, {weights:,} weights"),
        ("Training", "2 epochs in 1 min 20 s"),
    ]


def test_a_run_that_has_just_begun_has_fewer() -> None:
    manifest = made_manifest(data=Given())
    assert head_facts(manifest, [], None) == [
        ("Data", "values in memory"),
        ("Rows", "100 to train on, 20 to stop by"),
    ]


def test_no_path_is_told() -> None:
    facts = manifest_facts(MANIFEST)
    assert facts["data"]["path"] == "houses.csv"
    assert facts["validation"]["path"] == "stop.csv"
    assert facts["test"]["share"] == 0.2
    assert "ann" not in str(facts)
    said = "/home/ann/secret/houses.csv is not UTF-8, nor is /home/ann/other/stop.csv."
    assert without_folder(said, MANIFEST) == "houses.csv is not UTF-8, nor is stop.csv."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"), (0.336, "0.34 s"), (12.3, "12 s"), (59.4, "59 s"), (59.6, "1 min 0 s"),
        (125, "2 min 5 s"), (3599.7, "1 h 0 min"), (3900, "1 h 5 min"),
    ],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
