"""Parameters in a list and in a dict, found by `parameters()`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from retrograd.nn.module import Module
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["ParameterDict", "ParameterList"]


def _parameter(value: Any) -> Parameter:
    return value if isinstance(value, Parameter) else Parameter(value)


class ParameterList(Module):
    """A list of Parameters; tensors and arrays in it become Parameters."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def append(self, value: Any) -> Self:
        """Add one at the end; it is named by its position."""
        setattr(self, str(len(self)), _parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several at the end."""
        for value in values:
            self.append(value)
        return self

    def __len__(self) -> int:
        return len(self._own(Parameter))

    def __iter__(self) -> Iterator[Parameter]:
        return (parameter for _, parameter in self._own(Parameter))

    def __getitem__(self, index: int) -> Parameter:
        return list(self)[index]

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, str(range(len(self))[index]), _parameter(value))


class ParameterDict(Module):
    """A dict of Parameters; tensors and arrays in it become Parameters.

    Raises ValueError for a key that contains a dot or is the name of an attribute.
    """

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def update(self, parameters: Mapping[str, Any]) -> None:
        """Add parameters, replacing those with the same keys."""
        for key, value in parameters.items():
            self[key] = value

    def __getitem__(self, key: str) -> Parameter:
        return dict(self._own(Parameter))[key]

    def __setitem__(self, key: str, value: Tensor | Any) -> None:
        self.register_parameter(key, _parameter(value))

    def __delitem__(self, key: str) -> None:
        delattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def __len__(self) -> int:
        return len(self._own(Parameter))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """The names, in the order of their addition."""
        return [name for name, _ in self._own(Parameter)]

    def values(self) -> list[Parameter]:
        """The parameters, in the same order."""
        return [parameter for _, parameter in self._own(Parameter)]

    def items(self) -> list[tuple[str, Parameter]]:
        """Both, as pairs."""
        return self._own(Parameter)
