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
_NUMBER = (int, float)
# What tables and page build on; each kind of method has further metrics.
FORM: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("benchmark", "method", TRACES), str),
    **dict.fromkeys(("n_agents", "seed", "n", "correct", "invalid", "calls"), int),
    **dict.fromkeys(("failed_calls", "truncated_calls", "prompt_tokens", "completion_tokens"), int),
    **dict.fromkeys(("total_tokens", "prompt_tokens_once"), int),
    **dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high", "accuracy_strict"), _NUMBER),
    **dict.fromkeys(("parse_rate", "parse_rate_strict", "mean_reward", "mean_rounds"), _NUMBER),
    **dict.fromkeys(("calls_per_problem", "prompt_tokens_per_problem"), _NUMBER),
    **dict.fromkeys(("completion_tokens_per_problem", "total_tokens_per_problem"), _NUMBER),
    **dict.fromkeys(("fixed", "stop_reasons", "models", "problems", "setting", "invalid_reasons"), dict),
    "simulated": bool,
    "usd": (*_NUMBER, type(None)),
}


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
    path, way_out = paths.metrics(job), f"remake it with: {remake(job, params_file)}"
    made = seals.read(path, way_out)
    for name, kinds in FORM.items():
        if not isinstance(made.get(name, ...), kinds):
            raise EconError(f"{path} is of another version: it has no {name} as this one writes it", way_out)
    return made


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
