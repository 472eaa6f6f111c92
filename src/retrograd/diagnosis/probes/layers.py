"""Observe the layers of a model in a step: their outputs and their cotangents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from retrograd import nn, ops
from retrograd.arrays import Array, is_traced, state
from retrograd.autodiff.primitive import Primitive
from retrograd.diagnosis.probes.arrays import row_count, rows
from retrograd.diagnosis.record.record import Layer
from retrograd.tensor import Tensor

__all__ = ["LayerCall", "LayerProbes"]

# The most calls of one layer in a step that are recorded; a recurrent cell may have hundreds.
_CALLS = 8

_RECTIFIERS = frozenset({"ReLU", "ReLU6", "relu"})
# The outermost 1 % of the range, in halves: |tanh| > 0.99.
_BOUNDS = {
    "Tanh": (-0.99, 0.99),
    "tanh": (-0.99, 0.99),
    "Sigmoid": (0.01, 0.99),
    "sigmoid": (0.01, 0.99),
}
_FUNCTIONS = (ops.relu, ops.tanh, ops.sigmoid)

# Layers whose output has its units on axis 1; the layers after them keep that.
_CHANNELS_FIRST = ("Conv", "BatchNorm", "GroupNorm", "InstanceNorm")
_ACTIVATION = nn.ReLU.__module__
# Layers that behave differently in evaluation mode.
_MODAL = ("Dropout", "BatchNorm", "AlphaDropout", "FeatureAlphaDropout")


class LayerCall:
    """One call of a layer in a step: a sample of its output and of the cotangent."""

    def __init__(self, layer: Layer, output: Array) -> None:
        self.layer = layer
        self.output = rows(output)
        self.cotangent: Array | None = None

    def see(self, cotangent: Tensor) -> None:
        """Keep the cotangent."""
        self.cotangent = rows(cotangent.data)


class LayerProbes:
    """The outputs of the layers of `model` in the current pass."""

    def __init__(self, model: nn.Module, begins: Callable[[], None]) -> None:
        self.model = model
        self.begins = begins  # called when a pass begins
        self.paths = {id(module): path for path, module in model.named_modules()}
        self.parameters = {
            path: tuple(f"{path}.{name}" if path else name for name, _ in own)
            for path, module in model.named_modules()
            if (own := list(module.named_parameters(recurse=False)))
        }
        self.calls: dict[str, LayerCall] = {}
        self.batch_size = 0
        self.trained_in_eval: set[str] = set()
        self.evaluated_in_train: set[str] = set()
        self._times: Counter[str] = Counter()
        self._stack: list[nn.Module] = []
        self._channels_first = 0  # outputs with this many axes have their channels first
        self._level: Any = None

    def clear(self) -> None:
        """Forget the pass, before another begins."""
        self.calls = {}
        self._times.clear()
        self._channels_first = 0
        self._level = None

    def events(self) -> dict[str, Any]:
        """The events to receive from `hooks`."""
        return {
            "enter": self._enter,
            "module": self._observe,
            "operation": self._apply,
            "unrolls": False,
        }

    # What the engine calls ------------------------------------------------------------------------

    def _enter(self, module: nn.Module) -> None:
        if module is self.model:
            self._stack = []
            self.clear()
            self.begins()
        self._stack.append(module)

    def _observe(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        while self._stack and self._stack.pop() is not module:
            pass  # left over from an exception
        path = self.paths.get(id(module))
        if path is None:
            return
        if module is self.model and inputs and getattr(inputs[0], "shape", ()):
            self.batch_size = inputs[0].shape[0]
        kind = type(module).__name__
        if kind.startswith(_MODAL):
            if state.recording and not module.training:
                self.trained_in_eval.add(path)
            elif not state.recording and module.training:
                self.evaluated_in_train.add(path)
        is_container = any(True for _ in module.children()) and path not in self.parameters
        if is_container or any(output is each for each in inputs):
            return
        # The library's pooling, dropout and the like only pass on their inputs.
        own = type(module).__module__
        if own.startswith("retrograd.nn") and path not in self.parameters and own != _ACTIVATION:
            return
        self._seen(path or kind, kind, self.parameters.get(path, ()), output)

    def _apply(
        self,
        applied: Primitive,
        operands: tuple[Any, ...],
        attributes: dict[str, Any],
        output: Any,
    ) -> None:
        """An operation of the model, which may be an activation called as a function."""
        if applied not in _FUNCTIONS or not self._stack:
            return
        inside = self._stack[-1]
        # The library's own modules are already layers, whatever they compute with.
        if id(inside) in self.paths and not type(inside).__module__.startswith("retrograd.nn"):
            path = self.paths[id(inside)]
            name = f"{path}.{applied.name}" if path else applied.name
            self._seen(name, applied.name, (), output)

    def _seen(self, name: str, kind: str, parameters: tuple[str, ...], output: Any) -> None:
        """Keep the output and its cotangent."""
        if not (
            state.recording
            and isinstance(output, Tensor)
            and output.requires_grad
            and output.numel()
            and output.ndim
            and output.dtype.kind in "fV"
            and self._is_at_step_level(output.data)
        ):
            return
        self._times[name] += 1
        times = self._times[name]
        if times > _CALLS:
            return
        if times > 1:
            name = f"{name} #{times}"
        shape = output.shape
        if kind.startswith(_CHANNELS_FIRST):
            self._channels_first = output.ndim
        elif parameters:
            self._channels_first = 0
        axis = 1 if self._channels_first == output.ndim > 2 else output.ndim - 1
        layer = Layer(
            name=name,
            kind=kind,
            shape=shape,
            axis=axis,
            units=shape[axis],
            sample=row_count(shape),
            rectifies=kind in _RECTIFIERS,
            bounds=_BOUNDS.get(kind),
            parameters=parameters,
        )
        call = self.calls[name] = LayerCall(layer, output.data)
        if not output.is_leaf:  # on a parameter, a hook would outlive the step
            output.register_hook(call.see)

    def _is_at_step_level(self, array: Array) -> bool:
        """Whether the value belongs to the step itself, not to a loop or a branch within it."""
        if not is_traced(array):
            return True
        from jax.extend.core import get_opaque_trace_state

        level = get_opaque_trace_state(convention="nnx")  # type: ignore[no-untyped-call]  # JAX's
        if self._level is None:
            self._level = level
        return bool(level == self._level)
