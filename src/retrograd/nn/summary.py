"""How a module is printed: PyTorch's layout, with shapes and parameter counts as comments.

Sequential(
  (0): Linear(in_features=13, out_features=64, bias=True)  # weight (64, 13), bias (64,): 896
  (1): ReLU()
  (2): Linear(in_features=64, out_features=1, bias=True)  # weight (1, 64), bias (1,): 65
)  # 961 parameters
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrograd.variable import Parameter

if TYPE_CHECKING:  # Module prints itself with `describe`
    from retrograd.nn.module import Module

__all__ = ["describe"]


def describe(module: Module) -> str:
    """The module and all below it, one a line, with the total at the end."""
    parameters = list(module.parameters())
    total = sum(parameter.numel() for parameter in parameters)
    if not total:
        return _lines(module)
    frozen = sum(parameter.numel() for parameter in parameters if not parameter.requires_grad)
    notes = f", {frozen:,} of them frozen" if frozen else ""
    return f"{_lines(module)}  # {_shapes(module)}{total:,} parameters{notes}"


def _lines(module: Module) -> str:
    """PyTorch's text for `module`, its children's with their own counts behind them."""
    head = f"{type(module).__name__}({module.extra_repr()}"
    children = []
    for name, child in module._named_children():
        children.append(f"  ({name}): " + f"{_lines(child)}{_note(child)}".replace("\n", "\n  "))
    return "\n".join([head, *children, ")"]) if children else f"{head})"


def _note(module: Module) -> str:
    own = [parameter for _, parameter in module._own(Parameter)]
    if not own:
        return ""
    return f"  # {_shapes(module)}{sum(parameter.numel() for parameter in own):,}"


def _shapes(module: Module) -> str:
    own = module._own(Parameter)
    return ", ".join(f"{name} {parameter.shape}" for name, parameter in own) + ": " if own else ""
