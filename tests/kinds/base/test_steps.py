"""What the three steps of every kind share: what is given, how it is split, what is resolved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from retrograd import nn
from retrograd.data import split_rows
from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.kind import DataSpec, Parts, introduction
from retrograd.kinds.base.resolved import Resolved
from retrograd.kinds.base.split import split_examples
from retrograd.training.options import Options


@dataclass(frozen=True)
class Numbers:
    """Rows that are their own numbers."""

    rows: np.ndarray[Any, Any]
    kind: str = "numbers"

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def codes(self) -> np.ndarray[Any, Any]:
        return self.rows % 3

    def take(self, rows: np.ndarray[Any, Any]) -> Self:
        return type(self)(self.rows[rows])


def test_test_rows_are_taken_before_those_of_validation() -> None:
    data = Numbers(np.arange(100))
    split = split_examples(Parts(data, test=0.2), 0.25, seed=5)
    kept, test = split_rows(100, 0.2, 5, data.codes)
    train, validation = split_rows(80, 0.25, 5, kept % 3)
    assert split.test is not None
    np.testing.assert_array_equal(split.test.rows, test)
    np.testing.assert_array_equal(split.validation.rows, kept[validation])
    np.testing.assert_array_equal(split.train.rows, kept[train])


def test_parts_of_their_own_and_a_share_that_is_given_come_before_the_options() -> None:
    data, other = Numbers(np.arange(100)), Numbers(np.arange(7))
    split = split_examples(Parts(data, other, other, ("read",)), 0.25, seed=5)
    assert split.train is data
    assert split.validation is split.test is split.judging is other
    assert split.notes == ("read",)
    split = split_examples(Parts(data, validation=0.5), 0.25, seed=5)
    assert len(split.train) == len(split.validation) == 50
    assert split.judging is split.validation


def test_a_part_that_would_be_empty_is_refused_by_the_name_of_the_data() -> None:
    with pytest.raises(DataError, match=r"few\.csv: 3 rows cannot be split"):
        split_examples(Parts(Numbers(np.arange(3)), name="few.csv"), 0.1, seed=0)


def test_what_is_given_is_a_share_between_0_and_1() -> None:
    with pytest.raises(UsageError, match=r"between 0 and 1; found 1\.5"):
        DataSpec("houses.csv", validation=1.5)
    assert DataSpec(Path("data") / "houses.csv").name == "data/houses.csv"
    assert DataSpec({"size": [1]}).name == ""


def test_resolved_options_are_kept_as_options_and_read_back() -> None:
    asked = Options(epochs=7, learning_rate=0.1)
    resolved = Resolved(asked=asked, model="table", batch_size=32, epochs=7, patience=4)
    options = resolved.to_options()
    assert options == asked.replaced(model="table", batch_size=32, patience=4)
    assert Resolved.of(options).to_options() == options
    with pytest.raises(DataError, match="leave model, batch_size, patience open"):
        Resolved.of(asked)


def test_what_is_to_be_trained_is_named_with_its_size() -> None:
    said = introduction("Linear", nn.Linear(999, 2), "two outputs", "")
    assert said == "Linear (2,000 weights, two outputs)"
