"""What the optimizers share: parameter groups, their options, their state, and the walk of a step.

An optimizer is one equation, its `_update`: from a weight `x`, its gradient `g` and what it
remembers, to the new weight. It works on raw arrays, NumPy's or traced ones. Three kinds of values
enter it, and differ in what a compiled step makes of them:

    the learning rate    a Slot, so that changing it between steps compiles nothing anew
    moments and counts   Slots, carried from step to step
    other options        Python values that belong to the program: changing one traces it anew
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from retrograd.arrays import Array, DType, Namespace, namespace, state
from retrograd.optim.slots import Slots
from retrograd.tensor import Tensor
from retrograd.variable import Parameter, Slot

__all__ = ["Optimizer", "ParamGroup", "Params"]

Params: TypeAlias = Iterable[Parameter] | Iterable[Mapping[str, Any]]

# Every option that is a number, or several, is at least 0 and below this.
_LIMITS = {
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
        # One count a parameter: steps without a gradient do not count for the parameter.
        self.counts = Slot(np.zeros(len(params), np.int64))
        self.initial_lr: float | None = None  # what schedules scale; the first one notes it
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
        elif isinstance(value, Tensor):  # what a schedule computed within a step
            self.lr.data = value.data.astype(np.float64)
        else:
            self.lr.data = np.asarray(_checked(self.owner, name, value), np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(("params", "lr", *self.options))

    def __len__(self) -> int:
        return 2 + len(self.options)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


class Optimizer(ABC):
    """Parameters in groups, and the step that changes them.

    `params` is an iterable of Parameters, or of dicts such as `{"params": ..., "lr": 1e-2}` whose
    options come before `defaults`. A parameter without a gradient is passed over.

    Raises ValueError for no parameters, one given twice, and an option out of its range; TypeError
    for what is not a Parameter.
    """

    def __init__(self, params: Params, defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.param_groups: list[ParamGroup] = []
        self.state: dict[Parameter, Slots] = {}
        for group in _as_groups(type(self).__name__, params):
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Train more parameters: `{"params": parameters, option: value, ...}`."""
        name = type(self).__name__
        options = dict(param_group)
        params = options.pop("params")
        params = (params,) if isinstance(params, Tensor) else tuple(params)
        if not params:
            raise ValueError(f"{name} got an empty list of parameters; pass model.parameters()")
        for position, parameter in enumerate(params):
            if not isinstance(parameter, Parameter):
                raise TypeError(
                    f"{name} trains Parameters; item {position} is {_described(parameter)}: pass "
                    "model.parameters(), or wrap the values in rg.Parameter"
                )
            if parameter in self.state or any(parameter is other for other in params[:position]):
                raise ValueError(
                    f"{name} got the parameter of shape {parameter.shape} (item {position}) twice; "
                    "each must be in one group, once"
                )
        if unknown := options.keys() - self.defaults.keys():
            raise ValueError(
                f"{name} has no option {min(unknown)!r}; it has {', '.join(self.defaults)}"
            )
        group = ParamGroup(name, params, self.defaults | options)
        self._check(group)
        self.param_groups.append(group)
        for parameter in params:
            self.state[parameter] = Slots(parameter)

    def zero_grad(self) -> None:
        """Forget the gradients, before the next backward pass adds up new ones."""
        for group in self.param_groups:
            for parameter in group.params:
                parameter.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient by the optimizer's equation."""
        trace = state.trace
        if trace is not None:
            trace.guard(self, "param_groups", list(self.param_groups))
        with np.errstate(all="ignore"):
            for group in self.param_groups:
                if trace is not None:
                    trace.guard(group, "options", dict(group.options))
                self._step(group)

    def _step(self, group: ParamGroup) -> None:
        grads = [parameter.grad for parameter in group.params]
        counts = group.counts.data + np.array([grad is not None for grad in grads])
        group.counts.data = counts
        # Eagerly Python's own numbers, which are quicker and take any dtype beside them.
        eager = state.trace is None
        lr = group.lr.data.item() if eager else group.lr.data
        steps = counts.tolist() if eager else counts
        for parameter, grad, t in zip(group.params, grads, steps, strict=True):
            if grad is None:
                continue
            x, g = parameter.data, grad.data
            xp = namespace(x, g)
            new = self._update(xp, x, g, self.state[parameter], lr, t, group.options)
            parameter.data = xp.asarray(new)

    @abstractmethod
    def _update(
        self,
        xp: Namespace,
        x: Array,
        g: Array,
        slots: Slots,
        lr: Any,
        t: Any,
        options: Mapping[str, Any],
    ) -> Array:
        """The new weight, from the weight `x` and its gradient `g` in this parameter's step `t`.

        Writes what is to be remembered to `slots`. `lr` and `t` are numbers, or traced 0-d arrays.
        """

    def _check(self, group: ParamGroup) -> None:
        """Raise ValueError for options that do not go together."""

    # Saving and resuming --------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that a run needs to go on exactly: numbers and NumPy arrays in dicts and lists.

        PyTorch's layout: `state` by the parameter's position, with its `step`; `param_groups` with
        the options and the positions.
        """
        saved: dict[int, dict[str, Any]] = {}
        groups: list[dict[str, Any]] = []
        for group in self.param_groups:
            first = len(self.state) if not groups else groups[-1]["params"][-1] + 1
            first = first if groups else 0
            positions = list(range(first, first + len(group.params)))
            counts = np.asarray(group.counts.data).tolist()
            for position, parameter, count in zip(positions, group.params, counts, strict=True):
                if count:
                    saved[position] = {"step": count, **self.state[parameter].arrays()}
            groups.append({**group, "params": positions})
        return {"state": saved, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave, for the same parameters in the same order.

        Raises ValueError if the groups, the parameters or the shapes differ.
        """
        groups = state_dict["param_groups"]
        found = [len(group["params"]) for group in groups]
        expected = [len(group.params) for group in self.param_groups]
        if found != expected:
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: the saved groups have {found} parameters, "
                f"this optimizer's have {expected}; build it as the saved one was built"
            )
        for group, saved in zip(self.param_groups, groups, strict=True):
            states = [state_dict["state"].get(position, {}) for position in saved["params"]]
            for parameter, each in zip(group.params, states, strict=True):
                self.state[parameter].load(
                    {name: values for name, values in each.items() if name != "step"}
                )
            group.counts.data = np.array([int(each.get("step", 0)) for each in states], np.int64)
            for name in self.defaults:
                group[name] = saved[name]


def penalty(xp: Namespace, x: Array, options: Mapping[str, Any]) -> Array | None:
    """λ x + λ₁ sign(x), the slope of λ/2 ‖x‖² + λ₁ ‖x‖₁; None where neither is asked for."""
    l2, l1 = options["weight_decay"], options["l1"]
    if not l1:
        return l2 * x if l2 else None
    return l2 * x + l1 * xp.sign(x)


def penalized(xp: Namespace, g: Array, x: Array, options: Mapping[str, Any]) -> Array:
    """The gradient of the loss with its penalties: g + λ x + λ₁ sign(x)."""
    slope = penalty(xp, x, options)
    return g if slope is None else g + slope


def average(old: Array, new: Array, decay: float) -> Array:
    """β old + (1 − β) new."""
    mean = decay * old
    mean += (1 - decay) * new
    return mean


def rounded(number: Any, dtype: DType) -> Any:
    """A number computed in float64, in the dtype of the array that it scales.

    Python's floats adapt by themselves; a traced float64 would turn a float32 weight into its own.
    """
    return number if type(number) is float else number.astype(dtype)


def _checked(owner: str, name: str, value: Any) -> Any:
    """An option as Python's own value: a NumPy float64 would turn float32 weights into its own."""
    limit = _LIMITS.get(name)
    if limit is None:
        return value
    if isinstance(value, list | tuple):
        return tuple(_checked(owner, name, each) for each in value)
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{owner}: {name} must be a number; found {_described(value)}")
    if not 0 <= value < limit:
        below = " and finite" if limit == math.inf else f" and below {limit:g}"
        raise ValueError(f"{owner}: {name} must be at least 0{below}; found {value}")
    return float(value)


def _as_groups(owner: str, params: Any) -> list[Mapping[str, Any]]:
    if isinstance(params, Tensor | Mapping) or not isinstance(params, Iterable):
        raise TypeError(
            f"{owner}: params must be an iterable of Parameters or of dicts; found "
            f"{_described(params)}"
        )
    found = list(params)
    if found and all(isinstance(each, Mapping) for each in found):
        return found
    return [{"params": found}]


def _described(value: object) -> str:
    shape = f" of shape {value.shape}" if isinstance(value, Tensor) else ""
    return f"{type(value).__name__}{shape}" if shape else f"{type(value).__name__} {value!r:.60}"
