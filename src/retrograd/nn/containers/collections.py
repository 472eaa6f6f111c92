"""Modules made of modules: one after another, in a list, in a dict."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from retrograd.nn.module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Numbered(Module):
    """Modules in order, indexed by position."""

    def append(self, module: Module) -> Self:
        """Add `module` at the end; it is named by its position."""
        # A slice keeps the names its modules had, so the position may be taken as a name.
        name = next(n for n in map(str, itertools.count(len(self))) if n not in vars(self))
        self.add_module(name, module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add `modules` at the end, one by one."""
        for module in modules:
            self.append(module)
        return self

    def __len__(self) -> int:
        return len(self._named_children())

    def __iter__(self) -> Iterator[Any]:
        return (module for _, module in self._named_children())

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        """One module, or for a slice a container of the same modules under the same names."""
        named = self._named_children()
        if not isinstance(index, slice):
            return named[self._position(index)][1]
        part = type(self)()
        for name, module in named[index]:
            part.add_module(name, module)
        return part

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._named_children()[self._position(index)][0], module)

    def __delitem__(self, index: int | slice) -> None:
        left = list(self)
        del left[index if isinstance(index, slice) else self._position(index)]
        self._hold(left)

    def insert(self, index: int, module: Module) -> Self:
        """Add `module` before position `index`; those behind it are renamed by their positions."""
        held = list(self)
        held.insert(index, module)
        self._hold(held)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take the module at `index` out and return it."""
        module = self[index]
        del self[index]
        return module

    def __add__(self, other: Iterable[Module]) -> Self:
        """The modules of both, in a container of their own."""
        return type(self)().extend([*self, *other])

    def _hold(self, modules: Iterable[Module]) -> None:
        """Hold these modules instead, named by their positions."""
        for name, _ in self._named_children():
            delattr(self, name)
        self.extend(modules)

    def _position(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"{type(self).__name__} holds {len(self)} modules; there is no index {index}"
            )
        return index


class Sequential(_Numbered):
    """Modules that run in sequence, each on the output of the one before.

    `Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 1))`, or with names of their own
    `Sequential({"hidden": nn.Linear(13, 64), ...})`.
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            for position, each in enumerate(modules):
                self.add_module(str(position), each)  # type: ignore[arg-type]  # it checks that

    def forward(self, x: Any) -> Any:
        for _, module in self._named_children():
            x = module(x)
        return x


class ModuleList(_Numbered):
    """A list of modules that `parameters()` sees; the module that uses it decides how they run."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)


class ModuleDict(Module):
    """A dict of modules that `parameters()` sees.

    Raises ValueError for a key that contains a dot or is the name of an attribute ("forward").
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add `modules`, replacing those with the same keys."""
        for name, module in modules.items():
            self[name] = module

    def __getitem__(self, key: str) -> Any:
        return dict(self._named_children())[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        delattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def __len__(self) -> int:
        return len(self._named_children())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def pop(self, key: str) -> Module:
        """Take the module of that name out and return it."""
        module: Module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take all modules out."""
        for key in self.keys():
            del self[key]

    def keys(self) -> list[str]:
        """The names, in the order of their addition."""
        return [name for name, _ in self._named_children()]

    def values(self) -> list[Module]:
        """The modules, in the same order."""
        return [module for _, module in self._named_children()]

    def items(self) -> list[tuple[str, Module]]:
        """Both, as pairs."""
        return self._named_children()
