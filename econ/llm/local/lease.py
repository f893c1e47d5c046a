"""Local server processes (the LLM's, the embedding model's), shared by all jobs of a project.

A server is found through a folder under ``.econ/servers`` named by what it serves. Its life hangs on locks
that the kernel frees whatever happens: users hold ``lease`` shared; the server holds ``alive``, and ends once
nobody has held a lease for a while. A state file without a live server behind it is simply replaced.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from econ import paths
from econ.errors import EconError
from econ.llm.cache.locks import FileLock
from econ.records import Json

FOLDER = paths.STATE / "servers"
START_SECONDS = 300.0  # a large model on a slow disk
# Threads of one model wait for each other hundreds of times per token. By default they spin while they wait;
# where another process holds a core, each wait then costs a time slice (5 instead of 50 tokens/s, measured).
THREADS = {"GOMP_SPINCOUNT": "1000"}


@dataclass(frozen=True, slots=True)
class Spec:
    """What a server serves: ``kind`` (llm, embedding), its settings, and the module that is its process."""

    kind: str
    settings: Json
    module: str = "econ.llm.local.serve"

    @property
    def folder(self) -> Path:
        """Of this machine: another that shares the project's folder has a server of its own."""
        whole = {**self.settings, "machine": platform.node()}
        name = hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
        return (FOLDER / f"{self.kind}-{name}").absolute()


class Lease:
    """The right to use a server. It lasts until :meth:`close` or the end of the process."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._lock = FileLock(spec.folder / "lease")
        self._lock.take(shared=True)

    def url(self) -> str:
        """The server's address; it is started first if it is not there. Blocks until it answers.

        Raises:
            EconError: the server ends or stays silent while it starts.
        """
        folder = self._spec.folder
        start = FileLock(folder / "start")
        start.take()
        try:
            return _state(folder) or self._start(folder)
        finally:
            start.close()

    def _start(self, folder: Path) -> str:
        """Start the server; where one is about to be ready, or to end, that is waited for."""
        alive = FileLock(folder / "alive")
        deadline = time.monotonic() + START_SECONDS
        while not alive.take(wait=False):
            if url := _state(folder):
                return url
            if time.monotonic() > deadline:
                raise EconError(f"a local {self._spec.kind} server neither answers nor ends", f"see {folder}")
            time.sleep(0.05)
        alive.close()
        (folder / "state.json").unlink(missing_ok=True)
        log = folder / "log"
        spec = orjson.dumps({"kind": self._spec.kind, "folder": str(folder), **self._spec.settings}).decode()
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", self._spec.module, spec],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **THREADS},
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if url := _state(folder):
                return url
            if process.poll() is not None:
                raise self._failed(log, "ended while it started")
            time.sleep(0.05)
        process.kill()
        raise self._failed(log, f"was not ready after {START_SECONDS:g} s")

    def _failed(self, log: Path, what: str) -> EconError:
        lines = log.read_text(errors="replace").strip().splitlines()
        said = lines[-1][:200] if lines else "it said nothing"
        return EconError(f"the local {self._spec.kind} server {what}: {said}", f"see {log}")

    def close(self) -> None:
        self._lock.close()


def _state(folder: Path) -> str | None:
    """The address of the live server of a folder."""
    try:
        state = orjson.loads((folder / "state.json").read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    alive = FileLock(folder / "alive")
    try:
        return None if alive.take(wait=False) else str(state["url"])
    finally:
        alive.close()
