"""A module's parts by name: found by their paths, and registered, in `Module`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrograd.variable import Buffer, Parameter

if TYPE_CHECKING:
    from retrograd.nn.module import Module

__all__ = ["Members"]


class Members:
    """What `Module` inherits of parts by name."""

    _transient: frozenset[str] = frozenset()  # buffers that are no part of the state

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as "encoder.0"; "" is this one.

        Raises AttributeError, naming the place, where there is none.
        """
        found: Any = self
        for position, name in enumerate(names := target.split(".") if target else []):
            inside = dict(found._named_children())
            if name not in inside:
                at = ".".join(names[:position]) or type(self).__name__
                raise AttributeError(
                    f"{at} has no module {name!r}; it has {', '.join(inside) or 'none'}"
                )
            found = inside[name]
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as "0.weight"; AttributeError where there is none."""
        return self._member(target, Parameter)

    def get_buffer(self, target: str) -> Buffer:
        """The buffer at a path; AttributeError where there is none."""
        return self._member(target, Buffer)

    def _member(self, target: str, kind: Any) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        found = vars(owner).get(name)
        if not isinstance(found, kind):
            own = ", ".join(each for each, _ in owner._own(kind)) or "none"
            raise AttributeError(
                f"{path or type(self).__name__} has no {kind.__name__.lower()} {name!r}; it has "
                f"{own}"
            )
        return found

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Let `param` belong to this module under that name; None keeps the name free.

        Raises ValueError for an empty name, one with a dot, or another attribute's; TypeError for
        what is not a Parameter.
        """
        if not name or "." in name:
            raise ValueError(f"a parameter's name must not be empty or contain a dot: {name!r}")
        if hasattr(self, name) and not isinstance(vars(self).get(name, self), Parameter | None):
            raise ValueError(f"{type(self).__name__} has an attribute {name!r} already")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"{name}: expected a Parameter, found {type(param).__name__}; wrap it in "
                "rg.Parameter"
            )
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Let `tensor` belong to this module as a Buffer of that name; None keeps the name free.

        One that is not `persistent` is no part of `state_dict`.
        """
        values = tensor is not None and not isinstance(tensor, Buffer)
        setattr(self, name, Buffer(tensor) if values else tensor)
        self._transient = self._transient - {name} if persistent else self._transient | {name}

    def register_module(self, name: str, module: Module) -> None:
        """`add_module`."""
        self.add_module(name, module)

    if TYPE_CHECKING:  # what `Module` has

        def add_module(self, name: str, module: Module) -> None: ...
