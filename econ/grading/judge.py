"""The processes that compare mathematical expressions: started when first needed, killed when stuck."""

from __future__ import annotations

import atexit
import json
import os
import queue
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, cast

from econ.errors import EconError

CPU_SECONDS = 2.0  # per comparison; CPU time, so that a busy machine does not change a verdict
WALL_SECONDS = 30.0  # past this the process is killed: it is stuck where Python cannot interrupt it
START_SECONDS = 120.0
WORKERS = 2


class Worker:
    """One process. Not for two threads at once; :func:`same` sees to that."""

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        # -P: the folder of the script, which has modules of its own names, stays off the import path.
        command = [sys.executable, "-P", str(Path(__file__).with_name("_math_worker.py")), str(cpu_seconds)]
        package = Path(__file__).parents[2]
        known = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": known},
        )
        self._pipes = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._unread = b""
        if self._line(START_SECONDS) is None:
            self.stop()
            raise EconError(
                "the process that compares expressions did not start", "is math-verify installed?"
            )

    def same(self, a: str, b: str) -> bool | None:
        """None: the process is gone or stuck, and of no further use."""
        try:
            self._pipes[0].write(json.dumps([a, b]).encode() + b"\n")
        except BrokenPipeError:
            return None
        reply = self._line(WALL_SECONDS)
        return None if reply is None else bool(json.loads(reply))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in self._pipes:
            pipe.close()

    def _line(self, seconds: float) -> bytes | None:
        answers = self._pipes[1]
        while b"\n" not in self._unread:
            if not select.select([answers], [], [], seconds)[0]:
                return None
            chunk = answers.read(65536)
            if not chunk:
                return None
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line


_idle: queue.LifoQueue[Worker] = queue.LifoQueue()
_room = threading.BoundedSemaphore(WORKERS)
_all: list[Worker] = []


def same(a: str, b: str) -> bool:
    """Are two LaTeX expressions equal? A comparison past its time limit says no."""
    with _room:
        worker = _take()
        verdict = worker.same(a, b)
        if verdict is None:
            worker.stop()
            _all.remove(worker)
        else:
            _idle.put(worker)
        return bool(verdict)


def _take() -> Worker:
    try:
        return _idle.get_nowait()
    except queue.Empty:
        worker = Worker()
        _all.append(worker)
        return worker


@atexit.register
def stop() -> None:
    """End the processes; the next comparison starts new ones."""
    while _all:
        _all.pop().stop()
    while not _idle.empty():
        _idle.get_nowait()
