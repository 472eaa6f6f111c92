"""L-BFGS: a quasi-Newton method of limited memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from retrograd.arrays import Array, state
from retrograd.errors import TraceError
from retrograd.optim.base import Closure, GroupedOptimizer, Params, evaluated
from retrograd.optim.whole.line_search import Point, strong_wolfe

__all__ = ["LBFGS"]


class LBFGS(GroupedOptimizer):
    """Steps by an approximate inverse Hessian, built from the latest steps and gradients.

        s = xₖ₊₁ − xₖ,  y = gₖ₊₁ − gₖ               of the last `history_size` iterations
        d = − H g                                   by the two-loop recursion
        x ← x + t d                                 t = γ, or by a line search

    Each `step(closure)` makes up to `max_iter` iterations and calls the closure up to `max_eval`
    times (1.25 `max_iter` by default): it clears the gradients, computes the loss, calls
    `backward()` and returns the loss. It ends when no gradient is above `tolerance_grad`, or the
    weights and the loss change by no more than `tolerance_change`. The closure may be compiled; the
    step decides in Python and may not. `line_search_fn` is None or "strong_wolfe".

    Liu and Nocedal, "On the limited memory BFGS method for large scale optimization" (1989);
    Nocedal and Wright, "Numerical optimization" (2006), algorithm 7.4.

    Raises ValueError for several groups or another line search, TraceError in a compiled step.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: line_search_fn must be None or 'strong_wolfe'; found {line_search_fn!r}"
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) > 1:
            raise ValueError("LBFGS: all parameters must be in one group, with the same options")
        self._iterations = 0
        # Of the latest iteration; the steps s and the changes y of the gradient, oldest first.
        self._last: dict[str, Any] = {}
        self._steps: list[Array] = []
        self._changes: list[Array] = []

    def step(self, closure: Closure | None = None) -> Any:
        """Iterate; returns the loss at the weights as they were."""
        if state.trace is not None:
            raise TraceError(
                "LBFGS.step() decides in Python: call it outside of the compiled step, with a "
                "closure that may be compiled"
            )
        if closure is None:
            raise TypeError("LBFGS.step needs a closure that computes the loss and its gradients")
        options = self.param_groups[0]
        first = evaluated(closure)
        here, gradient, evaluations = float(first), self._gradient(), 1
        for iteration in range(1, options["max_iter"] + 1):
            if np.abs(gradient).max() <= options["tolerance_grad"]:
                break
            d = self._direction(gradient)
            slope = float(gradient @ d)
            # The first direction has the length of the gradient, which says nothing about the step.
            t = options["lr"] * (
                min(1.0, 1 / float(np.abs(gradient).sum())) if self._iterations == 1 else 1.0
            )
            self._last = {"gradient": gradient, "step": t * d}
            if slope > -options["tolerance_change"]:
                break
            before = here
            if options["line_search_fn"] is not None:
                start = Point(0.0, here, gradient, slope)
                point, calls = self._searched(closure, start, t, d)
                t, here, gradient = point.t, point.loss, point.gradient
            else:
                calls = int(iteration != options["max_iter"])
                self._move(t * d)
                if calls:
                    here, gradient = float(evaluated(closure)), self._gradient()
            self._last["step"] = t * d
            evaluations += calls
            if (
                evaluations >= options["max_eval"]
                or np.abs(t * d).max() <= options["tolerance_change"]
                or abs(here - before) < options["tolerance_change"]
            ):
                break
        return first

    def _direction(self, gradient: Array) -> Array:
        """− H g, after taking up what the latest iteration showed."""
        self._iterations += 1
        if self._iterations == 1:
            return -gradient
        s, y = self._last["step"], gradient - self._last["gradient"]
        if float(y @ s) > 1e-10:
            kept = self.param_groups[0]["history_size"] - 1
            self._steps = [*self._steps[max(len(self._steps) - kept, 0) :], s]
            self._changes = [*self._changes[max(len(self._changes) - kept, 0) :], y]
        pairs = [(s, y, 1 / (y @ s)) for s, y in zip(self._steps, self._changes, strict=True)]
        d, shares = -gradient, []
        for s, y, rho in reversed(pairs):
            shares.append(rho * (s @ d))
            d = d - shares[-1] * y
        if pairs:
            s, y, rho = pairs[-1]
            d = d / (rho * (y @ y))
        for (s, y, rho), share in zip(pairs, reversed(shares), strict=True):
            d = d + (share - rho * (y @ d)) * s
        return d

    def _searched(self, closure: Closure, start: Point, t: float, d: Array) -> tuple[Point, int]:
        """The point that the line search finds, with the weights there."""
        places = [parameter.data for parameter in self.param_groups[0].params]

        def put(t: float) -> None:
            for parameter, place in zip(self.param_groups[0].params, places, strict=True):
                parameter.data = place
            self._move(t * d)

        def at(t: float) -> Point:
            put(t)
            loss, gradient = float(evaluated(closure)), self._gradient()
            return Point(t, loss, gradient, float(gradient @ d))

        tolerance = self.param_groups[0]["tolerance_change"]
        point, calls = strong_wolfe(at, start, t, float(np.abs(d).max()), tolerance)
        put(point.t)
        return point, calls

    def _gradient(self) -> Array:
        """All gradients as one vector; 0 for a parameter without one."""
        return np.concatenate(
            [
                np.zeros(parameter.numel(), parameter.dtype)
                if parameter.grad is None
                else np.asarray(parameter.grad.data).reshape(-1)
                for parameter in self.param_groups[0].params
            ]
        )

    def _move(self, step: Array) -> None:
        """Add a vector to all weights."""
        start = 0
        for parameter in self.param_groups[0].params:
            part = step[start : start + parameter.numel()].reshape(parameter.shape)
            parameter.data = np.asarray(parameter.data) + part.astype(parameter.dtype)
            start += parameter.numel()

    def state_dict(self) -> dict[str, Any]:
        """The options, and the history as NumPy arrays."""
        history = {
            "n_iter": self._iterations,
            "last": dict(self._last),
            "steps": list(self._steps),
            "changes": list(self._changes),
        }
        return {**super().state_dict(), "history": history}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, for the same parameters in the same order."""
        super().load_state_dict(state_dict)
        history = state_dict["history"]
        self._iterations = int(history["n_iter"])
        self._last = dict(history["last"])
        self._steps, self._changes = list(history["steps"]), list(history["changes"])
