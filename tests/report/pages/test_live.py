"""The live page: what it answers to whom, and that it follows the run folder."""

from __future__ import annotations

import dataclasses
import datetime
import http.client
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.made_manifests import made_manifest
from support.made_records import make_record
from support.small_tables import HOSTILE, houses, prepared

from retrograd.diagnosis.catalogue import finding
from retrograd.errors import UsageError
from retrograd.report import RunReport, render_report, write_run_report
from retrograd.report.pages.live import LivePage, PageServer
from retrograd.store import Given, RunFolder, RunLog, write_recipe
from retrograd.store.names import VALIDATION
from retrograd.training.history import Epoch, Verdict

MANIFEST = made_manifest(data=Given(HOSTILE))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run that has just begun."""
    made = RunFolder.create(tmp_path / "run", "unused")
    run = prepared(houses(), "price")
    write_recipe(made, run.options.to_options(), run.model, MANIFEST)
    return made


@pytest.fixture
def server(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageServer]:
    monkeypatch.setattr("retrograd.report.pages.live._SECONDS", 0.0)
    monkeypatch.setattr("retrograd.report.pages.live._SHARE", 1e9)
    found = PageServer(LivePage(folder), 0)
    thread = threading.Thread(target=found.serve, daemon=True)
    thread.start()
    yield found
    found.close()
    thread.join(5)


def _ask(
    server: PageServer, path: str = "/", host: str | None = None, method: str = "GET"
) -> tuple[int, str, http.client.HTTPMessage]:
    address = server.address.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request(method, path, headers={"Host": host or address})
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text, reply.headers


def test_it_shows_a_run_that_has_just_begun(server: PageServer) -> None:
    status, text, headers = _ask(server)
    assert status == 200
    assert "Training has begun." in text
    assert HOSTILE not in text
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src 'sha256-" in policy
    assert "frame-ancestors 'none'" in policy


def test_it_follows_the_run(server: PageServer, folder: RunFolder) -> None:
    first = _ask(server, "/version")[1]
    assert _ask(server, "/version")[1] == first
    line = Epoch(1, 10, 0.5, 1.0, 0.25, 0.01, best=True).as_dict()
    folder.write_lines("metrics.jsonl", [line])
    second = _ask(server, "/version")[1]
    assert second != first
    _, text, _ = _ask(server)
    assert "epoch 1 of at most 2" in text
    assert f'data-version="{second}"' in text
    make_record(folder.path / "record")
    assert _ask(server, "/version")[1] != second
    assert "The flow through the layers" in _ask(server)[1]


def test_a_training_that_writes_nothing_more_is_not_said_to_go_on(
    server: PageServer, folder: RunFolder
) -> None:
    """It is silent for longer than a minute, and than three epochs took."""
    lines = [Epoch(n, 10 * n, 40.0 * n, 1.0, 1 / n, 0.01, best=True).as_dict() for n in (1, 2)]
    folder.write_lines("metrics.jsonl", lines)
    make_record(folder.path / "record")

    def ago(seconds: float) -> str:
        then = time.time() - seconds
        for file in [*folder.path.rglob("*")]:
            os.utime(file, (then, then))
        _ask(server)
        return _ask(server)[1]

    assert "Training: epoch 2 of at most 2" in ago(100)
    before = _ask(server, "/version")[1]
    text = ago(130)
    assert "Training: epoch" not in text
    said = r"has written nothing since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, after epoch 2 of at most 2"
    assert re.search(said, text)
    assert "0.5, in epoch 2" in text
    assert _ask(server, "/version")[1] != before
    folder.write_lines("metrics.jsonl", lines)
    assert "Training: epoch 2 of at most 2" in _ask(server)[1]


def test_silence_alone_changes_the_version(
    server: PageServer, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _ask(server, "/version")[1]
    assert _ask(server, "/version")[1] == before
    now = time.time
    monkeypatch.setattr("retrograd.report.pages.live.time.time", lambda: now() + 61)
    assert _ask(server, "/version")[1] != before
    assert "before its first epoch ended" in _ask(server)[1]


def test_what_is_said_of_the_end_waits_for_it(folder: RunFolder) -> None:
    stopped = finding("RG216", "The loss still fell.")
    report = dataclasses.replace(RunReport.read(folder), findings=[stopped])
    assert stopped.name not in render_report(report, script="look()")
    assert stopped.name in render_report(report)
    ended = dataclasses.replace(report, verdict=Verdict.OUT_OF_EPOCHS)
    assert stopped.name in render_report(ended, script="look()")
    then = datetime.datetime(2026, 1, 2)
    assert stopped.name in render_report(report, script="look()", silent_since=then)


def test_at_the_end_it_is_the_report_and_live_again_if_the_run_goes_on(
    server: PageServer, folder: RunFolder
) -> None:
    run = prepared(houses(), "price")
    log = RunLog(folder, MANIFEST)
    run.fit([log])
    path = write_run_report(folder, run.model, run.split.validation, VALIDATION)
    log.close(run.trainer)
    assert _ask(server)[1] == path.read_text("utf-8")
    lines = [epoch.as_dict() for epoch in run.trainer.history.epochs]
    folder.write_lines("metrics.jsonl", [*lines, {**lines[-1], "epoch": 3}])
    assert "epoch 3 of at most 2" in _ask(server)[1]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "[::1]", ""])
def test_another_name_for_this_machine_is_refused(server: PageServer, host: str) -> None:
    status, text, _ = _ask(server, host=host or "evil.example:80")
    assert status == 403
    assert "price" not in text


def test_localhost_is_this_machine_too(server: PageServer) -> None:
    port = server.address.rstrip("/").rpartition(":")[2]
    assert _ask(server, host=f"localhost:{port}")[0] == 200
    assert server.address.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "path", ["/config.json", "/../config.json", "//etc/passwd", "/?a=1", "/%2e%2e/", "/index.html"]
)
def test_there_is_only_one_page(server: PageServer, path: str) -> None:
    assert _ask(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_nothing_can_be_sent(server: PageServer, method: str) -> None:
    assert _ask(server, method=method)[0] == 501


def test_a_damaged_folder_is_told_and_not_fatal(server: PageServer, folder: RunFolder) -> None:
    config = (folder.path / "config.json").read_text()
    (folder.path / "config.json").write_text("{")
    status, text, _ = _ask(server)
    assert status == 503
    assert "config.json" in text
    (folder.path / "config.json").write_text(config)
    assert _ask(server)[0] == 200


def test_a_port_that_is_taken_is_told(server: PageServer, folder: RunFolder) -> None:
    port = int(server.address.rstrip("/").rpartition(":")[2])
    with pytest.raises(UsageError, match=rf"Cannot use port {port} .*--port; 0 picks any"):
        PageServer(LivePage(folder), port)


def test_a_link_in_place_of_the_report_is_not_followed(
    server: PageServer, folder: RunFolder, tmp_path: Path
) -> None:
    run = prepared(houses(), "price")
    log = RunLog(folder, MANIFEST)
    run.fit([log])
    log.close(run.trainer)
    (tmp_path / "secret.html").write_text("a secret")
    (folder.path / "report.html").symlink_to(tmp_path / "secret.html")
    assert "secret" not in _ask(server)[1]
