"""The page of a run in progress, served on this machine only."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

from retrograd.errors import RetrogradError, UsageError
from retrograd.report.pages.page import content_policy
from retrograd.report.pages.run import RunReport, render_report
from retrograd.store import RunFolder
from retrograd.store.names import EPOCHS, RECORD, REPORT

__all__ = ["LivePage", "PageServer"]

_ADDRESS = "127.0.0.1"
# A page is rendered at most once per second, and rendering takes at most a quarter of the time.
_SECONDS, _SHARE = 1.0, 0.25
# A training that has written nothing for this many seconds, and for the time of this many epochs,
# may have died. Its process cannot be checked: it may run on another machine that shares the
# folder.
_SILENT_SECONDS, _SILENT_EPOCHS = 60.0, 3


class LivePage:
    """The latest page of a run folder: rendered as it grows, at the end the report by `train`."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.script = (files("retrograd.report.pages") / "templates/live.js").read_text("utf-8")
        self._lock = threading.Lock()
        self._shown = ""
        self._version = ""
        self._next = 0.0
        self._patience = _SILENT_SECONDS

    def version(self) -> str:
        """A string that changes whenever the page would."""
        with self._lock:
            if time.monotonic() < self._next:
                return self._version
            return self._on_disk()

    def html(self) -> str:
        """The current page; raises DataError or UsageError for a damaged folder."""
        with self._lock:
            version = self._on_disk()
            if not self._shown or (version != self._version and time.monotonic() >= self._next):
                started = time.monotonic()
                self._shown = self._rendered(version)
                self._version = version
                took = time.monotonic() - started
                self._next = started + max(_SECONDS, took / _SHARE)
            return self._shown

    def _rendered(self, version: str) -> str:
        if self._has_ended():
            return (self.folder.path / REPORT).read_text("utf-8")
        report = RunReport.read(self.folder)
        if report.epochs:
            per_epoch = report.epochs[-1].seconds / len(report.epochs)
            self._patience = max(_SILENT_SECONDS, _SILENT_EPOCHS * per_epoch)
        silent_since = self._silent_since() if report.verdict is None else None
        return render_report(report, script=self.script, version=version, silent_since=silent_since)

    def _has_ended(self) -> bool:
        """Whether the report exists, and training has not been resumed since."""
        report, log = (self.folder.path / name for name in (REPORT, EPOCHS))
        if self.folder.manifest().verdict is None or not report.is_file() or report.is_symlink():
            return False
        return not log.is_file() or report.stat().st_mtime_ns >= log.stat().st_mtime_ns

    def _silent_since(self) -> datetime | None:
        """When the training last wrote something, if that is so long ago that it may have died."""
        written = max((found[2] for found in map(_facts, self._written()) if found), default=0)
        last = written / 1e9
        return datetime.fromtimestamp(last) if time.time() - last > self._patience else None

    def _on_disk(self) -> str:
        """A digest of the names, sizes and times of the files, and of `_silent_since`."""
        found = [*self._written(), self.folder.path / REPORT]
        facts = [_facts(file) for file in sorted(found)]
        return hashlib.sha256(repr((facts, self._silent_since())).encode()).hexdigest()[:16]

    def _written(self) -> list[Path]:
        """The files that a training writes as it goes."""
        path = self.folder.path
        return [*path.glob("*.json"), *path.glob("*.jsonl"), *path.glob(f"{RECORD}/*")]


class PageServer:
    """Serves `page` at http://127.0.0.1:PORT/ to browsers on this machine, until it is closed.

    Port 0 picks any free port. Raises UsageError for a port that is taken or not allowed.
    """

    def __init__(self, page: LivePage, port: int) -> None:
        try:
            self._server = ThreadingHTTPServer((_ADDRESS, port), _handler(page))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"Cannot use port {port} ({reason}). Choose another with --port; 0 picks any free "
                "port."
            ) from error
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """The URL of the page."""
        return f"http://{_ADDRESS}:{self._server.server_port}/"

    def serve(self) -> None:
        """Serve until `close` is called from another thread, or Ctrl-C."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()


def _facts(file: Path) -> tuple[str, int, int] | None:
    try:
        found = file.stat()
    except OSError:  # deleted since it was listed
        return None
    return file.name, found.st_size, found.st_mtime_ns


def _handler(page: LivePage) -> type[BaseHTTPRequestHandler]:
    answers: dict[str, tuple[str, Callable[[], str]]] = {
        "/": ("text/html", page.html),
        "/version": ("text/plain", page.version),
    }
    policy = f"{content_policy(page.script)}; frame-ancestors 'none'"

    class Handler(BaseHTTPRequestHandler):
        """Answers GET requests for the page and its version; refuses everything else."""

        server: ThreadingHTTPServer
        server_version, sys_version = "retrograd", ""

        def do_GET(self) -> None:
            # A site could point its own name here (DNS rebinding) and have the browser read the
            # page; but it cannot change the Host header that the browser sends.
            port = self.server.server_port
            if self.headers.get("Host") not in (f"{_ADDRESS}:{port}", f"localhost:{port}"):
                self._answer(HTTPStatus.FORBIDDEN, "text/plain", "Only for this machine.\n")
            elif self.path == "/favicon.ico":
                self._answer(HTTPStatus.NO_CONTENT, "image/png", "")
            elif self.path not in answers:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", "There is only one page: /\n")
            else:
                kind, text = answers[self.path]
                try:
                    self._answer(HTTPStatus.OK, kind, text())
                except RetrogradError as error:
                    self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", f"{error}\n")

        def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not logged."""

    return Handler
