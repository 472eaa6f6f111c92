"""SAM: sharpness-aware minimization."""

from __future__ import annotations

from typing import Any

from retrograd.arrays import namespace
from retrograd.autodiff.precision import raised
from retrograd.optim.base import Closure, Optimizer, evaluated
from retrograd.optim.param_group import ParamGroup
from retrograd.tensor import Tensor

__all__ = ["SAM"]


class SAM:
    """Another optimizer's steps by the gradient at the worst point nearby, which flattens minima.

        e = ρ g / ‖g‖                       ‖g‖ over all parameters
        x ← x − (the optimizer's step with the gradient at x + e)

    With `adaptive` e = ρ x² g / ‖x g‖, which is the same however weights are scaled. Each step
    calls `closure` twice: it clears the gradients, computes the loss, calls `backward()` and
    returns the loss.

    Foret et al., "Sharpness-aware minimization" (2021), algorithm 1; Kwon et al., "ASAM" (2021).
    Raises ValueError for a `rho` below 0.
    """

    def __init__(self, optimizer: Optimizer, rho: float = 0.05, adaptive: bool = False) -> None:
        if not rho >= 0:
            raise ValueError(f"SAM: rho must be at least 0; found {rho}")
        self.optimizer = optimizer
        self.rho = rho
        self.adaptive = adaptive

    @property
    def param_groups(self) -> list[ParamGroup]:
        """The optimizer's groups."""
        return self.optimizer.param_groups

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients."""
        self.optimizer.zero_grad(set_to_none)

    def step(self, closure: Closure) -> Any:
        """Take a step; returns the loss at the weights as they were."""
        loss = evaluated(closure)
        moved = [
            (parameter, parameter.data, parameter.grad.data)
            for group in self.param_groups
            for parameter in group.params
            if parameter.grad is not None
        ]
        scaled = [g * namespace(x, g).abs(x) if self.adaptive else g for _, x, g in moved]
        squares: Any = sum((raised(each) ** 2).sum() for each in scaled)
        norm = squares**0.5 + 1e-12
        for (parameter, x, _), each in zip(moved, scaled, strict=True):
            direction = each * namespace(x, each).abs(x) if self.adaptive else each
            step = direction * (self.rho / norm).astype(x.dtype)
            parameter.data = x + step
        evaluated(closure)
        for parameter, x, _ in moved:
            parameter.data = x
        self.optimizer.step()
        return loss.detach() if isinstance(loss, Tensor) else loss

    def state_dict(self) -> dict[str, Any]:
        """The optimizer's state."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.optimizer.load_state_dict(state_dict)
