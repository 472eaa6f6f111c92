"""What does not fit a transformer."""

from __future__ import annotations

from typing import Any

import pytest

from retrograd import nn


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (lambda: nn.TransformerEncoderLayer(8, 2, activation="cos"), "found 'cos'"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(run: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        run()
