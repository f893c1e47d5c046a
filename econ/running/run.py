"""Which jobs a run has, which are done, and how long the rest will take; kept in ``.econ/run.json``."""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from econ import paths, seals
from econ.errors import EconError
from econ.files import write_atomic
from econ.records import Json
from econ.reporting import outcome
from econ.terminal import clock

FILE = paths.STATE / "run.json"
KEPT = 200  # finished jobs that are told of


@dataclass(frozen=True, slots=True)
class Begun:
    """A job at work. ``what``: as its rule says it; ``started``: Unix time."""

    what: str
    rule: str
    log: str
    outputs: tuple[str, ...]
    started: float


@dataclass
class Run:
    """Fed by an engine's events. ``planned``: jobs by rule."""

    started: float = field(default_factory=time.time)
    planned: Counter[str] = field(default_factory=Counter)
    total: int = 0
    running: dict[int, Begun] = field(default_factory=dict)
    finished: list[Json] = field(default_factory=list)
    failed: list[Json] = field(default_factory=list)
    ended: float | None = None
    _seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def plan(self, jobs: Mapping[str, int]) -> None:
        self.planned = Counter(jobs)
        self.total = self.planned.total()

    def begin(self, number: int, job: Begun) -> None:
        self.running[number] = job

    def end(self, number: int) -> Json | None:
        """The job, with its seconds and what came out of it; None: it never began here."""
        return self._close(number, self.finished)

    def fail(self, number: int) -> Json | None:
        return self._close(number, self.failed)

    def _close(self, number: int, kind: list[Json]) -> Json | None:
        job = self.running.pop(number, None)
        if job is None:
            return None
        seconds = time.time() - job.started
        self._seconds[job.rule].append(seconds)
        kind.append({"what": job.what, "seconds": seconds, "log": job.log, "result": _result(job.outputs)})
        return kind[-1]

    def left(self) -> float | None:
        """Seconds, by the jobs of the same rule that are done, as many at once as so far; None: unknown."""
        known = [second for seconds in self._seconds.values() for second in seconds]
        if not known:
            return None
        mean = sum(known) / len(known)
        work = 0.0
        for rule, number in self.planned.items():
            mine = self._seconds[rule]
            work += (number - len(mine)) * (sum(mine) / len(mine) if mine else mean)
        now = time.time()
        at_work = [now - job.started for job in self.running.values()]
        at_once = max(1.0, (sum(known) + sum(at_work)) / max(now - self.started, 1e-9))
        rest = work - sum(at_work)
        return None if rest <= 0 and self.running else max(0.0, rest) / at_once  # what runs takes longer

    def document(self) -> Json:
        return {
            "pid": os.getpid(), "started": self.started, "ended": self.ended, "total": self.total,
            "done": len(self.finished), "left": self.left(), "failed": self.failed,
            "running": [{"what": j.what, "log": j.log, "started": j.started} for j in self.running.values()],
            "finished": self.finished[-KEPT:],
        }  # fmt: skip

    def keep(self, path: Path = FILE) -> None:
        """For whoever watches from another process."""
        paths.private()
        write_atomic(path, [orjson.dumps(self.document())])


def _result(outputs: Sequence[str]) -> str | None:
    """What a job's metrics say, where it has any."""
    for path in map(Path, outputs):
        if path.suffix == ".json" and path.is_relative_to(paths.RESULTS / "metrics"):
            try:
                return outcome.short(seals.read(path, ""))
            except (EconError, LookupError, TypeError):  # of another version: said where it is used
                return None
    return None


def last_line(log: str) -> str:
    """The newest line of a job's log, or nothing."""
    try:
        with Path(log).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in reversed(lines) if line.strip()), "")


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else clock(seconds)
