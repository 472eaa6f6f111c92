"""What the optimizers share: parameter groups, their options, their state, and the step.

An optimizer is one equation, its `_update`: from a weight `x`, its gradient `g` and what it
remembers, to the new weight. It works on raw arrays, NumPy's or traced ones. A compiled step treats
the three kinds of values that enter it differently:

    the learning rate    a Slot, so that changing it between steps does not recompile
    moments and counts   Slots, carried from step to step
    other options        Python values that belong to the program: changing one retraces it
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from retrograd.arrays import Array, DType, Namespace, namespace, state
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.precision import raised
from retrograd.autodiff.tape import recording
from retrograd.optim.param_group import ParamGroup, described
from retrograd.optim.slots import Slots
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = [
    "Closure",
    "GroupedOptimizer",
    "Optimizer",
    "Params",
    "average",
    "decayed",
    "evaluated",
    "penalized",
    "penalty",
    "rounded",
]

Params: TypeAlias = Iterable[Parameter] | Iterable[Mapping[str, Any]]


Closure: TypeAlias = Callable[[], Any]


class GroupedOptimizer(ABC):
    """Parameters in groups, their options and what is remembered of each; a subclass steps.

    `params` is an iterable of Parameters, or of dicts such as `{"params": ..., "lr": 1e-2}` whose
    options override `defaults`. A parameter without a gradient is skipped.

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
                    f"{name} trains Parameters; item {position} is {described(parameter)}: pass "
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
        self.param_groups.append(ParamGroup(name, params, self.defaults | options))
        for parameter in params:
            self.state[parameter] = Slots(parameter, self._shapes(parameter))

    def _shapes(self, parameter: Parameter) -> Mapping[str, tuple[int, ...]]:
        """What is remembered of a parameter that has another shape than it, by name."""
        return {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients before the next backward pass accumulates new ones.

        With `set_to_none=False` those that are there become 0, and their parameters take a step.
        """
        for group in self.param_groups:
            for parameter in group.params:
                if set_to_none or (grad := parameter.grad) is None:
                    parameter.grad = None
                else:
                    parameter.grad = Tensor(namespace(grad.data).zeros_like(grad.data))

    @abstractmethod
    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient; return what `closure` returned."""

    # Saving and resuming --------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to resume exactly: numbers and NumPy arrays in dicts and lists.

        PyTorch's layout: `state` by the parameter's position, with its `step`; `param_groups` with
        the options and the positions.
        """
        position = itertools.count()
        saved: dict[int, dict[str, Any]] = {}
        groups: list[dict[str, Any]] = []
        for group in self.param_groups:
            positions = list(itertools.islice(position, len(group.params)))
            for index, parameter, step in zip(
                positions, group.params, group.steps.tolist(), strict=True
            ):
                if step:
                    saved[index] = {"step": step, **self.state[parameter].arrays()}
            groups.append({**group, "params": positions})
        return {"state": saved, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, for the same parameters in the same order.

        Raises ValueError if the groups, their options, the parameters or the shapes differ.
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
            if missing := self.defaults.keys() - saved.keys():
                raise ValueError(
                    f"{type(self).__name__}.load_state_dict: the saved options lack "
                    f"{', '.join(sorted(missing))}; they are another optimizer's"
                )
            states = [state_dict["state"].get(position, {}) for position in saved["params"]]
            for parameter, each in zip(group.params, states, strict=True):
                self.state[parameter].load(
                    {name: values for name, values in each.items() if name != "step"}
                )
            group.steps = np.array([int(each.get("step", 0)) for each in states], np.int64)
            for name in self.defaults:
                group[name] = saved[name]


class Optimizer(GroupedOptimizer):
    """An optimizer with one equation for every weight, its `_update`.

    `params` is an iterable of Parameters, or of dicts such as `{"params": ..., "lr": 1e-2}` whose
    options override `defaults`. A parameter without a gradient is skipped.

    Raises ValueError for no parameters, one given twice, and an option out of its range; TypeError
    for what is not a Parameter.
    """

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient by the optimizer's equation.

        `closure`, if given, is called first: it clears the gradients, computes the loss, calls
        `backward()` and returns the loss, which is returned.
        """
        loss = None if closure is None else evaluated(closure)
        if state.trace is not None:
            state.trace.guard(self, "param_groups", list(self.param_groups))
        with np.errstate(all="ignore"):
            for group in self.param_groups:
                grads = [parameter.grad for parameter in group.params]
                steps = group.next_steps([grad is not None for grad in grads])
                # Eagerly a Python number, which is quicker and takes any dtype beside it.
                lr = group.lr.data if state.trace is not None else group.lr.data.item()
                for parameter, grad, t in zip(group.params, grads, steps, strict=True):
                    if grad is None:
                        continue
                    # Half precision is too short for a step: it is taken in float32.
                    x, g = raised(parameter.data), raised(grad.data)
                    xp = namespace(x, g)
                    new = self._update(xp, x, g, self.state[parameter], lr, t, group.options)
                    parameter.data = xp.asarray(new, parameter.dtype)
                    if hooks.active:
                        hooks.tell("update", self, parameter, g, new)
                    if state.trace is not None:
                        state.trace.spend_grad(parameter)
            if hooks.active:
                hooks.tell("step", self)
        return loss

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


def penalty(xp: Namespace, x: Array, options: Mapping[str, Any]) -> Array | None:
    """λ x + λ₁ sign(x), the slope of λ/2 ‖x‖² + λ₁ ‖x‖₁; None where neither is asked for."""
    l2, l1 = options["weight_decay"], options.get("l1")
    if not l1:
        return l2 * x if l2 else None
    return l2 * x + l1 * xp.sign(x)


def penalized(xp: Namespace, g: Array, x: Array, options: Mapping[str, Any]) -> Array:
    """The gradient of the loss with its penalties: g + λ x + λ₁ sign(x)."""
    slope = penalty(xp, x, options)
    return g if slope is None else g + slope


def decayed(
    xp: Namespace, x: Array, g: Array, lr: Any, options: Mapping[str, Any]
) -> tuple[Array, Array]:
    """The weight and its gradient with the decay λ in one of them.

    With "decoupled_weight_decay" x ← x − γ λ x, else g ← g + λ x.
    """
    if not options["decoupled_weight_decay"]:
        return x, penalized(xp, g, x, options)
    slope = penalty(xp, x, options)
    return (x if slope is None else x - rounded(lr, x.dtype) * slope), g


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


def evaluated(closure: Closure) -> Any:
    """What `closure` returns, with gradients recorded."""
    with recording(True):
        return closure()


def _as_groups(owner: str, params: Any) -> list[Mapping[str, Any]]:
    if isinstance(params, Tensor | Mapping) or not isinstance(params, Iterable):
        raise TypeError(
            f"{owner}: params must be an iterable of Parameters or of dicts; found "
            f"{described(params)}"
        )
    found = list(params)
    if found and all(isinstance(each, Mapping) for each in found):
        return found
    return [{"params": found}]
