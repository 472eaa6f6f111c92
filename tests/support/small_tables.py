"""Small tables and the untrained models of them: seconds matter in tests, accuracy does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from retrograd.kinds.base.kind import DataSpec, Prepared
from retrograd.kinds.registry import prepare
from retrograd.kinds.table.options import TableOptions

HOSTILE = "<script>alert(1)</script>"
"""A column's name, and a class's, that a careless page would run."""


def houses(rows: int = 120) -> pa.Table:
    """Numbers, a category, a date, a flag, and a price; one column has a hostile name."""
    rng = np.random.default_rng(3)
    size = rng.uniform(40, 200, rows).round(1)
    beds = rng.integers(1, 6, rows)
    city = rng.choice(["Albany", "Berne", "Cusco", HOSTILE], rows)
    built = np.datetime64("1990-01-01") + rng.integers(0, 9000, rows)
    garden = rng.choice(["yes", "no"], rows)
    price = 1000 * size + 5000 * beds + rng.normal(0, 4000, rows)
    return pa.table(
        {
            "size": size,
            HOSTILE: beds.astype(float) + rng.uniform(0, 0.5, rows),
            "city": city.tolist(),
            "built": [str(day) for day in built],
            "garden": garden.tolist(),
            "price": price.round(2),
        }
    )


def flowers(rows: int = 120) -> pa.Table:
    """Two numbers and a class, one of three, one of them with a hostile name."""
    rng = np.random.default_rng(4)
    code = rng.integers(0, 3, rows)
    return pa.table(
        {
            "length": rng.normal(code, 0.3),
            "width": rng.normal(2 * code, 0.5),
            "kind": np.array(["aster", "broom", HOSTILE])[code].tolist(),
        }
    )


def prepared(table: Any, target: str, **options: Any) -> Prepared[Any]:
    """A run on `table`, made ready with a narrow network and not trained."""
    chosen = {"width": 12, "depth": 2, "members": 3, "bins": 6, "epochs": 2, "seed": 1, **options}
    return prepare("table", DataSpec(table), TableOptions(target=target, **chosen))
