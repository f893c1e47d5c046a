"""Reading back what the params' jobs have written: metrics, and which problems each one got right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from econ import benchmarks, paths
from econ.errors import EconError
from econ.params import Params, setting
from econ.records import Job, Json
from econ.reporting import results
from econ.reporting.results import remake


@dataclass(frozen=True, slots=True)
class Result:
    """One job's metrics, and what they come from.

    ``outcomes``: problem id -> answered right. ``firsts``: problem id -> right with 1, 2, … k of its samples
    or rounds, of methods whose traces tell. ``subsets``: problem id -> the parts of its benchmark it is in.
    """

    job: Job
    metrics: Json
    outcomes: dict[str, bool] = field(default_factory=dict)
    firsts: dict[str, list[bool]] = field(default_factory=dict)
    subsets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # problem id -> the one it was made of


def jobs(params: Params) -> list[Job]:
    """Every job of the params, in table order."""
    return [
        Job(benchmark, method, n_agents, seed)
        for benchmark in params.benchmarks
        for method in params.methods_on(benchmark)
        for n_agents in params.n_agents
        for seed in params.seeds
    ]


def gather(params: Params, params_file: Path) -> list[Result]:
    """Results of exactly the params' jobs.

    Raises:
        EconError: a job's file is missing, damaged, made with other params or on other problems than its
            benchmark's other jobs; the line names the file and the command that makes it.
    """
    wanted = jobs(params)
    missing = [job for job in wanted if not (paths.metrics(job).exists() and paths.trace(job).exists())]
    if missing:
        first = missing[0]
        gone = paths.trace(first) if paths.metrics(first).exists() else paths.metrics(first)
        others = f" (and {len(missing) - 1} more of {len(wanted)} jobs)" if len(missing) > 1 else ""
        raise EconError(f"{gone} does not exist{others}", f"make it with: {remake(first, params_file)}")
    found = [_result(job, params, params_file) for job in wanted]
    _same_problems(found, params_file)
    return found


def _result(job: Job, params: Params, params_file: Path) -> Result:
    path, metrics = paths.metrics(job), results.metrics(job, params_file)
    try:
        result = _read(job, metrics, params_file)
        agreed = (metrics["n"], metrics["correct"]) == (len(result.outcomes), sum(result.outcomes.values()))
        agreed &= ("points" in metrics) == bool(result.firsts)
        made_with = metrics["setting"]
    except (LookupError, TypeError, AttributeError) as fault:
        raise EconError(
            f"{path} or its trace file is of another version: {fault!r}",
            f"remake both with: {remake(job, params_file)}",
        ) from None
    if not agreed:
        raise EconError(
            f"{path} and {paths.trace(job)} do not belong together",
            f"remake both with: {remake(job, params_file)}",
        )
    _current_problems(job, metrics, params_file)
    other = sorted(key for key, *_ in differing(made_with, setting(params, job.method)))
    if other:
        raise EconError(
            f"{path} was made with other params ({_few(other)}) than {params_file}",
            f"remake it with: {remake(job, params_file)}",
        )
    return result


def _current_problems(job: Job, metrics: Json, params_file: Path) -> None:
    """Problems that were downloaded anew since are other problems."""
    manifest = paths.manifest(job.benchmark)
    if manifest.exists() and benchmarks.manifest(job.benchmark) != metrics["problems"]:
        raise EconError(
            f"{paths.metrics(job)} is on other problems than {manifest} lists",
            f"remake it with: {remake(job, params_file)}",
        )


def _read(job: Job, metrics: Json, params_file: Path) -> Result:
    result = Result(job, metrics)
    for row in results.rows(job, metrics, params_file):
        name, detail = row["problem_id"], row["detail"]
        result.outcomes[name] = bool(row["correct"])
        if "first_k" in detail:
            result.firsts[name] = detail["first_k"]["correct"]
        if "subsets" in detail:
            result.subsets[name] = tuple(detail["subsets"])
        if "source" in detail:
            result.sources[name] = detail["source"]
    return result


def _few(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def differing(made_with: Json, now: Json, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted keys whose values differ, with both values."""
    for key in made_with.keys() | now.keys():
        old, new = made_with.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differing(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key}", old, new


def _same_problems(results: list[Result], params_file: Path) -> None:
    """Comparisons are paired, so a benchmark's jobs must all have played the same problems."""
    first: dict[str, Result] = {}
    for result in results:
        reference = first.setdefault(result.job.benchmark, result)
        same_ids = result.outcomes.keys() == reference.outcomes.keys()
        if not same_ids or result.metrics["problems"] != reference.metrics["problems"]:
            raise EconError(
                f"{paths.metrics(result.job)} is on other problems than {paths.metrics(reference.job)}",
                f"remake the older one, e.g. with: {remake(result.job, params_file)}",
            )
