"""The result of `find_nan`, and its description in words."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["NanOrigin", "Range"]

_ROWS_NAMED = 8


@dataclass(frozen=True)
class Range:
    """An input of an operation: shape, range of the finite values, counts of NaN and infinity."""

    name: str
    shape: tuple[int, ...]
    low: float
    high: float
    nans: int
    infinities: int

    @classmethod
    def of(cls, name: str, values: Any) -> Range:
        """The range of an array or a number; `low` and `high` are NaN without a finite value."""
        array = np.asarray(values)
        numbers = array.astype(np.float64)
        finite = numbers[np.isfinite(numbers)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
        nans = int(np.isnan(numbers).sum())
        return cls(name, array.shape, low, high, nans, int(np.isinf(numbers).sum()))

    def __str__(self) -> str:
        values = "no finite value" if np.isnan(self.low) else f"{self.low:g} to {self.high:g}"
        notes = [
            f"{number} {word}"
            for number, word in ((self.nans, "NaN"), (self.infinities, "infinite"))
            if number
        ]
        shape = f" {self.shape}" if self.shape else ""
        return f"{self.name}{shape}: " + ", ".join([values, *notes])


@dataclass(frozen=True)
class NanOrigin:
    """What first made a NaN or an infinity.

    `kind` is "forward" for an operation with finite inputs, "backward" for its vector-Jacobian
    product, "update" for the optimizer's update, and "weight" or "data" for a parameter or an
    argument (named by `source`) that was not finite to begin with; `operation` then met it first.
    `layer` is a module's path, "" outside any module. `rows` are positions in the batch, from 0.
    `file`, `line` and `code` give the line of user code; for "backward", that of the forward pass.
    """

    kind: str
    operation: str
    source: str
    layer: str
    made: str
    inputs: tuple[Range, ...]
    rows: tuple[int, ...]
    file: str
    line: int
    code: str

    def to_json(self) -> dict[str, Any]:
        """Names and plain values."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        things = "NaN" if self.made == "NaN" else "infinities"
        where = f" in layer {self.layer!r}" if self.layer else ""
        if self.kind == "data":
            what = f"The data contains {things}"
            what += f" (argument {self.source})" if self.source else ""
            what += f"; {self.operation}{where} met it first" if self.operation else ""
        elif self.kind == "weight":
            what = f"The weight {self.source} already contained {things} before this step"
        elif self.kind == "update":
            what = f"The update by {self.operation} turned weights{where} into {things}"
        elif self.kind == "backward":
            what = f"The backward pass of {self.operation}{where} made {things}"
        else:
            what = f"{self.operation}{where} made {things}"
        lines = [what + _in_rows(self.rows) + "."]
        lines += [f"  {each}" for each in self.inputs]
        if self.file:
            lines.append(f"  {self.file}:{self.line}: {self.code}")
        return "\n".join(lines)


def _in_rows(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    named = ", ".join(map(str, rows[:_ROWS_NAMED]))
    more = f" and {len(rows) - _ROWS_NAMED} more" if len(rows) > _ROWS_NAMED else ""
    return f" in row{'s' if len(rows) > 1 else ''} {named}{more} of the batch"
