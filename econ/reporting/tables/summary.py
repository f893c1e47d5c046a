"""What other tools compare runs by: ten flat numbers of each job, and all training curves in one file.

``results/summary/jobs/{benchmark}/{method}-n{N}-s{seed}.json`` and ``results/summary/training.csv``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import orjson

from econ import paths
from econ.files import write_atomic
from econ.params import Params
from econ.records import Job, Json
from econ.reporting.gather import Result

FOLDER = paths.RESULTS / "summary"
TRAINING = FOLDER / "training.csv"
# As named here, and in a job's metrics.
KEYS = {
    "n": "n",
    "accuracy": "accuracy",
    "accuracy_low": "accuracy_low",
    "accuracy_high": "accuracy_high",
    "invalid": "invalid",
    "cut": "truncated_calls",
    "failed": "failed_calls",
    "calls": "calls",
    "prompt_tokens": "prompt_tokens_per_problem",
    "completion_tokens": "completion_tokens_per_problem",
}
# Columns of the curves, and the files that they are in.
CURVES = {
    "reward": "reward/team",
    "reward_executors": "reward/executors",
    "reward_commitment": "reward/commitment",
    "loss": "loss/total",
    "value": "value/q",
}


def job_file(job: Job) -> Path:
    return FOLDER / "jobs" / job.benchmark / f"{job.name}.json"


def write(results: Sequence[Result], params: Params) -> None:
    """Both, of the params' jobs."""
    for result in results:
        content = orjson.dumps(flat(result.metrics), option=orjson.OPT_INDENT_2) + b"\n"
        write_atomic(job_file(result.job), [content])
    write_atomic(TRAINING, [training(params).encode()])


def flat(metrics: Json) -> Json:
    return {name: metrics[key] for name, key in KEYS.items()}


def training(params: Params) -> str:
    """The curves of every training that the params' methods play from, a row for each update interval."""
    text = io.StringIO()
    columns = ["benchmark", "n_agents", "seed", "variant", "episodes", *CURVES]
    rows = csv.DictWriter(text, columns, lineterminator="\n")
    rows.writeheader()
    for benchmark in params.benchmarks:
        for n_agents in params.n_agents:
            for seed in params.seeds:
                for variant in params.trainings():
                    where = {
                        "benchmark": benchmark,
                        "n_agents": n_agents,
                        "seed": seed,
                        "variant": variant or "",
                    }
                    folder = paths.checkpoint(benchmark, n_agents, seed, variant)
                    rows.writerows({**where, **point} for point in _points(folder))
    return text.getvalue()


def _points(folder: Path) -> list[dict[str, str]]:
    points: dict[str, dict[str, str]] = {}
    for name, metric in CURVES.items():
        path = folder / "curve" / "plots" / "metrics" / f"{metric}.tsv"
        if not path.exists():
            continue
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                point = points.setdefault(row["step"], {"episodes": row["step"]})
                point[name] = row[metric.split("/")[-1]]
    return list(points.values())
