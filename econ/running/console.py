"""A run on stderr: a line for each job that ended, a live total, and what is waited for meanwhile."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import TextIO

from econ.llm.activity import Totals
from econ.records import Json
from econ.running.run import Run, duration, last_line
from econ.terminal import clock, printable

SILENT, AGAIN = 9.0, 60.0  # seconds of silence until it is said what is waited for, and said again
TOTAL_EVERY = 60.0  # seconds between totals where there is no terminal
LOG_SHOWN = 100  # characters of a job's newest line
LOOK_EVERY = 5.0  # seconds between looks at what the jobs have spent


class Console:
    """Shows a :class:`Run`. In a terminal the total stands in the last line and is written over.

    Args:
        jobs: show a line for each job.
    """

    def __init__(self, run: Run, stream: TextIO = sys.stderr, *, jobs: bool = True) -> None:
        self._run, self._stream, self._jobs = run, stream, jobs
        self._live = stream.isatty()
        self._spent = Totals(run.started)
        self._looked = 0.0
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._said = self._totalled = time.monotonic()
        self._due = self._said + SILENT
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """A line that stays."""
        with self._lock:
            self._clear()
            self._stream.write(printable(line) + "\n")
            self._stream.flush()
            self._said = time.monotonic()
            self._due = self._said + SILENT

    def plan(self) -> None:
        rules = ", ".join(f"{number} {rule}" for rule, number in self._run.planned.items() if rule != "all")
        self.say(f"{self._run.total:,} job{'s' if self._run.total > 1 else ''}: {rules}")

    def ended(self, job: Json) -> None:
        if not self._jobs:
            return
        total = f"{self._run.total:,}"
        result = f": {job['result']}" if job["result"] else ""
        done = f"[{len(self._run.finished):>{len(total)}}/{total}]"
        self.say(f"{done} {job['what']} ({duration(job['seconds'])}){result}")
        if not self._live and time.monotonic() - self._totalled >= TOTAL_EVERY:
            self._totalled = time.monotonic()
            self.say(f"  {self.total()}")

    def failed(self, job: Json) -> None:
        self.say(f"FAILED {job['what']} ({duration(job['seconds'])}): {job['log']}")

    def total(self) -> str:
        """Jobs, calls, tokens, money and time left, in a line."""
        run, spent, now = self._run, self._spent, time.monotonic()
        if now - self._looked >= LOOK_EVERY:
            self._looked = now
            spent.update()
        facts = [f"{len(run.finished):,} of {run.total:,} jobs done, {len(run.running)} at work"]
        if run.failed:
            facts.append(f"{len(run.failed)} FAILED")
        if spent.calls:
            facts.append(f"{spent.calls:,} calls, {spent.tokens:,} tokens")
        if spent.usd:
            facts.append(f"${spent.usd:.4f}")
        left = run.left()
        times = f"{clock(time.time() - run.started)} passed"
        facts.append(times if left is None else f"{times}, about {clock(left)} left")
        return "; ".join(facts)

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            with self._lock:
                if self._live:
                    self._draw()
                elif self._run.running and time.monotonic() >= self._due:
                    self._totalled = time.monotonic()
                    self.say(f"  waiting for {self._longest()}; {self.total()}")
                    self._due = time.monotonic() + AGAIN

    def _draw(self) -> None:
        line = self.total()
        if self._run.running and time.monotonic() - self._said >= SILENT:
            line += f"; waiting for {self._longest()}"
        width = shutil.get_terminal_size().columns - 1
        self._clear()
        self._stream.write(printable(line)[:width] + "\r")  # what else is written begins where this does
        self._stream.flush()

    def _clear(self) -> None:
        if self._live:
            self._stream.write("\x1b[2K")

    def _longest(self) -> str:
        """The job that has been at work for longest, and the newest line of its log."""
        job = min(self._run.running.values(), key=lambda job: job.started)
        told = last_line(job.log)
        return f"{job.what} ({duration(time.time() - job.started)})" + (
            f": {told[:LOG_SHOWN]}" if told else ""
        )

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        with self._lock:
            self._clear()
            self._stream.flush()
