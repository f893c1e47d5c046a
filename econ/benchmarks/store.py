"""The normalised problems on disk: written by ``econ download``, checked and sampled by everyone else."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import orjson

from econ import paths
from econ.benchmarks.fitting import fit
from econ.benchmarks.normalise import Normalised, drop_known, normalise, partition
from econ.benchmarks.registry import Benchmark, Source, spec
from econ.benchmarks.sources import Origin, choose
from econ.errors import EconError
from econ.files import write_atomic
from econ.grading import grade
from econ.params import Params
from econ.records import Json, Problem, Split, Verdict, stable_seed

SPLITS: tuple[Split, ...] = ("train", "test")


def download(name: str, params: Params, warn: Callable[[str], None] | None = None) -> Json:
    """Fetch one benchmark, normalise it, write its two splits and the manifest; return the manifest.

    Raises:
        EconError: the source is not there, or a row is not as it should be (file and row are named).
    """
    benchmark = spec(name, params)
    origin = choose(benchmark, params, warn)
    splits = _splits(benchmark, origin, params.data.train_share)
    record: Json = {
        "benchmark": name,
        "kind": benchmark.kind,
        "source": origin.kind,
        "licence": "MIT (of this project)" if origin.kind == "shipped" else benchmark.licence,
        "note": benchmark.note,
        "train_share": params.data.train_share if benchmark.partitioned else None,
        "splits": {},
    }
    for split in SPLITS:
        content = b"".join(map(_line, splits[split].problems))
        write_atomic(paths.problems(name, split), [content])
        record["splits"][split] = {
            **_entry(benchmark.sources[split], origin, splits[split], content),
            **check_golds(splits[split].problems, params),
        }
    write_atomic(paths.manifest(name), [orjson.dumps(record, option=orjson.OPT_INDENT_2), b"\n"])
    return record


def _splits(benchmark: Benchmark, origin: Origin, share: float) -> dict[Split, Normalised]:
    test = normalise(benchmark, "test", benchmark.test, origin)
    if benchmark.train is None:
        train, test = partition(test, share)
    else:
        train = normalise(benchmark, "train", benchmark.train, origin)
        drop_known(train, test)
    return {"train": train, "test": test}


def _line(problem: Problem) -> bytes:
    """Without the kind, which is the benchmark's: :func:`load` puts it in."""
    row = {f.name: getattr(problem, f.name) for f in fields(problem) if f.name != "kind"}
    return orjson.dumps(row) + b"\n"


def _entry(source: Source, origin: Origin, found: Normalised, content: bytes) -> Json:
    """A mirror claims to hold the pinned revision; only rows that came from the hub prove theirs."""
    subsets = Counter(name for problem in found.problems for name in problem.subsets)
    claims = origin.kind in ("hub", "mirror")
    return {
        "hub": source.hub if claims else None,
        "revision": (found.raw.revision or source.revision) if claims else None,
        "revision_checked": origin.kind == "hub",
        "file": found.raw.name if origin.kind in ("hub", "files") else source.file,
        "source_sha256": found.raw.sha256,
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": len(found.problems),
        "source_rows": len(found.raw.rows),
        "dropped": dict(found.dropped),
        **({"subsets": dict(sorted(subsets.items()))} if subsets else {}),
    }


def check_golds(problems: Sequence[Problem], params: Params) -> Json:
    """Every gold stated as an answer and graded by its own grader: how many; which fail, and why."""
    golds = [problem for problem in problems if problem.gold is not None]
    verdicts = {problem.id: grade(problem, stated(problem), params) for problem in golds}
    failing = {name: _why(verdict) for name, verdict in verdicts.items() if not verdict.strict}
    return {"golds": len(golds), "golds_failing": failing}


def _why(verdict: Verdict) -> str:
    failed = [name for name, met in verdict.detail.get("constraints", {}).items() if met is False]
    return ", ".join(failed) or verdict.reason or f"read as {verdict.answer}"


def stated(problem: Problem) -> str:
    """A problem's gold as a text that answers it in the form that the prompts ask for."""
    gold = problem.gold or ""
    if problem.kind == "plan":
        return gold
    return f"The final answer is \\boxed{{{gold}}}." if problem.kind == "math" else f"Final answer: {gold}"


def manifest(name: str) -> Json:
    """What is known of the downloaded problems: source, licence, and revision, sha256 and rows per split.

    Raises:
        EconError: the benchmark has not been downloaded.
    """
    path, again = paths.manifest(name), f"run: econ download --benchmark {name}"
    try:
        record = orjson.loads(path.read_bytes())
        whole = {"source", "licence", "train_share", "splits"} <= set(record) and all(
            isinstance(record["splits"][split][key], kind)
            for split in SPLITS
            for key, kind in (("sha256", str), ("rows", int), ("revision_checked", bool))
        )
    except FileNotFoundError:
        raise EconError(f"{path} does not exist", again) from None
    except (orjson.JSONDecodeError, LookupError, TypeError):
        whole = False
    if not whole:
        raise EconError(f"{path} is damaged, or of another version", again)
    known: Json = record
    return known


def load(name: str, split: Split, params: Params) -> list[Problem]:
    """The sample of a downloaded split that params ask for (``data.train_problems``, ``data.test_problems``).

    The order is a function of benchmark, split and ``data.sample_seed``, so a smaller sample is a prefix of a
    larger one. TravelPlanner's reference information is fitted to ``data.reference_tokens``.

    Raises:
        EconError: not downloaded, changed since, cut with another ``data.train_share``, or nothing in it.
    """
    benchmark = spec(name, params)
    record = manifest(name)
    again = f"run: econ download --benchmark {name}"
    if benchmark.partitioned and record["train_share"] != params.data.train_share:
        raise EconError(
            f"{name} was cut with train_share {record['train_share']}, params say {params.data.train_share}",
            again,
        )
    sha256 = record["splits"][split]["sha256"]
    problems = _read(paths.problems(name, split), benchmark.kind, sha256, again)
    wanted = params.data.train_problems if split == "train" else params.data.test_problems
    if not problems:
        raise EconError(f"{name} has no {split} problems", "see data.train_share")
    seed = params.data.sample_seed
    problems.sort(key=lambda problem: (stable_seed(name, split, seed, problem.id), problem.id))
    chosen = problems[:wanted]
    if benchmark.kind != "plan":
        return chosen
    return [fit(problem, params.data.reference_tokens) for problem in chosen]


def _read(path: Path, kind: str, sha256: str, again: str) -> list[Problem]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise EconError(f"{path} does not exist", again) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise EconError(
            f"{path} has changed since it was downloaded (its sha256 is not the manifest's)", again
        )
    return [Problem(**{**orjson.loads(line), "kind": kind}) for line in content.splitlines()]
