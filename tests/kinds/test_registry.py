"""Which kind learns from what: by the data, by the task, or by an option that only one has."""

from __future__ import annotations

from pathlib import Path

from retrograd.kinds.registry import kind_of


def test_a_named_column_of_images_makes_a_table_one_of_images(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,kind\n1,a\n2,b\n")
    assert kind_of(table) == "table"
    assert kind_of(table, None, {"target": "kind", "image": "id"}) == "images"
    assert kind_of(table, "forecast", {"image": "id"}) == "forecast"
