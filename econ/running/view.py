"""The page, served on loopback, under a bar that follows a run while it goes on. Nothing is written."""

from __future__ import annotations

import os
import time
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import orjson

from econ import paths, seals
from econ.errors import EconError
from econ.llm.activity import Totals
from econ.params import Params
from econ.records import Json
from econ.reporting import outcome
from econ.reporting.gather import jobs
from econ.running import run
from econ.terminal import printable

HOST = "127.0.0.1"
LIVE = Path(__file__).with_name("live.html")
PAGE = paths.REPORT / "index.html"


class Watch:
    """What there is to see of a run, and of the params' jobs: read again where a file is newer."""

    def __init__(self, params: Params) -> None:
        self._files = [paths.metrics(job) for job in jobs(params)]
        self._cells: dict[Path, tuple[int, list[str]]] = {}  # by file: as of when, and its row
        self._totals: tuple[float, Totals] | None = None
        self._lock = Lock()

    def look(self) -> Json:
        """Jobs done and at work, calls, tokens, money, time left; a row per job that has metrics."""
        with self._lock:
            return {
                "run": self._run(),
                "headings": outcome.HEADINGS,
                "left": outcome.TEXT,
                "rows": [row for path in self._files if (row := self._row(path)) is not None],
                "jobs": len(self._files),
                "page": PAGE.stat().st_mtime if PAGE.exists() else None,
            }

    def _run(self) -> Json | None:
        try:
            told: Json = orjson.loads(run.FILE.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        if self._totals is None or self._totals[0] != told["started"]:
            self._totals = told["started"], Totals(told["started"])
        spent = self._totals[1]
        spent.update()
        for job in told["running"]:
            job["told"] = printable(run.last_line(job["log"]))
        told["finished"] = told["finished"][-12:]
        told |= {"calls": spent.calls, "tokens": spent.tokens, "usd": spent.usd, "now": time.time()}
        return told | {"alive": told["ended"] is None and _alive(told["pid"])}

    def _row(self, path: Path) -> list[str] | None:
        try:
            changed = path.stat().st_mtime_ns
            if path not in self._cells or self._cells[path][0] != changed:
                self._cells[path] = changed, outcome.cells(seals.read(path, "play it again"))
        except (OSError, EconError, LookupError, TypeError):  # not there, being replaced, of another version
            return None
        return self._cells[path][1]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


class Handler(SimpleHTTPRequestHandler):
    """``/``: the bar above the page; ``/run.json``: what the bar shows; the rest: files below results/."""

    def __init__(self, watch: Watch, *told: Any) -> None:
        self._watch = watch
        super().__init__(*told, directory=str(paths.RESULTS))

    def do_GET(self) -> None:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in (HOST, "localhost"):  # a name that somebody made point here
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path == "/":
            self._send("text/html; charset=utf-8", LIVE.read_bytes())
        elif self.path == "/run.json":
            self._send("application/json", orjson.dumps(self._watch.look()))
        else:
            super().do_GET()

    def _send(self, kind: str, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *told: object) -> None:
        """Nothing: the terminal is the user's."""


def server(params: Params, port: int) -> ThreadingHTTPServer:
    """Ready to serve; ``port`` 0: any that is free.

    Raises:
        EconError: the port is taken.
    """
    try:
        return ThreadingHTTPServer((HOST, port), partial(Handler, Watch(params)))
    except OSError as fault:
        raise EconError(f"port {port} of {HOST}: {fault.strerror}", "choose another with --port") from None
