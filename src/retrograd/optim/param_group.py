"""A group of parameters and its options; each option is checked when set, and traced."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

import numpy as np

from retrograd.arrays import is_traced, state
from retrograd.tensor import Tensor
from retrograd.variable import Parameter, Slot

__all__ = ["ParamGroup", "described"]

# Every option that is a number, or two, is at least 0 and below this.
_LIMITS: dict[str, float | None] = {
    "lr": math.inf,
    "lr_decay": math.inf,
    "weight_decay": math.inf,
    "l1": math.inf,
    "eps": math.inf,
    "initial_accumulator_value": math.inf,
    "momentum": 1.0,
    "dampening": 1.0,
    "alpha": 1.0,
    "betas": 1.0,
    "momentum_decay": math.inf,
    "lambd": math.inf,
    "t0": math.inf,
    "rho": 1.0,
    "d": math.inf,
    "warmup_steps": math.inf,
    # Optimizers whose option of a common name is another one; they check it themselves.
    "ASGD.alpha": math.inf,
    "Adafactor.eps": None,
}


class ParamGroup(Mapping[str, Any]):
    """Parameters that share their options: `group["lr"]`, `group["betas"]`, `group["params"]`.

    Assigning to an option changes it from the next step on. `group["lr"]` is a Python float, or a
    Tensor within a compiled step. Raises ValueError for an option that the optimizer lacks or a
    value out of its range, TypeError for one that is not a number.
    """

    def __init__(
        self, owner: str, params: tuple[Parameter, ...], options: Mapping[str, Any]
    ) -> None:
        self.owner = owner
        self.params = params
        # float64, so that a float64 training run sees the learning rate that was asked for.
        self.lr = Slot(np.zeros((), np.float64))
        # Steps without a gradient do not count for a parameter. Only the parameters in `late` have
        # met one, so that all others share the numbers computed from one count.
        self.count = Slot(np.zeros((), np.int64))
        self.missed = Slot(np.zeros(len(params), np.int64))
        self.late: frozenset[int] = frozenset()
        self._base_lr: float | None = None
        self.options: dict[str, Any] = {}
        for name, value in options.items():
            self._set(name, value)

    def __getitem__(self, name: str) -> Any:
        if name == "params":
            return self.params
        if name == "lr":
            lr = self.lr.data
            return lr.item() if state.trace is None else Tensor(lr)
        return self.options[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "params":
            raise TypeError("a group keeps its parameters; use optimizer.add_param_group for more")
        if name not in self:
            raise ValueError(
                f"{self.owner} has no option {name!r}; it has {', '.join(['lr', *self.options])}"
            )
        self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        if name != "lr":
            self.options[name] = _checked(self.owner, name, value)
        elif is_traced(traced := value.data if isinstance(value, Tensor) else value):
            self.lr.data = traced.astype(np.float64)
        else:
            self.lr.data = np.asarray(_checked(self.owner, name, value), np.float64)

    def base_lr(self) -> float:
        """The learning rate before the first schedule, which asks for it, changed it."""
        if self._base_lr is None:
            self._base_lr = float(self["lr"])
        return self._base_lr

    def next_steps(self, present: list[bool]) -> list[Any]:
        """Count a step; return each parameter's own count, as numbers or traced 0-d arrays."""
        trace = state.trace
        if not all(present):
            self.late |= {position for position, here in enumerate(present) if not here}
        count = self.count.data + 1
        self.count.data = np.asarray(count) if trace is None else count
        if trace is None:
            count = count.item()
        else:
            trace.guard(self, "options", dict(self.options))
            trace.guard(self, "late", self.late)
        steps = [count] * len(present)
        if self.late:
            missed = self.missed.data + ~np.array(present)
            self.missed.data = missed
            for position in self.late:
                steps[position] = count - missed[position]
        return steps

    @property
    def steps(self) -> np.ndarray[Any, Any]:
        """How many steps each parameter has taken."""
        return np.asarray(self.count.data - self.missed.data)

    @steps.setter
    def steps(self, steps: np.ndarray[Any, Any]) -> None:
        self.count.data = np.asarray(steps.max())
        self.missed.data = steps.max() - steps
        self.late = frozenset(np.flatnonzero(self.missed.data).tolist())

    def __iter__(self) -> Iterator[str]:
        return iter(("params", "lr", *self.options))

    def __len__(self) -> int:
        return 2 + len(self.options)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


def _checked(owner: str, name: str, value: Any) -> Any:
    """An option as Python's own value: a NumPy float64 would turn float32 weights into its own."""
    limit = _LIMITS.get(f"{owner}.{name}", _LIMITS.get(name))
    if limit is None:
        return value
    if name != "betas":
        return _number(owner, name, value, limit)
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise TypeError(f"{owner}: betas must be two numbers; found {described(value)}")
    return tuple(_number(owner, name, each, limit) for each in value)


def _number(owner: str, name: str, value: Any, limit: float) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{owner}: {name} must be a number; found {described(value)}")
    number = float(value)
    if not 0 <= number < limit:
        below = " and finite" if limit == math.inf else f" and below {limit:g}"
        raise ValueError(f"{owner}: {name} must be at least 0{below}; found {number:g}")
    return number


def described(value: object) -> str:
    """What was found, for an error message."""
    shape = f" of shape {value.shape}" if isinstance(value, Tensor) else ""
    return f"{type(value).__name__}{shape}" if shape else f"{type(value).__name__} {value!r:.60}"
