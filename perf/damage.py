"""One bit flipped at many places of every artefact: is it noticed, and is all else still there?

    python perf/damage.py [--places 400] [--seed 0]

Works in a folder of its own, on SIMULATED results. Of the call cache, whose database has unused bytes on its
pages, a place counts as unused where every row still reads as before; any other must be noticed, and no row
may ever read as another than it was.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from econ import paths
from econ.equilibrium import checkpoint
from econ.equilibrium.learner import Learner
from econ.errors import EconError
from econ.llm.cache import repair
from econ.llm.cache.rows import Answer
from econ.llm.cache.store import Cache
from econ.params import Params
from econ.records import Job
from econ.reporting import catalogue, manifest, results, show
from econ.reporting.gather import gather
from econ.reporting.tables.build import build
from tests.reporting.synthetic import write_run

ROOT = Path(__file__).parents[1]
SMALL: dict[str, Any] = {"benchmarks": ["svamp"], "n_agents": [3], "methods": ["econ-bne", "cot"]}
JOB = Job("svamp", "cot", 3, 0)
CHECKPOINT = Path("results/checkpoints/svamp/n3-s0/last.safetensors")
CACHE = Path(".econ/cache")
DATABASE = CACHE / "answers.sqlite"


@contextmanager
def flipped(path: Path, rng: random.Random) -> Iterator[None]:
    """The file with one bit changed, somewhere."""
    before = path.read_bytes()
    place, bit = rng.randrange(len(before)), rng.randrange(8)
    after = bytearray(before)
    after[place] ^= 1 << bit
    path.write_bytes(after)
    try:
        yield
    finally:
        path.write_bytes(before)


def make(folder: Path, problems: int = 20, rows: int = 400) -> None:
    """Traces, metrics, tables, a checkpoint and a cache, below the current folder."""
    shutil.copytree(ROOT / "data/paper", "data/paper")
    params, file = write_run(folder, problems, simulated=True, **SMALL)
    found = gather(params, file)
    frames = build(found, params)
    for name, table in catalogue.tables(params).items():
        show.write(name, table, frames[name])
    manifest.write(found, params)
    network = {"belief_dim": 8}
    own = Params.model_validate({"network": network, "llm": {"backend": "simulated"}})
    learner = Learner(3, 16, own, 0)
    header = checkpoint.Header("svamp", 3, 0, 16, own.model_dump(mode="json"), (0.4, 0.4, 0.2), 0, 0, True, 1)
    checkpoint.save_weights(CHECKPOINT, checkpoint.Weights.of(learner, 0), header)
    asyncio.run(_fill(rows))


async def _fill(rows: int) -> None:
    cache, rng = Cache(CACHE), random.Random(1)
    for number in range(rows):
        text = " ".join(f"{rng.random():.6f}" for _ in range(rng.randrange(1, 40)))
        answer = Answer(text, "stop", number, 20, False, "svamp/cot-n3-s0 1", "openai", "model", 0.01)
        await cache.put(rng.randbytes(32), answer)
    cache.put_facts("embedding", [(rng.randbytes(32), rng.randbytes(256)) for _ in range(rows // 4)])
    cache.close()
    with closing(sqlite3.connect(DATABASE)) as db:
        db.execute("PRAGMA journal_mode=DELETE")  # all in one file


def noticed(check: Callable[[], object], remake: str) -> bool:
    """Whether reading ends in one line that says what makes it again."""
    try:
        check()
    except EconError as fault:
        return remake in str(fault)
    return False


def contents() -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(DATABASE)) as db:
        tables = ("answers", "facts", "fact_sums", "spent")
        return {name: db.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables}  # noqa: S608


def cache_outcome(whole: dict[str, list[tuple[object, ...]]]) -> str:
    """``noticed`` (others kept), ``unused``, or what went wrong."""
    try:
        same = contents() == whole
    except (sqlite3.Error, UnicodeDecodeError):
        same = False
    try:
        health = repair.look(CACHE)
    except EconError:
        return "noticed"
    if not health.ill:
        return "unused" if same else "NOT NOTICED"
    return "noticed"


def served_wrong(whole: dict[str, Answer]) -> int:
    """How many keys read as another answer than they had."""
    try:
        cache = Cache(CACHE)
    except EconError:
        return 0
    wrong = 0
    for key, answer in whole.items():
        try:
            found = cache.get(bytes.fromhex(key))
        except EconError:
            continue
        wrong += found is not None and found != answer
    cache.close()
    return wrong


def answers() -> dict[str, Answer]:
    cache = Cache(CACHE)
    keys = [row[0] for row in cache.store.rows("SELECT key FROM answers")]
    found = {key.hex(): answer for key in keys if (answer := cache.get(key)) is not None}
    cache.close()
    return found


CHECKS: dict[str, tuple[Path, Callable[[], object], str]] = {
    "metrics": (paths.metrics(JOB), lambda: results.metrics(JOB), "econ evaluate --benchmark svamp"),
    "trace": (paths.trace(JOB), lambda: list(results.rows(JOB, results.metrics(JOB))), "econ evaluate"),
    "checkpoint": (CHECKPOINT, lambda: checkpoint.read(CHECKPOINT), "econ train"),
    "table": (paths.TABLES / "accuracy.csv", lambda: show.read("accuracy"), "econ aggregate"),
    "table (md)": (
        paths.TABLES / "accuracy.md",
        lambda: manifest.table(paths.TABLES / "accuracy.md"),
        "econ aggregate",
    ),
    "manifest": (manifest.PATH, manifest.read, "econ aggregate"),
}


def try_files(places: int, seed: int) -> Counter[str]:
    """Places that were noticed, by kind."""
    found: Counter[str] = Counter()
    for kind, (path, check, remake) in CHECKS.items():
        rng = random.Random(f"{kind} {seed}")
        for _ in range(places):
            with flipped(path, rng):
                found[kind] += noticed(check, remake)
        check()
    return found


def try_cache(places: int, seed: int) -> Counter[str]:
    """Places of the cache's file, by what came of them."""
    rng, whole, known = random.Random(seed), contents(), answers()
    with closing(sqlite3.connect(DATABASE)) as db:
        db.execute("PRAGMA journal_mode=DELETE")
    found: Counter[str] = Counter()
    for _ in range(places):
        with flipped(DATABASE, rng):
            found[cache_outcome(whole)] += 1
            found["served as another"] += served_wrong(known)
        for end in ("-wal", "-shm"):
            Path(f"{DATABASE}{end}").unlink(missing_ok=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--places", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make(Path(folder))
        print(f"places tried in each: {options.places}")
        for kind, number in try_files(options.places, options.seed).items():
            print(f"  {kind}: {number} noticed")
        for outcome, number in try_cache(options.places, options.seed).items():
            print(f"  cache: {number} {outcome}")


if __name__ == "__main__":
    main()
