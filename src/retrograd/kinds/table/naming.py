"""Names, in words, for the elements of a table network's tensors.

Members and units are counted from 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd.data.tables.encoders import DateEncoder, NumberEncoder, Scale

if TYPE_CHECKING:
    from retrograd.kinds.table.model import TableModel

__all__ = ["INPUTS", "ElementNames"]

Index = Sequence[int]

INPUTS = ("numbers", "piecewise", "one_hot", "embeddings")
"""The outputs that together are the features of the first layer."""


class ElementNames:
    """Names for the elements of all outputs and weights of `model`'s network."""

    def __init__(self, model: TableModel) -> None:
        preprocessor, network = model.preprocessor, model.network
        levels = preprocessor.category_levels
        self._numbers = preprocessor.number_names
        self._pieces = _pieces(model)
        self._one_hot = [
            f"{preprocessor.category_names[network.few[i]]} = {levels[network.few[i]][code]}"
            for i, code in zip(network.one_hot.column.data, network.one_hot.code.data, strict=True)
        ]
        self._embedded = [(preprocessor.category_names[i], levels[i]) for i in network.many]
        embedded = [
            _dimension(name, place)
            for (name, _), table in zip(self._embedded, network.embeddings, strict=True)
            for place in range(table.weight.shape[1])
        ]
        self._inputs = [*self._numbers, *self._pieces, *self._one_hot, *embedded]
        self._answers = preprocessor.classes or (preprocessor.schema.target.name,)

    def output(self, layer: str, index: Index) -> str:
        """Element `index` (row first) of the output of the module `layer`; "" is the network."""
        room, _, rest = layer.partition(".")
        match room:
            case "numbers":
                return self._numbers[index[1]]
            case "piecewise":
                return self._pieces[index[1]]
            case "one_hot":
                return self._one_hot[index[1]]
            case "embeddings":
                return _dimension(self._embedded[int(rest)][0], index[1])
            case "":
                return f"member {index[1] + 1}, {self._answers[index[2]]}"
        return f"member {index[1] + 1}, unit {index[2] + 1}"

    def weight(self, name: str, index: Index) -> str:
        """Element `index` of the parameter `name`: what it connects."""
        layer, _, kind = name.rpartition(".")
        room, _, place = layer.partition(".")
        if name == "head":
            member, answer, unit = index
            return f"member {member + 1}: unit {unit + 1} → {self._answers[answer]}"
        if name == "head_bias":
            return f"member {index[0] + 1}: {self._answers[index[1]]}"
        if room == "embeddings":
            column, levels = self._embedded[int(place)]
            return f"{column} = {levels[index[0]]}, dimension {index[1] + 1}"
        if room == "layers" and kind == "weight":
            unit, source = index
            came = self._inputs[source] if place == "0" else f"unit {source + 1}"
            return f"{came} → unit {unit + 1}"
        return f"member {index[0] + 1}: unit {index[1] + 1}"


def _dimension(column: str, place: int) -> str:
    return f"{column}, dimension {place + 1}"


def _pieces(model: TableModel) -> list[str]:
    """The pieces of every number's curve, in the table's units: "sqft 1,000 to 1,200"."""
    names = model.preprocessor.number_names
    scales = _scales(model)
    piecewise = model.network.piecewise
    low = np.asarray(piecewise.low.data, np.float64)
    high = low + np.asarray(piecewise.width.data, np.float64)
    return [
        f"{names[i]} {_unscaled(scales[i], start)} to {_unscaled(scales[i], end)}"
        for i, start, end in zip(piecewise.column.data, low, high, strict=True)
    ]


def _scales(model: TableModel) -> list[Scale | None]:
    """How each numeric column was scaled; None if it was not."""
    scales: list[Scale | None] = []
    for encoder in model.preprocessor.numeric:
        own: list[Scale | None] = []
        if isinstance(encoder, NumberEncoder):
            own = [encoder.scale]
        elif isinstance(encoder, DateEncoder):
            own = [scale for _, scale in encoder.parts]
        scales += own + [None] * (len(encoder.names) - len(own))
    return scales


def _unscaled(scale: Scale | None, value: float) -> str:
    if scale is not None and scale.factor:
        # Undoes Scale.apply: y = z / √(1 + (z/3)²), so z = y / √(1 − (y/3)²). Float32 rounding may
        # have put the outermost values exactly on the limit.
        squared = max(1.0 - (value / 3.0) ** 2, 1e-12)
        value = value / math.sqrt(squared) / scale.factor + scale.center
    digits: Any = np.format_float_positional(value, precision=5, fractional=False, trim="-")
    return f"{digits}"
