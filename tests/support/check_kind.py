"""What every kind of run promises, checked on tiny data; `test_all_kinds.py` lists the kinds.

A kind joins by one `Case` there: how its data is written and held in memory, options that train in
a moment, and how rows of it are changed beyond recognition.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.kinds.base.kind import DataSpec, Kind, Prepared, Split
from retrograd.kinds.registry import KINDS, kind_of
from retrograd.training.callbacks import Callback
from retrograd.training.trainer import Trainer

__all__ = ["Case", "Trained"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """A kind on tiny data, of which validation and test are shares or parts of their own.

    `file` writes the data into a folder, `memory` holds the same; `changed` gives a data set other
    values in the rows that validate or test. `says` stands in the notes that this data calls for.
    """

    kind: str
    file: Callable[[Path], DataSpec]
    memory: Callable[[], DataSpec]
    options: dict[str, Any]
    changed: Callable[[Any], Any]
    says: str
    task: str | None = None


class _Kept(Callback):
    """Keeps the state within the second epoch, after its first call."""

    def __init__(self) -> None:
        self.state: dict[str, Array] = {}

    def on_batch_end(self, trainer: Trainer, losses: Array) -> None:
        if len(trainer.history.epochs) == 1 and not self.state:
            self.state = trainer.state()


@dataclass
class Trained:
    """A case with a network that was trained for two epochs; each `check` is one promise."""

    case: Case
    folder: Path
    prepared: Prepared[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.prepared = self.built(self.split)
        self._kept = _Kept()
        self.prepared.fit([self._kept])

    # The three steps ------------------------------------------------------------------------------

    @cached_property
    def split(self) -> Split[Any]:
        return self._split(self.case.file(self.folder))

    def _split(self, spec: DataSpec) -> Split[Any]:
        options = self._options(spec)
        parts = KINDS[kind_of(spec.data, self.case.task)].read(spec, options)
        assert parts.train.kind == self.case.kind
        return self._kind.split(parts, options)

    def built(self, split: Split[Any]) -> Prepared[Any]:
        return self._kind.build(split, self._options(self.case.memory()))

    @property
    def _kind(self) -> Kind[Any, Any]:
        return KINDS[self.case.kind]

    def _options(self, spec: DataSpec) -> Any:
        kind = KINDS[kind_of(spec.data, self.case.task)]
        options = {"epochs": 2, "patience": 2, "seed": 3, **self.case.options}
        return kind.options.from_json({**kind.assumed(spec.data), **options})

    # The promises ---------------------------------------------------------------------------------

    def check_same_seed_same_run(self) -> None:
        again = self.built(self.split)
        again.fit()
        _same_run(again, self.prepared)

    def check_resumes_as_if_never_stopped(self) -> None:
        resumed = self.built(self.split)
        resumed.trainer.load_state(self._kept.state)
        resumed.fit()
        _same_run(resumed, self.prepared)

    def check_saved_and_loaded_predicts_the_same(self) -> None:
        model = self.prepared.model
        saved = json.loads(json.dumps(model.to_json()))
        options = json.loads(json.dumps(self.prepared.options.to_options().to_json()))
        loaded = type(model).from_json(saved, self._kind.options.from_json(options))
        loaded.network.load_state_dict(_weights(self.prepared))
        data = self.split.judging
        np.testing.assert_array_equal(loaded.predict(data), model.predict(data))
        assert loaded.score(data) == model.score(data)

    def check_statistics_are_of_training_rows(self) -> None:
        split, changed = self.split, self.case.changed
        test = None if split.test is None else changed(split.test)
        others = Split(split.train, changed(split.validation), test, split.notes, split.name)
        as_read, with_others = self.built(split), self.built(others)
        assert with_others.model.to_json() == as_read.model.to_json()
        _same_weights(with_others, as_read)
        # And the change is one: what validates is not what it was.
        before, after = (run.model.targets(run.split.validation) for run in (as_read, with_others))
        assert not np.array_equal(before, after)

    def check_rows_keep_their_order(self) -> None:
        model, data = self.prepared.model, self.split.judging
        if not hasattr(data, "take"):
            return  # a series and a text have one order
        order = np.random.default_rng(0).permutation(len(data))
        shuffled = data.take(order)
        np.testing.assert_allclose(model.predict(shuffled), model.predict(data)[order], atol=1e-6)
        np.testing.assert_array_equal(model.targets(shuffled), model.targets(data)[order])

    def check_known_rows_are_recognized(self) -> None:
        model, split = self.prepared.model, self.split
        known = model.fingerprints(split.train)
        assert known.dtype == np.uint64
        assert len(known)
        labeled = self.case.memory().data
        if isinstance(labeled, dict | tuple) or hasattr(labeled, "column_names"):
            read = model.read(labeled, [], labeled=True)
            assert np.isin(known, model.fingerprints(read)).mean() > 0.9  # all but a cut passage
        others = model.fingerprints(self.case.changed(split.judging))
        assert len(others) or model.noun == "passage"  # a short end of a text may have none
        assert not np.isin(others, known).any()

    def check_notes_are_said(self) -> None:
        assert any(self.case.says in note for note in self.prepared.notes), self.prepared.notes

    def check_memory_equals_file(self) -> None:
        from_file = self.built(self.split)
        from_memory = self.built(self._split(self.case.memory()))
        assert len(from_memory.train) == len(from_file.train)
        _same_weights(from_memory, from_file)
        found, expected = (
            (run.model.predict(run.split.judging), run.model.targets(run.split.judging))
            for run in (from_memory, from_file)
        )
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def _same_run(found: Prepared[Any], expected: Prepared[Any]) -> None:
    _same_weights(found, expected)
    losses = [
        [(each.train_loss, each.validation_loss) for each in run.trainer.history.epochs]
        for run in (found, expected)
    ]
    assert losses[0] == losses[1]


def _same_weights(found: Prepared[Any], expected: Prepared[Any]) -> None:
    one, other = _weights(found), _weights(expected)
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def _weights(run: Prepared[Any]) -> dict[str, Array]:
    return {name: np.asarray(array) for name, array in run.model.network.state_dict().items()}
