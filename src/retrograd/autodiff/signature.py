"""The signature of an operation: its arguments, and the names that a rule may ask for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["ALIASES", "Signature"]

# NumPy's spellings, which PyTorch accepts as well as its own.
ALIASES = {"axis": "dim", "keepdims": "keepdim"}


class Signature:
    """The operands and attributes of `forward(xp, *operands, **attributes)`."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(forward).parameters.values())[1:]
        self.name = forward.__name__
        operands = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        self.operands = [p.name for p in operands]
        self.shape_names = [f"{name}_shape" for name in self.operands]
        self.optional = {p.name: p.default for p in operands if p.default is not p.empty}
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.attributes = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        if self.variadic and len(self.operands) > 1:
            raise TypeError(f"{self.name}: *{self.operands[-1]} must be the only operand")

    def check_rules(self, given: Iterable[str]) -> None:
        """Raise TypeError unless there is one rule for each operand."""
        if set(given) != set(self.operands):
            raise TypeError(
                f"{self.name} has operands {', '.join(self.operands)}; "
                f"rules were given for {', '.join(given)}"
            )

    def asked(self, operand: str, rule: Callable[..., Any]) -> tuple[str, ...]:
        """The names of a rule's parameters; raises TypeError for an unknown one."""
        known = {"g", "out", *self.operands, *self.shape_names, *self.attributes}
        if self.variadic:
            known.add("position")
        names = tuple(inspect.signature(rule).parameters)
        if unknown := [name for name in names if name not in known]:
            raise TypeError(
                f"{self.name}: the rule for {operand} asks for {', '.join(unknown)}; "
                f"it may ask for {', '.join(sorted(known))}"
            )
        return names

    def bind(
        self, operands: tuple[Any, ...], attributes: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort a call's arguments into operands and attributes, as Python would."""
        attributes = {
            ALIASES.get(name, name) if name not in self.attributes else name: value
            for name, value in attributes.items()
        }
        arity = len(self.operands)
        if not self.variadic:
            named = dict(zip(self.attributes, operands[arity:], strict=False))
            if len(operands) > arity + len(self.attributes) or named.keys() & attributes:
                raise TypeError(f"{self.name}() got too many arguments; see help({self.name})")
            attributes = named | attributes
            operands = operands[:arity]
            for name in self.operands[len(operands) :]:
                if name not in attributes and name not in self.optional:
                    raise TypeError(f"{self.name}() is missing the argument {name!r}")
                operands = (*operands, attributes.pop(name, self.optional.get(name)))
        for name in attributes:
            if name not in self.attributes:
                raise TypeError(
                    f"{self.name}() has no argument {name!r}; it takes "
                    f"{', '.join([*self.operands, *self.attributes])}"
                )
        return operands, attributes
