"""Is everything as it was written? What lies below ``results/``, the problems and the call cache, checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from econ import benchmarks, paths, seals
from econ.errors import EconError
from econ.llm.cache import places, repair
from econ.llm.cache.store import FOLDER
from econ.records import Job
from econ.reporting import manifest, results

_JOB = re.compile(r"(?P<method>.+)-n(?P<n>\d+)-s(?P<seed>-?\d+)")
_TEAM = re.compile(r"n(?P<n>\d+)(?:-s(?P<seed>-?\d+))?(?:\+(?P<variant>.+))?")


@dataclass
class Found:
    """``checked``: how many files or rows of each kind. ``bad``: a line each, with the way out."""

    checked: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def look(self, kind: str, check: Callable[..., object], *told: object) -> None:
        self.checked[kind] += 1
        try:
            check(*told)
        except EconError as fault:
            self.bad.append(str(fault))


def verify(params_file: Path, cache_url: str | None = None) -> Found:
    """Look at everything.

    Args:
        params_file: what the commands that remake things are told with.
        cache_url: of the database of answers, if the params name one.
    """
    found = Found()
    for path in sorted(paths.BENCHMARKS.glob("*/manifest.json")):
        found.look("problems", _problems, path.parent.name)
    for folder in sorted((paths.RESULTS / "checkpoints").glob("*/*")):
        _checkpoints(folder, params_file, found)
    _jobs(params_file, found)
    for path in sorted((paths.RESULTS / "bank").glob("*/*.parquet")):
        found.look("banks", _bank, path)
    for command, path in _sealed(params_file):
        found.look("certificates", seals.read, path, f"remake it with: {command}")
    if manifest.PATH.exists() or any(paths.TABLES.glob("*.csv")):
        found.look("tables", manifest.read)
        for name in _tables():
            found.look("tables", manifest.table, Path(name))
    if any(paths.FIGURES.glob("*.*")) or any(paths.REPORT.glob("*.*")):
        found.notes.append("figures and page have no digests: econ figures and econ report draw them again")
    _cache(found, cache_url)
    return found


def _problems(name: str) -> None:
    for split, about in benchmarks.manifest(name)["splits"].items():
        path = paths.problems(name, split)
        if not path.is_file() or seals.file_digest(path) != about["sha256"]:
            raise EconError(f"{path} is not as it was downloaded", f"run: econ download --benchmark {name}")


def _checkpoints(folder: Path, params_file: Path, found: Found) -> None:
    team = _TEAM.fullmatch(folder.name)
    command = "econ train"
    if team is not None:
        command += f" --benchmark {folder.parent.name} --n-agents {team['n']} --seed {team['seed'] or 0}"
        command += f" --variant {team['variant']}" if team["variant"] else ""
    way_out = f"remake it with: {command} --params {params_file}"
    for path in sorted(folder.glob("*.safetensors")):
        found.look("checkpoints", _checkpoint, path, way_out)
    if (config := folder / "config.json").exists():
        found.look("checkpoints", seals.read, config, way_out)


def _checkpoint(path: Path, way_out: str) -> None:
    from econ.equilibrium import checkpoint

    try:
        checkpoint.read(path)
    except EconError as fault:
        raise EconError(fault.problem, way_out) from None


def _jobs(params_file: Path, found: Found) -> None:
    files = {path.with_suffix("") for path in (paths.RESULTS / "metrics").glob("*/*.json")}
    traces = paths.RESULTS / "traces"
    found_traces = (path.with_suffix("") for path in traces.glob("*/*.jsonl"))
    files |= {paths.RESULTS / "metrics" / path.relative_to(traces) for path in found_traces}
    for path in sorted(files):
        told = _JOB.fullmatch(path.name)
        if told is None:
            found.notes.append(f"{path}: no job has this name")
            continue
        job = Job(path.parent.name, told["method"], int(told["n"]), int(told["seed"]))
        found.look("metrics", results.metrics, job, params_file)
        found.look("traces", _traces, job, params_file)


def _traces(job: Job, params_file: Path) -> None:
    """By the digest in the job's metrics; where these are damaged, that is said already."""
    try:
        made = results.metrics(job, params_file)
    except EconError:
        made = None
    for _ in results.rows(job, made or {}, params_file) if made else ():
        pass


def _bank(path: Path) -> None:
    from econ.bank import calls, store

    (calls.read if path.name.startswith("calls--") else store.read)(path)


def _sealed(params_file: Path) -> Iterator[tuple[str, Path]]:
    """Certificates, regrets and checks of banks, with the commands that make them."""
    for kind in ("equilibrium", "regret"):
        for path in sorted((paths.RESULTS / kind).glob("*/*.json")):
            team = _TEAM.fullmatch(path.stem)
            agents = f" --n-agents {team['n']}" if team else ""
            seed = f" --seed {team['seed']}" if team and team["seed"] else ""
            yield f"econ {kind} --benchmark {path.parent.name}{agents}{seed} --params {params_file}", path
    for path in sorted((paths.RESULTS / "bank").glob("*/check--*.json")):
        yield f"econ bank check --benchmark {path.parent.name} --params {params_file}", path


def _tables() -> list[str]:
    try:
        return sorted(manifest.read()["tables"])
    except EconError:  # said already
        return []


def _cache(found: Found, url: str | None) -> None:
    where = "the call cache" if places.address(url) else FOLDER / "answers.sqlite"
    if not (places.address(url) or (FOLDER / "answers.sqlite").exists()):
        return
    try:
        health = repair.look(url=url)
    except EconError as fault:
        found.bad.append(str(fault))
        return
    found.checked["answers"] += health.whole["answers"] + health.ill.total()
    found.checked["facts"] += health.whole["facts"]
    for what, number in sorted(health.ill.items()):
        way_out = "run: econ cache repair (a job that needs it asks again)"
        found.bad.append(f"{where}: damaged: {what} ({number:,}) - {way_out}")
    if health.unsealed:
        found.notes.append(f"{health.unsealed:,} rows of the call cache are from before there were checksums")
