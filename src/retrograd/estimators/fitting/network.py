"""A trained network as plain values, and its outputs for any rows, in double precision."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from retrograd.autodiff.tape import no_grad
from retrograd.estimators.fitting.plan import NetworkPlan
from retrograd.estimators.fitting.pool import Pool
from retrograd.models import TableNet
from retrograd.tensor import Tensor
from retrograd.training.predictor import Predictor

__all__ = ["TrainedNetwork", "shapes_of"]

Array = np.ndarray[Any, Any]

# Up to this many rows NumPy is as fast as a compiled program, and needs none.
_EAGER = 256
_PREDICTORS: Pool[Predictor] = Pool(8)


class TrainedNetwork:
    """A plan and its weights. It pickles as these two alone.

    Outputs are computed in double precision: that of a row does not depend on the rows beside it.
    Programs are shared by all networks of the same shapes.
    """

    def __init__(self, plan: NetworkPlan, weights: Mapping[str, Array]) -> None:
        self.plan = plan
        self.weights = dict(weights)

    def __getstate__(self) -> dict[str, Any]:
        return {"plan": self.plan, "weights": self.weights}

    def outputs(self, inputs: tuple[Array, Array]) -> Array:
        """(rows, numbers), (rows, categories) -> (rows, members, outputs) float64."""
        numbers, categories = inputs
        wide = (numbers.astype(np.float64), categories)
        if len(numbers) <= _EAGER:
            with no_grad():
                return self._network(*map(Tensor, wide)).numpy()
        key = shapes_of(self._network)
        with _PREDICTORS.borrowed(key, lambda: Predictor(self.plan.build(0))) as predictor:
            predictor.model.load_state_dict(self.weights)
            return predictor(wide)

    @cached_property
    def _network(self) -> TableNet:
        network = self.plan.build(0)
        network.load_state_dict(self.weights)
        return network.eval()


def shapes_of(network: TableNet) -> tuple[Any, ...]:
    """What a program that runs `network` depends on."""
    arrays = tuple((n, a.shape, a.dtype.str) for n, a in network.state_dict().items())
    return (
        arrays,
        tuple(network.few),
        tuple(network.many),
        type(network.activation),
        network.dropout.p,
    )
