"""Snakemake's events as a run: quiet lines in the place of its pages.

Dry runs, ``--verbose``, ``--printshellcmds`` and ``--debug-dag`` show what Snakemake itself says; all of that
is in ``.snakemake/log`` too. A handler and no logger plugin: those are not found in an editable installation.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from econ.running.console import Console
from econ.running.run import Begun, Run

# What Snakemake says of itself in every run, and of every file in a report.
NOISE = (
    "Assuming unrestricted shared filesystem", "Building DAG of jobs", "Using shell:", "Select jobs",
    "Group jobs:", "Conda environments:", "Singularity containers:", "Storing output in storage",
    "Complete log(s):", "Elapsed time:", "Adding ", "Loading ",
)  # fmt: skip


def attach(settings: Any, logger: logging.Logger) -> None:
    """Take the place of Snakemake's own lines on the screen, unless these, or another logger, are asked for.

    Args:
        settings: Snakemake's output settings.
    """
    if settings.dryrun or settings.verbose or settings.printshellcmds or settings.debug_dag:
        return
    for handler in list(logger.handlers):
        if handler.name == "DefaultStreamHandler":
            logger.removeHandler(handler)
            logger.addHandler(RunHandler(settings))


class RunHandler(logging.Handler):
    """Tells a :class:`~econ.running.run.Run` of Snakemake's events and shows it."""

    def __init__(self, settings: Any) -> None:
        super().__init__()
        self.stream = sys.stdout if settings.stdout else sys.stderr
        self.quiet = set(settings.quiet or ())
        self.run: Run | None = None
        self.console: Console | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if not self._event(record) and self._worth(record):
                self._say(record.getMessage())
        except Exception:
            self.handleError(record)

    def _event(self, record: logging.LogRecord) -> bool:
        """Was the record an event of the run?"""
        told: Any = record
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                self._plan({rule: n for rule, n in told.stats.items() if rule != "total"})
            case LogEvent.JOB_INFO if self.run:
                what = told.rule_msg or told.rule_name
                job = Begun(what, told.rule_name, next(iter(told.log), ""), tuple(told.output), time.time())
                self.run.begin(told.jobid, job)
                self.run.keep()
            case LogEvent.JOB_FINISHED if self.run and self.console:
                if ended := self.run.end(told.job_id):
                    self.console.ended(ended)
                self.run.keep()
            case LogEvent.JOB_ERROR if self.run and self.console:
                if failed := self.run.fail(told.jobid):
                    self.console.failed(failed)
                self.run.keep()
            case LogEvent.ERROR if told.exception == "RuleException":  # a job's, whose log is named already
                pass
            case None | LogEvent.ERROR:
                return False
        return True

    def _plan(self, jobs: dict[str, int]) -> None:
        if self.run is None:
            self.run = Run()
            lines = not {Quietness.ALL, Quietness.RULES} & self.quiet
            self.console = Console(self.run, self.stream, jobs=lines)
        self.run.plan(jobs)
        self.run.keep()
        if self.console:
            self.console.plan()

    def _worth(self, record: logging.LogRecord) -> bool:
        quiet = Quietness.ALL in self.quiet or record.levelno < logging.INFO
        return not (quiet or str(record.msg).startswith(NOISE))

    def _say(self, line: str) -> None:
        if self.console:
            self.console.say(line)
        else:
            print(line, file=self.stream, flush=True)

    def close(self) -> None:
        if self.console and self.run:
            self.console.close()
            self.run.ended = time.time()
            self.run.keep()
            self.console = None
        super().close()
