"""A run: what it is, what it is for, and what comes next."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.diagnosis.catalogue import check_codes
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies.trials import Fix, FixProgress
from retrograd.errors import DataError, UsageError, about
from retrograd.kinds.base.fitted import FittedModel
from retrograd.kinds.base.kind import Prepared, path_of
from retrograd.kinds.language.generation import continue_text
from retrograd.kinds.language.model import LanguageModel
from retrograd.kinds.table.model import TableModel
from retrograd.kinds.table.walk_record import Walkthrough
from retrograd.kinds.table.walkthrough import walk_through
from retrograd.report import Effort, write_recorded_report, write_run_report
from retrograd.runs.data import RunData
from retrograd.runs.findings import sure_findings, sure_record, trained_case
from retrograd.runs.fix import fix_run
from retrograd.runs.progress import with_progress
from retrograd.runs.seen import with_seen
from retrograd.runs.session import judged_part, resume_run
from retrograd.store import (
    RunFolder,
    kind_in,
    load_model,
    load_options,
    read_history,
    read_scores,
    why_not_kept,
)
from retrograd.store.findings import muted_codes, recorded_case
from retrograd.store.names import CHECKPOINT, FAILURE, WEIGHTS
from retrograd.training import Callback, History
from retrograd.training.options import Options
from retrograd.training.scores import Scores

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Run"]

Array = np.ndarray[Any, Any]

_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


class Run:
    """A trained network with all that training left; made by `rg.train` and `rg.load`.

    Data to predict, evaluate or explain is a path or values in memory, like the data that was
    learned from. Where something needs the data of the training again (`diagnose`, `report`,
    `resume`, `fix`) it is at hand in the process that trained, and read again from its path in
    another; values in memory are then given as `data`, and as `valid` and `test` if those were
    too. A list that is given as `notes` receives what a person should know.
    """

    def __init__(
        self,
        folder: RunFolder,
        data: RunData | None = None,
        prepared: Prepared[Any] | None = None,
    ) -> None:
        self._folder = folder
        self._data = data
        self._prepared = prepared
        self._model: FittedModel | None = None if prepared is None else prepared.model

    def __repr__(self) -> str:
        return f"<Run {str(self.path)!r}, {self.kind}>"

    # What it is -----------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._folder.path

    @property
    def kind(self) -> str:
        """The kind of run: "table", "text", "images", "signals", "forecast", "language-model"."""
        return kind_in(self._folder).name

    @property
    def data_path(self) -> Path | None:
        """Where the data lies that was learned from; None if it was in memory."""
        path = self._folder.manifest().data.path
        return None if path is None else Path(path)

    @property
    def options(self) -> Options:
        """The options, with what was left open decided."""
        return load_options(self._folder)

    @property
    def model(self) -> FittedModel:
        """The network with all that it takes to use it; DataError if no weights were kept."""
        if self._model is None:
            self._model = load_model(self._folder)
        return self._model

    @property
    def network(self) -> nn.Module:
        """The network, with the weights that were best on the validation rows."""
        return self.model.network

    @property
    def history(self) -> History:
        """The epochs so far, and the verdict once training has ended."""
        return read_history(self._folder)

    @property
    def scores(self) -> dict[str, Scores]:
        """The figures of merit by "validation" and "test"; empty until training has ended."""
        return read_scores(self._folder)

    @property
    def columns(self) -> list[SchemaRow]:
        """How each column was read."""
        return self.model.columns()

    @property
    def classes(self) -> Array:
        """(classes,) labels, in the order of the columns of `predict_proba`; empty for numbers."""
        return _labels(np.array(self.model.classes, dtype=object), self.model.classes)

    @property
    def notes(self) -> list[str]:
        """What a person should know about how the data was read."""
        return list(self.model.notes if self._prepared is None else self._prepared.notes)

    # What it is for -------------------------------------------------------------------------------

    def predict(self, data: Any, notes: list[str] | None = None) -> Array:
        """(rows,) the label of each row, or a number in the target's units.

        Labels are texts, or integers where all of them are whole numbers. A forecast gives the
        `(horizon,)` values to come.
        """
        answers = self.predict_table(data, notes).columns[-1].drop_null()
        return _labels(answers.to_numpy(), self.model.classes)

    def predict_proba(self, data: Any, notes: list[str] | None = None) -> Array:
        """(rows, classes) probabilities, in the order of `classes`; UsageError without classes."""
        if not self.model.classes:
            raise UsageError(
                f"The run in {self.path} predicts {self.model.target_name}, which has no classes "
                "and no probabilities; use predict."
            )
        notes = self._notes(notes)
        rows = self.model.read(data, notes, labeled=False)
        with _naming(data):
            return self.model.predict(rows, notes)

    def predict_table(self, data: Any, notes: list[str] | None = None) -> pa.Table:
        """The rows in their order, with `probability_CLASS` and `prediction` as last columns."""
        notes = self._notes(notes)
        rows = self.model.read(data, notes, labeled=False)
        with _naming(data):
            return self.model.predictions(rows, notes).to_native()

    def evaluate(self, data: Any, notes: list[str] | None = None) -> Scores:
        """The figures of merit on labeled data, beside the baseline's.

        They say how many of the rows the run was trained on and stopped by, and so do the notes.
        """
        notes = self._notes(notes)
        rows = self.model.read(data, notes, labeled=True)
        with _naming(data):
            return with_seen(self._folder, self.model, rows, self.model.score(rows), notes)

    def explain(self, data: Any, row: int = 1) -> Walkthrough:
        """One row of a table, from 1, through the five steps of backpropagation.

        The network itself is left as it is. Raises UsageError for a run of another kind.
        """
        model = self._of_kind(TableModel)
        read = model.read(data, [], labeled=False)
        with _naming(data), read.places.named():
            return walk_through(model, read.frame, row)

    def generate(
        self,
        prompt: str,
        length: int = 500,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 0,
        notes: list[str] | None = None,
    ) -> Iterator[str]:
        """A language model's text after `prompt`, in pieces as they are drawn.

        Raises UsageError for a run of another kind; see `continue_text`.
        """
        return continue_text(
            self._of_kind(LanguageModel),
            prompt,
            length,
            temperature=temperature,
            top_k=top_k,
            seed=seed,
            notes=notes,
        )

    # What came of its training, and what comes next -----------------------------------------------

    def findings(self) -> list[Finding]:
        """What training found wrong with the run, the likeliest cause first.

        Of a run that still trains, or was killed, what its record shows. Raises UsageError for a
        run without a record.
        """
        return sure_findings(self._folder)

    def diagnose(
        self,
        *,
        ignore: Iterable[str] = (),
        notes: list[str] | None = None,
        data: Any = None,
        valid: Any = None,
        test: Any = None,
    ) -> list[Finding]:
        """What is wrong with the run, looked at anew, but for the codes in `ignore`.

        Its record is judged, and its network on its data where they are at hand; the notes say so
        if they are not. Raises DataError for a run without a record.
        """
        muted = check_codes(ignore, "ignore") | muted_codes(self._folder)
        return examined(self._case(notes, data, valid, test), muted)

    def report(
        self,
        *,
        notes: list[str] | None = None,
        data: Any = None,
        valid: Any = None,
        test: Any = None,
    ) -> Path:
        """Write the report as one page that any browser opens, and return its path.

        It takes some seconds to measure which inputs matter. Of a run that kept no weights it shows
        what was recorded, and the notes say so.
        """
        missing = why_not_kept(self._folder, WEIGHTS)
        if missing is None:
            self._notes(notes)
            part, rows = judged_part(self._ready(data, valid, test).split)
            return write_run_report(self._folder, self.model, rows, part, Effort.THOROUGH)
        if notes is not None:
            notes.append(f"Only what was recorded is shown. {missing}")
        return write_recorded_report(self._folder)

    def resume(
        self,
        *,
        data: Any = None,
        valid: Any = None,
        test: Any = None,
        callbacks: Sequence[Callback] = (),
        progress: bool = False,
        started: float | None = None,
        **options: Any,
    ) -> Run:
        """Train this run further, with some options changed (`epochs=200`), and return it.

        The run is then as if it had not stopped, to the bit. A `time_limit` counts from `started`,
        a `time.monotonic()`, by default from now. Raises DataError if its data is gone or has
        changed, UsageError if nothing is left to do, if a change would make another run of it, or
        if another process trains it.
        """
        started = time.monotonic() if started is None else started
        if (self.path / FAILURE).is_dir() and CHECKPOINT not in self._folder.manifest().files:
            raise DataError(str(why_not_kept(self._folder, WEIGHTS)))
        with self._folder.writing():
            found = self._ready(data, valid, test)
            callbacks = with_progress(callbacks, progress)
            prepared = resume_run(self._folder, found, options, callbacks, started)
        self._prepared, self._model = prepared, prepared.model
        return self

    def fix(
        self,
        findings: Iterable[Finding] | None = None,
        *,
        seeds: Sequence[int] = (0, 1, 2),
        budget: int = 30,
        progress: Callable[[FixProgress], None] | None = None,
        data: Any = None,
        valid: Any = None,
        test: Any = None,
    ) -> Fix[Options]:
        """Try the remedies for what training found, and keep those that are shown to help.

        Each is trained with every seed, beside what was kept until then; the run as it is and a
        random change are trained too. At most `budget` trainings are run in all. The run stays as
        it is; what was tried is in RUN/fix, with the options that helped in its config.json.

        Raises UsageError for a run without a record, DataError if its data is gone or has changed,
        FixInterrupted, a KeyboardInterrupt that has what was tried until then, at Ctrl-C.
        """
        found = self.findings() if findings is None else list(findings)
        return fix_run(
            self._folder,
            self._ready(data, valid, test),
            found,
            seeds=seeds,
            budget=budget,
            progress=progress,
        )

    # ----------------------------------------------------------------------------------------------

    def _notes(self, notes: list[str] | None) -> list[str]:
        """The list of notes that was given, or one, with what is damaged in the folder."""
        notes, _ = [] if notes is None else notes, self.model
        notes.extend(self._folder.notes)
        return notes

    def _ready(self, data: Any, valid: Any, test: Any) -> RunData:
        """What the run learned from: at hand, or read again."""
        is_given = any(each is not None for each in (data, valid, test))
        if self._data is None or is_given:
            self._data = RunData.again(self._folder, data, valid, test)
            self._prepared = None
        return self._data

    def _case(self, notes: list[str] | None, data: Any, valid: Any, test: Any) -> Case:
        record = sure_record(self._folder)
        try:
            model, found = self.model, self._ready(data, valid, test)
            if self._prepared is None:
                self._prepared = found.prepared(self.options)
            return trained_case(record, self._prepared, model)
        except DataError as error:
            if notes is not None:
                notes.append(f"Only the record is looked at: {error}")
            return recorded_case(record)

    def _of_kind(self, kind: type[Any]) -> Any:
        model = self.model
        if not isinstance(model, kind):
            raise UsageError(
                f"{self.path} is a run of the kind {self.kind!r}; this works for {kind.kind!r} "
                "only."
            )
        return model


def _naming(data: Any) -> Any:
    """Messages name the data by its path, if it has one."""
    path = path_of(data)
    return nullcontext() if path is None else about(path)


def _labels(texts: Array, classes: Sequence[str]) -> Array:
    """Labels as a person has them: integers where every class is a whole number."""
    if classes and all(_WHOLE_NUMBER.fullmatch(each) for each in classes):
        return texts.astype(np.int64)
    return texts
