"""The report of a training run as a page: the verdict first, then the evidence."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.kinds.base.fitted import FittedModel
from retrograd.report.charts import importance as importance_chart
from retrograd.report.charts import run_charts
from retrograd.report.charts.findings import finding_views
from retrograd.report.charts.record_curves import step_charts
from retrograd.report.charts.record_flow import flow_panels
from retrograd.report.charts.record_histograms import histogram_pictures
from retrograd.report.charts.record_layers import layer_rows
from retrograd.report.pages.page import render, write_text
from retrograd.report.pages.predictions import Effort, Judged
from retrograd.report.words.head import head_facts, manifest_facts, without_folder
from retrograd.report.words.run import ROWS, found_sentence, progress, stop_sentence, verdict
from retrograd.store import Manifest, RunFolder, kept_epoch, load_options, read_history
from retrograd.store.findings import read_findings, run_record
from retrograd.store.names import REPORT, VALIDATION
from retrograd.training.history import Epoch, Verdict

__all__ = [
    "RunReport",
    "render_report",
    "write_recorded_report",
    "write_report",
    "write_run_report",
]

_COLUMN_ROWS = 200
# Findings that make sense only after a run has stopped.
_OF_THE_END = ("RG216",)

# The sections by anchor: the name, and the value that the section requires.
_SECTIONS = {
    "findings": ("Findings", "has_findings"),
    "scores": ("Scores", "judged"),
    "predictions": ("Predictions", "worst"),
    "inputs": ("Inputs", "drivers"),
    "columns": ("Columns", "judged"),
    "learning": ("Learning", "learning"),
    "inside": ("Inside the network", "panels"),
    "again": ("Options", "stopped"),
}


@dataclass(frozen=True)
class RunReport:
    """The content of a run's page; `judged` is None while the run trains.

    `kept` is the epoch whose weights are in the folder.
    """

    name: str
    config: Mapping[str, Any]
    epochs: Sequence[Epoch]
    verdict: Verdict | None
    manifest: Manifest
    record: Record | None
    judged: Judged | None
    findings: Sequence[Finding] | None = None  # None: no checks were run
    kept: int | None = None

    @classmethod
    def read(cls, folder: RunFolder, judged: Judged | None = None) -> RunReport:
        """The report of a run from its folder, as far as the run has come."""
        history = read_history(folder)
        return cls(
            name=folder.path.resolve().name,
            config=load_options(folder).to_json(),
            epochs=history.epochs,
            verdict=history.verdict,
            manifest=folder.manifest(),
            record=run_record(folder),
            judged=judged,
            findings=read_findings(folder),
            kept=kept_epoch(folder, history.epochs),
        )


def write_run_report(
    folder: RunFolder, model: FittedModel, data: Any, part: str, effort: Effort = Effort.BRIEF
) -> Path:
    """Write report.html into the run's folder, scored on the rows `data`; return its path.

    `part` is which rows these are, "test" or "validation". The page is written atomically. Raises
    UsageError if it cannot be written.
    """
    path = folder.path / REPORT
    judged = Judged.of(model, data, part, effort)
    write_report(path, RunReport.read(folder, judged))
    return path


def write_recorded_report(folder: RunFolder) -> Path:
    """Write report.html for a run that has no weights to judge; see `write_run_report`."""
    path = folder.path / REPORT
    write_report(path, RunReport.read(folder))
    return path


def write_report(path: str | os.PathLike[str], report: RunReport) -> None:
    """Write the page of any report; see `write_run_report`."""
    write_text(path, render_report(report))


def render_report(
    report: RunReport, *, script: str = "", version: str = "", silent_since: datetime | None = None
) -> str:
    """The page as HTML; `script` runs in it and polls the page's server for a later `version`.

    `silent_since` is the last time that a training which may have died wrote anything.
    """
    found = report.findings
    if found is not None and script and report.verdict is None and silent_since is None:
        found = [each for each in found if each.code not in _OF_THE_END]
    values = _record_values(report.record)
    values |= _judged_values(report.judged, found) if report.judged else {"judged": None}
    values |= {
        "findings": None if found is None else finding_views(found, report.record),
        "has_findings": found is not None,
        "found": None if found is None else found_sentence(found),
        "facts": head_facts(
            report.manifest, report.epochs, report.judged.model if report.judged else None
        ),
        "notes": _notes(report),
        "learning": run_charts.learning_curve(report.epochs, report.kept, run_charts.WIDE),
        "learning_narrow": run_charts.learning_curve(report.epochs, report.kept, run_charts.NARROW),
        "stopped": stop_sentence(
            report.epochs,
            report.verdict,
            report.kept,
            is_sound=not any(each.severity == "error" for each in report.findings or ()),
        ),
        "progress": progress(report.epochs, report.config.get("epochs"), silent_since),
    }
    return render(
        "run.html.jinja",
        script=script,
        version=version,
        title=report.name,
        report=report,
        kind=_kind(report),
        contents=[(each, name) for each, (name, needs) in _SECTIONS.items() if values.get(needs)],
        config={name: value for name, value in report.config.items() if value not in (None, {})},
        manifest=_flat(manifest_facts(report.manifest)),
        **values,
    )


def _kind(report: RunReport) -> str:
    task = report.manifest.task
    target = report.judged.model.target_name if report.judged else report.config.get("target")
    return f"{task} of {target}" if target else task


def _notes(report: RunReport) -> list[str]:
    notes = report.judged.model.notes if report.judged else ()
    return [without_folder(note, report.manifest) for note in notes]


def _record_values(record: Record | None) -> dict[str, Any]:
    """The parts of the page that come from the record of the layers."""
    if record is None:
        return {"record": None}
    panels, legend, broken = flow_panels(record)
    return {
        "record": record,
        "metric_charts": run_charts.metric_curves(record.epochs),
        "step_charts": step_charts(record),
        "panels": panels,
        "legend": legend,
        "broken": broken,
        "layers": layer_rows(record),
        "weight_histograms": histogram_pictures(record, "weight"),
        "activation_histograms": histogram_pictures(record, "activation"),
    }


def _judged_values(judged: Judged, findings: Sequence[Finding] | None) -> dict[str, Any]:
    """The parts of the page that come from the trained model."""
    columns = judged.model.columns()
    names, worst = judged.worst()
    importance = judged.importance
    drivers = []
    if importance is not None:
        drivers = [
            importance_chart.attribution_chart(importance),
            importance_chart.shuffling_chart(importance),
        ]
    return {
        "judged": judged,
        "which_rows": ROWS[judged.part],
        "chose_the_epoch": judged.part == VALIDATION,
        "verdict": verdict(
            judged.model.target_name,
            judged.compared,
            judged.scores.rows,
            judged.part,
            judged.scores.baseline_does,
            by_chance=any(each.code == "RG504" for each in findings or ()),
        ),
        "pictures": judged.pictures(),
        "confusions": judged.confusions(),
        "mistakes": judged.mistakes(),
        "worst_names": names,
        "worst": worst,
        "drivers": [each for each in drivers if each],
        "columns": columns[:_COLUMN_ROWS],
        "columns_left_out": max(len(columns) - _COLUMN_ROWS, 0),
        "network": repr(judged.model.network),
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested names joined by dots."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            flat[prefix + name] = str(value)
    return flat
