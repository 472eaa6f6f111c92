"""The options that every kind of run has, as JSON."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from retrograd.errors import UsageError
from retrograd.wording import did_you_mean

__all__ = ["Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of `retrograd train`; None lets the data decide. Each kind of run adds its own.

    `valid` is the share of validation rows (15 %, or as little as 5 % of many texts), `average` the
    decay of the weights' running mean, `time_limit` is in seconds. `ignore` mutes findings by code,
    separated by commas.
    """

    target: str | None = None
    task: str | None = None
    model: str = "auto"
    seed: int = 0
    valid: float | None = None
    epochs: int | None = None
    patience: int | None = None
    time_limit: float | None = None
    batch_size: int | None = None
    learning_rate: float = 0.004
    weight_decay: float = 0.01
    dropout: float = 0.0
    clip_norm: float = 1.0
    average: float = 0.98
    ignore: str = ""

    # The values that an option may have: anything outside is a typing error.
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "seed": (0, 2**63 - 1),
        "valid": (0.01, 0.9),
        "epochs": (1, 1_000_000),
        "patience": (1, 1_000_000),
        "time_limit": (0, 1e9),
        "batch_size": (1, 1_000_000),
        "learning_rate": (1e-10, 100),
        "weight_decay": (0, 10),
        "dropout": (0, 0.99),
        "clip_norm": (1e-6, 1e12),
        "average": (0, 0.99999),
    }

    # What may change when a run is resumed. The others decide what rows and weights mean, and where
    # in an epoch a run stands.
    resumable: ClassVar[frozenset[str]] = frozenset(
        {
            *("epochs", "patience", "time_limit", "ignore"),
            *("learning_rate", "weight_decay", "dropout", "clip_norm", "average"),
        }
    )

    def __post_init__(self) -> None:
        for name, (low, high) in self.ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name} is {value}; expected {self._expected(name)}.")

    @classmethod
    def _expected(cls, name: str) -> str:
        """What an option takes, in words: "a whole number from 1 to 1,000,000"."""
        kind = _kind(typing.get_type_hints(cls)[name])
        if name not in cls.ranges:
            return _KINDS[kind]
        return f"{_KINDS[kind]} from {' to '.join(map(_written, cls.ranges[name]))}"

    def validation_share(self) -> float:
        """The share of rows for validation."""
        return 0.15 if self.valid is None else self.valid

    def ignored(self) -> tuple[str, ...]:
        """The codes in `ignore`."""
        return tuple(code.strip() for code in self.ignore.split(",") if code.strip())

    def replaced(self, **changes: Any) -> Self:
        """A copy of the options with some changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The options by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, options: Mapping[str, Any], source: str = "the configuration") -> Self:
        """Options by name, each a value of its type or the text of one (`--set key=value`).

        Raises UsageError, naming `source`, for an unknown name and for a value that its option does
        not allow.
        """
        types_of = typing.get_type_hints(cls)
        hints = {field.name: types_of[field.name] for field in dataclasses.fields(cls)}
        read = {}
        for name, value in options.items():
            if name not in hints:
                raise UsageError(
                    f"{source}: there is no option {name!r}.{did_you_mean(name, hints)} "
                    f"The options are {', '.join(hints)}."
                )
            try:
                read[name] = _read(value, hints[name])
            except (TypeError, ValueError, OverflowError) as error:
                raise UsageError(
                    f"{source}: {name} is {value!r}; expected {cls._expected(name)}."
                ) from error
        return cls(**read)


_KINDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    dict: "names and values",
}


def _kind(hint: Any) -> Any:
    """The type of an option that may also be left open."""
    if isinstance(hint, types.UnionType):
        hint = next(t for t in typing.get_args(hint) if t is not type(None))
    return typing.get_origin(hint) or hint


def _read(value: Any, hint: Any) -> Any:
    """`value` as the type of `hint`; TypeError, ValueError or OverflowError if it is none."""
    kind = _kind(hint)
    if isinstance(hint, types.UnionType) and (value is None or value in ("auto", "none")):
        return None
    if kind is int and float(value) == int(float(value)):
        return int(float(value))
    if kind is float:
        return float(value)
    if kind is str and isinstance(value, str):
        return value
    if kind is bool and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    if kind is dict and isinstance(value, Mapping):
        return dict(value)
    raise TypeError(kind)


def _written(bound: float) -> str:
    """A bound as people write it: 1,000,000 and 0.05, and powers of ten only beyond that."""
    is_plain = bound == int(bound) and abs(bound) < 1e13
    return f"{int(bound):,}" if is_plain else f"{bound:g}"
