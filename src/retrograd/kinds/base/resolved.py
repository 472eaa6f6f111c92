"""Options with nothing left open, from which a network is built and trained."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Generic, Self, TypeVar

from retrograd.errors import DataError
from retrograd.training.options import Options

__all__ = ["Resolved"]

Asked = TypeVar("Asked", bound=Options)


@dataclass(frozen=True, kw_only=True)
class Resolved(Generic[Asked]):
    """What the data decided wherever the options `asked` leave it open.

    A kind whose data decides more (a season, whether images are mirrored) adds fields, each with
    the name of the option that it settles.
    """

    asked: Asked
    model: str
    batch_size: int
    epochs: int
    patience: int

    def to_options(self) -> Asked:
        """The options with these values filled in, as config.json keeps them."""
        return self.asked.replaced(**{name: getattr(self, name) for name in self._settled()})

    @classmethod
    def of(cls, options: Asked) -> Self:
        """From what `to_options` gave; DataError for options that still leave something open."""
        settled = {name: getattr(options, name) for name in cls._settled()}
        if still_open := [name for name, value in settled.items() if value in (None, "auto")]:
            raise DataError(f"The options leave {', '.join(still_open)} open; train again.")
        return cls(asked=options, **settled)

    @classmethod
    def _settled(cls) -> list[str]:
        return [field.name for field in fields(cls) if field.name != "asked"]
