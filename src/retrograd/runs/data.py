"""What a run learns from: as a person gave it, as the manifest names it, and read and split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from retrograd.errors import DataError
from retrograd.kinds.base.kind import DataSpec, Kind, Parts, Prepared, Split, path_of
from retrograd.kinds.registry import KINDS
from retrograd.store import Given, Manifest, RunFolder, kind_in, load_options
from retrograd.store.manifest import fingerprint
from retrograd.training.options import Options
from retrograd.wording import count

__all__ = ["RunData"]


@dataclass(frozen=True)
class RunData:
    """What was given, read and split, so that a network can be built for it again and again."""

    kind: Kind[Any, Any]
    spec: DataSpec
    parts: Parts[Any]
    split: Split[Any]

    @classmethod
    def read(cls, kind: str, spec: DataSpec, options: Options) -> Self:
        """Read and split; the data itself says whether a table is one of the kind "text".

        Raises DataError and UsageError for what cannot be used.
        """
        parts = KINDS[kind].read(spec, options)
        found = KINDS[parts.train.kind]
        return cls(found, spec, parts, found.split(parts, options))

    @classmethod
    def again(
        cls, folder: RunFolder, data: Any = None, valid: Any = None, test: Any = None
    ) -> Self:
        """What the run in a folder learned from: as its manifest names it, where it is not given.

        Raises DataError if it is gone or has changed, or was in memory and is not given.
        """
        manifest = folder.manifest()
        known = (manifest.data, manifest.validation, manifest.test)
        spec = DataSpec(
            *(
                _found(folder, named) if given is None and named is not None else given
                for given, named in zip((data, valid, test), known, strict=True)
            )
        )
        found = cls.read(kind_in(folder).name, spec, load_options(folder))
        if found.rows() != manifest.rows:
            told = (_in_words(each) for each in (found.rows(), manifest.rows))
            raise DataError(
                f"The data is not what the run in {folder.path} learned from: it makes "
                f"{next(told)}, and the run had {next(told)}."
            )
        return found

    def prepared(self, options: Options) -> Prepared[Any]:
        """A run made ready on this very split."""
        return self.kind.build(self.split, options)

    def prepared_anew(self, options: Options) -> Prepared[Any]:
        """A run made ready on the split that its own options (its seed) make of what was read."""
        return self.kind.build(self.kind.split(self.parts, options), options)

    def rows(self) -> dict[str, int]:
        """How many rows each part has."""
        split = self.split
        parts = {"train": split.train, "validation": split.validation, "test": split.test}
        return {name: len(each) for name, each in parts.items() if each is not None}

    def manifest(self, prepared: Prepared[Any]) -> Manifest:
        """What a run on this data is."""
        return Manifest(
            kind=prepared.model.kind,
            task=prepared.model.task,
            seed=prepared.options.to_options().seed,
            data=_given(self.spec.data),
            validation=None if self.spec.validation is None else _given(self.spec.validation),
            test=None if self.spec.test is None else _given(self.spec.test),
            rows=self.rows(),
        )


def _given(data: Any) -> Given:
    if isinstance(data, float):
        return Given(share=data)
    path = path_of(data)
    if path is None:
        return Given()
    path = path.resolve()
    return Given(str(path), fingerprint(path))


def _found(folder: RunFolder, given: Given) -> str | float:
    """The path or share that was given; DataError for data that is not there as it was."""
    if given.share is not None:
        return given.share
    if given.path is None:
        raise DataError(
            f"The run in {folder.path} learned from values in memory, which its folder does not "
            "keep; give them again, as in data=frame."
        )
    if not Path(given.path).exists() or fingerprint(Path(given.path)) != given.sha256:
        raise DataError(
            f"The data {given.path}, which the run in {folder.path} learned from, is gone or has "
            "changed; put it back, or start a new run."
        )
    return given.path


def _in_words(rows: dict[str, int]) -> str:
    return ", ".join(f"{count(number, 'row')} for {name}" for name, number in rows.items())
