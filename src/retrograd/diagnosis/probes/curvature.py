"""The curvature of the loss at the current weights: the Hessian's trace and largest eigenvalue.

Both use products H v (computed as in `rg.hvp`, Pearlmutter 1994) of one loss on one batch. The
trace is the mean of vᵀ H v over random signs v (Hutchinson 1990); power iteration finds the
eigenvalue λ of the largest magnitude. With a learning rate above 2 / λ, plain gradient descent
oscillates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.autodiff.tape import Node, backpropagate, recording
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["Curvature"]

Array = np.ndarray[Any, Any]
Vectors = list[Array]


class Curvature:
    """Measures one network repeatedly; each power iteration starts from the last eigenvector."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self.parameters = [each for each in parameters if each.requires_grad]
        self.direction: Vectors = []  # where power iteration has come to; none before the first

    @np.errstate(all="ignore")  # diverged weights overflow, and then there is no curvature
    def measure(self, loss: Tensor, pairs: int, seed: int = 0) -> dict[str, float]:
        """`trace`, `trace_error` (its standard error), `largest`, and `products` (their number).

        Computes `pairs` pairs of products, one for each of the two; of a single pair there is no
        error to tell. Empty if the loss does not depend on the weights or is not finite.
        """
        rng = np.random.default_rng(seed)
        root = loss._node
        if root is None or not np.isfinite(loss.data).all():
            return {}
        slopes = self._slopes(root, loss)
        if not slopes:
            return {}
        direction = self.direction or self._signs(rng)
        traces: list[float] = []
        largest = 0.0
        for _ in range(pairs):
            signs = self._signs(rng)
            traces.append(_dot(signs, self._product(slopes, signs)))
            length = _dot(direction, direction) ** 0.5
            direction = [each / length for each in direction]
            turned = self._product(slopes, direction)
            largest = _dot(direction, turned)  # the Rayleigh quotient
            if not np.isfinite([traces[-1], largest]).all():
                return {}
            if _dot(turned, turned) == 0:
                break  # no curvature in this direction, so power iteration cannot continue
            direction = turned
        self.direction = direction
        error = np.std(traces, ddof=1) / len(traces) ** 0.5 if len(traces) > 1 else 0.0
        return {
            "trace": float(np.mean(traces)),
            "trace_error": float(error),
            "largest": largest,
            "products": 2 * len(traces),
        }

    def _nodes(self) -> list[Node]:
        return [node for each in self.parameters if (node := each._node) is not None]

    def _slopes(self, root: Node, loss: Tensor) -> dict[Node, Tensor]:
        with recording(True):
            return backpropagate(
                [(root, Tensor(np.ones((), loss.dtype)))],
                until=self._nodes(),
                create_graph=True,
                retain_graph=True,
            )

    def _product(self, slopes: dict[Node, Tensor], vectors: Vectors) -> Vectors:
        """H v = d(∇loss · v) / d weights."""
        nodes = self._nodes()
        with recording(True):
            along: Any = 0.0
            for node, vector in zip(nodes, vectors, strict=True):
                if node in slopes:
                    along = along + ops.sum(slopes[node] * Tensor(vector))
        found: dict[Node, Tensor] = {}
        if along._node is not None:
            start = Tensor(np.ones((), along.dtype))
            found = backpropagate([(along._node, start)], until=nodes, retain_graph=True)
        return [
            np.asarray(found[node].data) if node in found else np.zeros_like(vector)
            for node, vector in zip(nodes, vectors, strict=True)
        ]

    def _signs(self, rng: np.random.Generator) -> Vectors:
        return [rng.choice(np.array([-1, 1], each.dtype), each.shape) for each in self.parameters]


def _dot(one: Vectors, other: Vectors) -> float:
    return float(sum(np.vdot(a, b) for a, b in zip(one, other, strict=True)))
