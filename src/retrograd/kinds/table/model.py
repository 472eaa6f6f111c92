"""A network for tables with everything needed to use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from retrograd.data import Preprocessor
from retrograd.kinds.base.fingerprints import fingerprints
from retrograd.kinds.base.importance import Importance, Reasons
from retrograd.kinds.table.data import TableData
from retrograd.kinds.table.frame import FrameModel, objective_of, table_net
from retrograd.kinds.table.importance import column_importance, column_reasons
from retrograd.kinds.table.options import TableOptions
from retrograd.models import TableNet

__all__ = ["TableModel"]

Array = np.ndarray[Any, Any]


@dataclass
class TableModel(FrameModel):
    """A network for tables with everything needed to use it: tables in, predictions out."""

    kind: ClassVar[str] = "table"
    network: TableNet

    @classmethod
    def build(cls, preprocessor: Preprocessor, options: TableOptions, shares: Array) -> Self:
        """An untrained network for the columns that `preprocessor` makes."""
        objective = objective_of(preprocessor.schema)
        network = table_net(preprocessor, options, objective.outputs)
        return cls(preprocessor, shares, network, separator=options.sep)

    def predict(self, data: TableData, notes: list[str] | None = None) -> Array:
        with data.places.named():
            arrays = self.preprocessor.transform(data.frame)
        if notes is not None:
            notes += arrays.notes
        return self.predict_from((arrays.numbers, arrays.categories))

    def predict_from(self, inputs: tuple[Array, Array]) -> Array:
        """The predictions for the network's inputs, numbers and categories."""
        return self.decoded(self.predictor(inputs))

    def fingerprints(self, data: TableData) -> Array:
        arrays = self.preprocessor.transform(data.frame)
        return fingerprints(arrays.numbers, arrays.categories, self.preprocessor.target(data.frame))

    def importance(self, data: TableData, *, rows: int, predictions: int) -> Importance:
        return column_importance(self, data, rows, predictions)

    def reasons(self, data: TableData, rows: Array) -> list[Reasons]:
        return column_reasons(self, data, rows)

    def to_json(self) -> dict[str, Any]:
        return {
            "preprocessor": self.preprocessor.to_json(),
            "class_shares": self.class_shares.tolist(),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], options: TableOptions) -> Self:
        preprocessor = Preprocessor.from_json(saved["preprocessor"])
        return cls.build(preprocessor, options, np.asarray(saved["class_shares"], float))
