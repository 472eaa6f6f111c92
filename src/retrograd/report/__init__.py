"""Reports of a run: pages that open in any browser, offline, and text for terminals."""

from retrograd.report.pages.predictions import Effort
from retrograd.report.pages.run import (
    RunReport,
    render_report,
    write_recorded_report,
    write_report,
    write_run_report,
)
from retrograd.report.pages.walkthrough import write_walkthrough
from retrograd.report.words.walkthrough import walkthrough_text

__all__ = [
    "Effort",
    "RunReport",
    "render_report",
    "walkthrough_text",
    "write_recorded_report",
    "write_report",
    "write_run_report",
    "write_walkthrough",
]
