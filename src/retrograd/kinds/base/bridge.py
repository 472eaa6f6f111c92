"""Kinds that are still made ready in one go, from an `Origin` to a `Run`, in the three steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from retrograd.kinds.base.architectures import Architectures
from retrograd.kinds.base.fitted import FittedModel
from retrograd.kinds.base.kind import DataSpec, Kind, Parts, Prepared, Split, path_of
from retrograd.kinds.base.resolved import Resolved
from retrograd.training.loop import Trainer
from retrograd.training.options import Options
from retrograd.training.sources import Source

__all__ = ["Bridged", "Origin", "Run"]


@dataclass(frozen=True)
class Origin:
    """Where the rows come from: a file or folder, and a share of it or another for each use."""

    data: str
    valid: str | None = None
    test: str | None = None


@dataclass
class Run:
    """What the old `prepare_...` returns."""

    model: Any
    trainer: Trainer
    config: Options
    train: Source
    valid: Source
    held: Any
    notes: list[str]
    introduction: str
    test: Any = None

    def fit(self) -> Any:
        return self.prepared().fit()

    def prepared(self) -> Prepared[Any]:
        train: Any = self.train  # its data set is not known any more
        return Prepared(
            self.model,
            self.trainer,
            Resolved.of(self.config),
            self.train,
            self.valid,
            Split(train, self.held, self.test),
            self.notes,
            self.introduction,
        )


@dataclass(frozen=True)
class Unread:
    """Data that only `build` reads."""

    kind: str
    spec: DataSpec

    def __len__(self) -> int:
        return 0


class Bridged(Kind[Any, Any]):
    """An old kind: its two first steps put the reading off to the third."""

    def __init__(
        self,
        options: type[Options],
        model: type[FittedModel],
        architectures: Architectures,
        prepare: Callable[[Origin, Any], Run],
        holds: Callable[[Any], bool],
        task: str | None = None,
        needs_target: bool = False,
    ) -> None:
        self.name = model.kind
        self.options = options
        self.model = model
        self.architectures = architectures
        self.task = task
        self.needs_target = needs_target
        self._prepare = prepare
        self._holds = holds

    def holds(self, data: Any) -> bool:
        path = path_of(data)
        return path is not None and self._holds(path)

    def read(self, spec: DataSpec, options: Any) -> Parts[Any]:
        return Parts(Unread(self.name, spec))

    def split(self, parts: Parts[Any], options: Any) -> Split[Any]:
        return Split(parts.train, parts.train)

    def make(self, split: Split[Any], options: Any) -> Prepared[Any]:
        spec = split.train.spec
        if isinstance(spec.validation, float):
            options, spec = (
                options.replaced(valid=spec.validation),
                DataSpec(spec.data, None, spec.test),
            )
        validation, test = (
            None if each is None else str(each) for each in (spec.validation, spec.test)
        )
        return self._prepare(Origin(str(spec.data), validation, test), options).prepared()
