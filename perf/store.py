"""The store of paid answers, over both engines: how fast it keeps and finds, and how it grows.

    python perf/store.py speed [20000]     # answers kept and looked up per second, by one process and by two
    python perf/store.py growth [1000000]  # the store of a long run: time of a lookup, size, deleting, export

PostgreSQL is a private server of the machine's own binaries, which waits for its disk as real ones do; it is
left out where there is none. ``--engine`` names one. Lookups are one by one, and as jobs make them: many side
by side (64 here), which a server is asked for together.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from econ.llm.cache.admin import Ledger
from econ.llm.cache.rows import Answer, digest
from econ.llm.cache.store import Cache
from tests.postgres import binaries, serving

BLOCK = 1000  # answers that wait together
VECTORS = 10  # answers to one embedding of 384 numbers
WORDS = (
    "apples",
    "Tom",
    "buys",
    "gives",
    "has",
    "how",
    "many",
    "more",
    "each",
    "half",
    "twice",
    "left",
    "so",
)
BESIDE = 64  # lookups side by side
ENGINES = ("sqlite", "postgres")


@contextmanager
def store(engine: str) -> Iterator[str | None]:
    """A project folder to work in, and the URL of its store."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            if engine == "sqlite":
                yield None
            else:
                with serving(durable=True) as server:
                    yield server.fresh()
        finally:
            os.chdir(before)


def answer(number: int) -> Answer:
    """As long as answers are that reason in 60 words."""
    said = " ".join(random.Random(number).choices(WORDS, k=60))
    return Answer(said, "stop", 90, 60, False, f"svamp/x-n3-s0 executor {number % 3} 0", "p", "m", 1e-4)


async def fill(cache: Cache, numbers: range) -> None:
    """Answers, a block in flight together, and embeddings of some."""
    for first in range(numbers.start, numbers.stop, BLOCK):
        block = range(first, min(first + BLOCK, numbers.stop))
        await asyncio.gather(*(cache.put(digest({"n": number}), answer(number)) for number in block))
        rows = [(digest({"v": n}), random.Random(n).randbytes(1536)) for n in block if n % VECTORS == 0]
        cache.put_facts("embedding", rows)


def look(cache: Cache, numbers: list[int]) -> tuple[float, float]:
    """Answers found per second: one by one, and side by side."""
    keys = [digest({"n": number}) for number in numbers]

    async def beside() -> None:
        for first in range(0, len(keys), BESIDE):
            found = await asyncio.gather(*(cache.look(key) for key in keys[first : first + BESIDE]))
            assert None not in found

    started = time.perf_counter()
    assert all(cache.get(key) is not None for key in keys)
    middle = time.perf_counter()
    asyncio.run(beside())
    return len(keys) / (middle - started), len(keys) / (time.perf_counter() - middle)


def one(url: str | None, first: int, last: int) -> None:
    """What a process of its own does: keep so many answers, then find them."""
    with closing(Cache(url=url)) as cache:
        started = time.perf_counter()
        asyncio.run(fill(cache, range(first, last)))
        kept = (last - first) / (time.perf_counter() - started)
        print(kept, *look(cache, random.Random(0).sample(range(first, last), last - first)))


def speed(engine: str, number: int) -> None:
    with store(engine) as url:
        for processes in (1, 2):
            jobs = []
            for job in range(processes):
                first = number * (2 * processes + job)
                words = [sys.executable, __file__, "one", str(first), str(first + number), "--url", url or ""]
                jobs.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
            rates = [tuple(map(float, job.communicate()[0].split())) for job in jobs]
            kept, alone, beside = (sum(rate) for rate in zip(*rates, strict=True))
            told = (
                f"{kept:,.0f} answers/s kept; lookups/s: {alone:,.0f} one by one, {beside:,.0f} side by side"
            )
            print(f"{engine} {processes} process(es): {told}; load {os.getloadavg()[0]:.1f}", flush=True)


def growth(engine: str, number: int) -> None:
    generator = random.Random(0)
    with store(engine) as url:
        with closing(Cache(url=url)) as cache:
            done, step = 0, number // 4
            while done < number:
                started, cpu = time.perf_counter(), time.process_time()
                asyncio.run(fill(cache, range(done, done + step)))
                done += step
                seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
                alone, beside = look(cache, [generator.randrange(done) for _ in range(5000)])
                size = cache.store.size()
                print(f"{engine:8} {done:9,} answers: {size / 1e6:7,.0f} MB ({size / done:.0f} bytes each), "
                      f"{step / seconds:7,.0f} kept/s ({1e6 * cpu / step:.0f} us CPU each), lookups/s: "
                      f"{alone:7,.0f} one by one, {beside:7,.0f} side by side", flush=True)  # fmt: skip
        whole(engine, url)


def whole(engine: str, url: str | None) -> None:
    """What is done to the store as a whole, and how long it takes."""
    with closing(Ledger(url=url)) as ledger:
        timed(engine, "info", ledger.holdings)
        timed(engine, "export", lambda: ledger.export(Path("all.zst")))
        print(f"{engine:8} an export of {Path('all.zst').stat().st_size / 1e6:,.0f} MB", flush=True)
        gone = partial(ledger.prune, model="m", older_than_days=None, everything=False)
        timed(engine, "prune and vacuum", gone)
        print(f"{engine:8} {ledger.store.size() / 1e6:,.0f} MB are left", flush=True)
        timed(engine, "import", lambda: ledger.absorb(Path("all.zst")))


def timed(engine: str, what: str, work: object) -> None:
    started = time.perf_counter()
    assert callable(work)
    work()
    print(f"{engine:8} {what}: {time.perf_counter() - started:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["speed", "growth", "one"])
    parser.add_argument("numbers", nargs="*", type=int)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--url")
    chosen = parser.parse_args()
    if chosen.what == "one":
        one(chosen.url or None, *chosen.numbers)
        return
    run, default = {"speed": (speed, 20_000), "growth": (growth, 1_000_000)}[chosen.what]
    for engine in [chosen.engine] if chosen.engine else ENGINES:
        if engine == "postgres" and binaries() is None:
            print("no PostgreSQL server is installed here", file=sys.stderr)
            continue
        run(engine, *(chosen.numbers or [default]))


if __name__ == "__main__":
    main()
