"""A time limit bounds all of a run, and what it leaves out is named."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.small_tables import houses

import retrograd as rg
from retrograd.kinds.table.model import TableModel
from retrograd.runs import RunCallback, deadline
from retrograd.runs.deadline import Deadline

SMALL: dict[str, Any] = {"width": 8, "depth": 1, "members": 2, "bins": 4}


@pytest.mark.parametrize(
    ("limit", "training"), [(None, math.inf), (40.0, 30.0), (600.0, 570.0), (0.0, 0.0)]
)
def test_training_leaves_a_quarter_or_half_a_minute(
    limit: float | None, training: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline.time, "monotonic", lambda: 100.0)
    assert Deadline(limit, started=100.0).for_training == training


def test_what_went_before_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline.time, "monotonic", lambda: 112.0)
    assert Deadline(40.0, started=100.0).for_training == 18.0
    assert Deadline(40.0, started=0.0).for_training == 0.0


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")
def test_a_block_is_left_when_its_time_is_over() -> None:
    end, before = Deadline(0.2, time.monotonic()), signal.getsignal(signal.SIGALRM)
    assert not end.bounded("a long sleep", lambda: time.sleep(30))
    assert not end.bounded("what comes after it", lambda: pytest.fail("there is no time left"))
    assert end.left_out == ["a long sleep", "what comes after it"]
    assert end.left > -5
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")
def test_neither_a_check_that_catches_all_nor_one_that_goes_on_holds_it_up() -> None:
    end, went_on = Deadline(0.2, time.monotonic()), list[str]()

    def catches_all() -> None:
        try:
            time.sleep(30)
        except Exception:
            pytest.fail("the end is not an error of the check")

    def goes_on() -> None:
        with contextlib.suppress(BaseException):
            time.sleep(30)
        went_on.append("once")
        time.sleep(30)

    assert not end.bounded("a check", catches_all)
    end = Deadline(0.2, time.monotonic())
    assert not end.bounded("a training", goes_on)
    assert went_on == ["once"]
    assert end.bounded("the figures", lambda: time.sleep(0.1), grace=True)
    assert end.left_out == ["a training"]


def test_without_a_limit_and_in_another_thread_a_block_runs_to_its_end() -> None:
    ran: list[str] = []

    def run(end: Deadline) -> None:
        assert end.bounded("all", lambda: ran.append("ran"))

    run(Deadline(None, 0.0))
    thread = threading.Thread(target=run, args=(Deadline(60.0, time.monotonic()),))
    thread.start()
    thread.join()
    assert ran == ["ran", "ran"]


class LeftOut(RunCallback):
    what: Sequence[str] = ()

    def on_left_out(self, what: Sequence[str]) -> None:
        self.what = what


def test_a_run_out_of_time_is_scored_and_reported_without_what_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TableModel, "importance", lambda *_, **__: time.sleep(60))
    told, started = LeftOut(), time.monotonic()
    run = rg.train(
        houses(), "price", out=tmp_path / "run", time_limit=0.0, callbacks=[told], **SMALL
    )
    assert time.monotonic() - started < 50
    assert [len(run.history.epochs), run.history.verdict] == [1, "out of time"]
    assert run.scores["validation"].metrics
    assert [each.split()[0] for each in told.what] == ["the", "the", "which"]
    page = (run.path / "report.html").read_text("utf-8")
    assert "Worst predictions" in page
    assert "Why the model predicted this" not in page
    run.findings()  # what the record alone shows
