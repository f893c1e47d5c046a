"""When LLM calls were in flight, on record: ``.econ/activity/*.jsonl``, read by ``econ timing``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from econ import paths
from econ.records import Json, Tokens

FOLDER = paths.STATE / "activity"
EVERY = 10.0  # seconds between notes; a killed job loses no more than this


class Activity:
    """Counts calls in flight and notes the busy intervals of one job."""

    def __init__(self, job: str, folder: Path = FOLDER) -> None:
        self._job = job
        self._path = folder / f"{time.time_ns()}-{os.getpid()}.jsonl"
        self._in_flight = 0
        self._since = 0.0
        self._busy: list[tuple[float, float]] = []
        self._calls, self._tokens = 0, Tokens()
        self._usd = 0.0
        self._noted = 0.0
        self._note(start=True)

    def begin(self) -> None:
        if self._in_flight == 0:
            self._since = time.time()
        self._in_flight += 1

    def end(self) -> None:
        self._in_flight -= 1
        now = time.time()
        if self._in_flight == 0:
            self._busy.append((self._since, now))
        if now - self._noted > EVERY:
            self._note()

    def answered(self, tokens: Tokens, usd: float | None) -> None:
        self._calls += 1
        self._tokens += tokens
        self._usd += usd or 0.0

    def close(self) -> None:
        self._note()

    def _note(self, *, start: bool = False) -> None:
        now = time.time()
        if self._in_flight:
            self._busy.append((self._since, now))
            self._since = now
        row: Json = {"job": self._job, "time": now, "start": start, "busy": merge(self._busy, gap=0.02)}
        row |= {"calls": self._calls, "prompt_tokens": self._tokens.prompt}
        row["completion_tokens"] = self._tokens.completion
        row["usd"] = self._usd
        self._busy, self._noted = [], now
        self._calls, self._tokens = 0, Tokens()
        self._usd = 0.0
        paths.private()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(orjson.dumps(row) + b"\n")


def merge(intervals: Iterable[tuple[float, float]], gap: float = 0.0) -> list[tuple[float, float]]:
    """The union of intervals, in order; gaps of at most ``gap`` seconds are closed."""
    union: list[tuple[float, float]] = []
    for start, end in sorted(intervals):
        if union and start <= union[-1][1] + gap:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


@dataclass(frozen=True, slots=True)
class Timing:
    """Of all jobs since some moment: ``wall`` seconds from the first start to the last note, ``busy`` of them
    with at least one call in flight."""

    jobs: int
    wall: float
    busy: float
    calls: int
    tokens: Tokens

    @property
    def share(self) -> float:
        return self.busy / self.wall if self.wall > 0 else 0.0


def read(since: float = 0.0, folder: Path = FOLDER) -> Timing:
    """The timing of all jobs that were active after ``since`` (Unix time)."""
    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in _rows(path) if row["time"] >= since]
    if not rows:
        return Timing(0, 0.0, 0.0, 0, Tokens())
    busy = merge((max(start, since), end) for row in rows for start, end in row["busy"])
    times = [row["time"] for row in rows] + [start for start, _ in busy]
    names = ("calls", "prompt_tokens", "completion_tokens")
    calls, prompt, completion = (sum(row[name] for row in rows) for name in names)
    seconds = sum(end - start for start, end in busy)
    return Timing(
        sum(row["start"] for row in rows), max(times) - min(times), seconds, calls, Tokens(prompt, completion)
    )


def _rows(path: Path) -> list[Json]:
    """Whole lines; the last may be cut where its job was killed."""
    lines = path.read_bytes().split(b"\n")
    return [orjson.loads(line) for line in lines[:-1]]


class Totals:
    """Calls, tokens and money of all jobs since a moment (Unix time), read on as they come."""

    def __init__(self, since: float, folder: Path = FOLDER) -> None:
        self._since, self._folder = since, folder
        self._read: dict[Path, int] = {}  # bytes of each file
        self.calls = self.tokens = 0
        self.usd = 0.0

    def update(self) -> None:
        for path in self._folder.glob("*.jsonl"):
            self._follow(path)

    def _follow(self, path: Path) -> None:
        start, now = self._read.get(path, 0), path.stat()
        if now.st_size == start or now.st_mtime < self._since:
            return
        with path.open("rb") as file:
            file.seek(start)
            whole = file.read().rpartition(b"\n")[0]
        for row in map(orjson.loads, whole.splitlines()):
            if row["time"] >= self._since:
                self.calls += row["calls"]
                self.tokens += row["prompt_tokens"] + row["completion_tokens"]
                self.usd += row.get("usd", 0.0)
        self._read[path] = start + len(whole) + 1 if whole else start
