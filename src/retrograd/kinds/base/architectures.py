"""Architectures, and the table of them that each kind of run declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from retrograd import nn
from retrograd.errors import UsageError
from retrograd.wording import did_you_mean

__all__ = ["Architecture", "Architectures"]


@dataclass(frozen=True)
class Architecture:
    """A choice for `--model`: `build` makes the network, `summary` is one sentence about it."""

    name: str
    summary: str
    build: Callable[..., nn.Module]


class Architectures:
    """The architectures for a kind of run, in the order of their listing."""

    def __init__(self, kind: str, *known: Architecture) -> None:
        self.kind = kind
        self._known = {each.name: each for each in known}

    def __iter__(self) -> Iterator[Architecture]:
        return iter(self._known.values())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._known)

    def find(self, name: str) -> Architecture:
        """The architecture with that name; UsageError for an unknown name, with the nearest one."""
        if name in self._known:
            return self._known[name]
        raise UsageError(
            f"Unknown model {name!r} for {self.kind}.{did_you_mean(name, self.names)} "
            f"Expected auto or one of {', '.join(self.names)}; `retrograd models` describes them."
        )
