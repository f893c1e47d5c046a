"""What the LLM client costs: makespan against the ideal, and CPU per call against bare aiohttp.

    python perf/llm_client.py makespan            # 200 ms per answer, 64 in flight, 2,600 calls
    python perf/llm_client.py cpu                 # zero latency, CPU seconds of this process per call
    python perf/llm_client.py cache               # lookups and keeping per second
    python perf/llm_client.py memory              # of the client over 20,000 calls

Calls are those of ECON inference on 200 problems (N = 3, 3 rounds, guards off: 1 + 3 * 4 = 13 each): a
strategy, then three times three answers and a commitment, all problems in flight together. The server is a
process of its own. Variants run interleaved, each in a fresh project folder; inspect_ai is measured where it
is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PROBLEMS, IN_FLIGHT, LATENCY = 200, 64, 0.2
CALLS = PROBLEMS * 13
PROMPT = "Problem {0}: Tom has {0} apples and buys 4 more. He gives some to Ann. How many has he now? " * 6
Ask = Callable[[str, int, int], Awaitable[str]]


async def episodes(ask: Ask, problems: range) -> list[object]:
    """ECON's calls over all problems at once, and one trace line per problem."""

    async def episode(problem: int) -> object:
        from econ.records import to_json

        calls = [await ask("coordinator", problem, 0)]
        for k in range(3):
            calls += await asyncio.gather(*(ask("executor", problem, 1 + 4 * k + i) for i in range(3)))
            calls.append(await ask("coordinator", problem, 4 + 4 * k))
        return [to_json(call) for call in calls if not isinstance(call, str)]

    return await asyncio.gather(*(episode(problem) for problem in problems))


async def bare(url: str, problems: range) -> None:
    """An aiohttp loop with one queue, nothing else."""
    import aiohttp

    turn = asyncio.Semaphore(IN_FLIGHT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(role: str, problem: int, number: int) -> str:
            body = {"model": "m", "messages": [{"role": "user", "content": PROMPT.format(problem)}],
                    "seed": number}  # fmt: skip
            async with turn, session.post(f"{url}/chat/completions", json=body) as answer:
                data = await answer.json()
                return str(data["choices"][0]["message"]["content"])

        await episodes(ask, problems)


def econ(backend: str) -> Callable[[str, range], Awaitable[None]]:
    async def run(url: str, problems: range) -> None:
        from econ.llm import open_client
        from econ.params import Params
        from econ.records import Request, Sampling

        os.environ.setdefault("TOGETHER_API_KEY", "none")
        llm = {"backend": backend, "base_url": url, "coordinator": "m", "executors": ["m"],
               "max_in_flight": IN_FLIGHT}  # fmt: skip
        async with open_client(Params.model_validate({"llm": llm})) as client:

            async def ask(role: str, problem: int, number: int) -> str:
                message = {"role": "user", "content": PROMPT.format(problem)}
                sampling = Sampling(0.7, 0.9, 1.1, 64)
                call = await client.complete(Request(role, number, number, "m", (message,), sampling, number))
                assert call.ok, call.error
                return call  # type: ignore[return-value]

            await episodes(ask, problems)

    return run


async def inspect(url: str, problems: range) -> None:
    """The same calls through inspect_ai's model API."""
    from inspect_ai.model import GenerateConfig, get_model

    model = get_model("openai-api/local/m", base_url=url, api_key="none",
                      config=GenerateConfig(max_connections=IN_FLIGHT))  # fmt: skip

    async def ask(role: str, problem: int, number: int) -> str:
        answer = await model.generate(PROMPT.format(problem), config=GenerateConfig(seed=number))
        return answer.completion

    await episodes(ask, problems)


VARIANTS = {"aiohttp": bare, "openai": econ("openai"), "together": econ("together")}
if find_spec("inspect_ai"):
    VARIANTS["inspect_ai"] = inspect


def measure(name: str, url: str, problems: int) -> dict[str, float]:
    """Wall and CPU seconds of one variant in a process of its own, imports and first connections aside."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "ECON_HOME": folder}
        command = [sys.executable, __file__, "one", name, url, str(problems)]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def one(name: str, url: str, problems: int) -> None:
    """Run a variant with two problems for the set-up, then measure ``problems`` more."""

    async def run() -> dict[str, float]:
        await VARIANTS[name](url, range(-2, 0))
        cpu, wall = time.process_time(), time.perf_counter()
        await VARIANTS[name](url, range(problems))
        return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}

    print(json.dumps(asyncio.run(run())))


@contextmanager
def serving(latency: float) -> Iterator[str]:
    """The address of a fake server in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.llm.fake_server", str(latency)], cwd=REPOSITORY, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()


def compare(latency: float, problems: int, rounds: int) -> None:
    """The best of some interleaved rounds of every variant."""
    ideal = latency * problems * 13 / IN_FLIGHT
    best: dict[str, dict[str, float]] = {}
    with serving(latency) as url:
        for _ in range(rounds):
            for name in VARIANTS:
                found = measure(name, url, problems)
                kept = best.setdefault(name, found)
                best[name] = {key: min(kept[key], found[key]) for key in found}
    for name, found in best.items():
        per_call = 1000 * found["cpu"] / (13 * problems)
        walls, cpus = (found[key] / best["aiohttp"][key] for key in ("wall", "cpu"))
        bound = f"{found['wall'] / ideal:.3f} x ideal, " if ideal else ""
        print(f"{name:12} wall {found['wall']:7.2f} s: {bound}{walls:.3f} x aiohttp;   "
              f"CPU {per_call:.3f} ms/call: {cpus:.2f} x aiohttp")  # fmt: skip
    print(f"load of the machine {os.getloadavg()[0]:.1f}")


def cache() -> None:
    """Keep 20,000 answers and look them up again."""
    from econ.llm.cache.rows import Answer, digest
    from econ.llm.cache.store import Cache

    async def run() -> None:
        store = Cache(Path("cache"))
        keys = [digest({"n": n}) for n in range(20_000)]
        started = time.perf_counter()
        for block in range(0, len(keys), 1000):
            text = "The answer is 42. " * 10
            await asyncio.gather(*(
                store.put(key, Answer(f"{text} {block}", "stop", 90, 60, False, "svamp/x 0 0", "p", "m"))
                for key in keys[block : block + 1000]
            ))  # fmt: skip
        kept = time.perf_counter() - started
        started = time.perf_counter()
        assert all(store.get(key) for key in keys)
        looked = time.perf_counter() - started
        store.close()  # which merges what was written into the main file
        size = store.store.path.stat().st_size / len(keys)
        print(f"kept {len(keys) / kept:,.0f}/s, looked up {len(keys) / looked:,.0f}/s, {size:.0f} bytes each")

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        asyncio.run(run())


def memory() -> None:
    """Peak memory of this process as calls go through the client."""

    async def run(url: str) -> None:
        for last in range(100, 1601, 100):
            await VARIANTS["openai"](url, range(last - 100, last))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            if last in (100, 400, 800, 1600):
                print(f"{13 * last:6,} calls: {peak:.0f} MB")

    with tempfile.TemporaryDirectory() as folder, serving(0.0) as url:
        os.environ["ECON_HOME"] = folder
        os.chdir(folder)
        asyncio.run(run(url))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["makespan", "cpu", "cache", "memory", "one"])
    parser.add_argument("rest", nargs="*")
    chosen = parser.parse_args()
    if chosen.what == "one":
        one(chosen.rest[0], chosen.rest[1], int(chosen.rest[2]))
    elif chosen.what == "makespan":
        compare(LATENCY, PROBLEMS, rounds=2)
    elif chosen.what == "cpu":
        compare(0.0, PROBLEMS, rounds=3)
    else:
        {"cache": cache, "memory": memory}[chosen.what]()


if __name__ == "__main__":
    main()
