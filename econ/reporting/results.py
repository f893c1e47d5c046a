"""A job's two files: its traces, and its metrics with the digests of both. Written and read here alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from econ import paths, seals
from econ.errors import EconError
from econ.files import json_line, write_atomic
from econ.records import Job, Json, Trace, to_json

TRACES = "trace_sha256"  # in the metrics
PARAMS_FILE = Path("params.yaml")


def remake(job: Job, params_file: Path) -> str:
    """The command that makes a job's traces and metrics."""
    return (
        f"econ evaluate --benchmark {job.benchmark} --method {job.method} "
        f"--n-agents {job.n_agents} --seed {job.seed} --params {params_file}"
    )


def write(job: Job, traces: Sequence[Trace], made: Json) -> None:
    """Write a job's traces, then its metrics ``made`` of them, in one step each."""
    state = hashlib.sha256()

    def lines() -> Iterator[bytes]:
        for trace in traces:
            line = to_json(trace) + b"\n"
            state.update(line)
            yield line

    write_atomic(paths.trace(job), lines())
    write_atomic(paths.metrics(job), [seals.document({**made, TRACES: state.hexdigest()})])


def metrics(job: Job, params_file: Path = PARAMS_FILE) -> Json:
    """A job's metrics.

    Raises:
        EconError: they are not there, or damaged; the line says what makes them.
    """
    return seals.read(paths.metrics(job), f"remake it with: {remake(job, params_file)}")


def rows(job: Job, made: Json, params_file: Path = PARAMS_FILE) -> Iterator[Json]:
    """The lines of a job's traces, one at a time.

    Args:
        made: the job's metrics.

    Raises:
        EconError: the file is not there or damaged, at its end at the latest; or it is another job's.
    """
    path, way_out = paths.trace(job), f"remake it with: {remake(job, params_file)}"
    state = hashlib.sha256()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                state.update(line)
                yield json_line(line, path, number)
    except FileNotFoundError:
        raise EconError(f"{path} does not exist", way_out) from None
    except EconError as fault:
        raise EconError(fault.problem, way_out) from None
    if state.hexdigest() != made.get(TRACES):
        raise EconError(f"{path} is damaged or from another run: its metrics hold another digest", way_out)
