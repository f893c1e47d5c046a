"""Several processes at once: shared limits, shared answers, and kills."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from econ.llm.cache.limiter import Files
from econ.llm.cache.rows import Answer, digest
from econ.llm.cache.store import Cache
from econ.llm.limits import Pace
from tests.llm.fake_server import FakeServer

REPOSITORY = Path(__file__).parents[2]
JOB = """
import asyncio, sys, orjson
from econ.llm import open_client, current_job
from econ.params import Params
from tests.llm.conftest import request
async def main(settings, first, last):
    current_job.set("job")
    async with open_client(Params.model_validate({"llm": settings})) as client:
        calls = await asyncio.gather(*(client.complete(request(n)) for n in range(first, last)))
        print(orjson.dumps([call.text for call in calls]).decode())
asyncio.run(main(orjson.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
"""


def job(server: FakeServer, first: int, last: int, **llm: object) -> subprocess.Popen[str]:
    settings = {
        "backend": "openai",
        "base_url": server.url,
        "coordinator": "fake",
        "executors": ["fake"],
        **llm,
    }
    return subprocess.Popen(
        [sys.executable, "-c", JOB, orjson.dumps(settings).decode(), str(first), str(last)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    answers: list[str] = orjson.loads(out)
    return answers


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(latency=0.05) as running:
        yield running


def test_two_jobs_never_pay_for_the_same_request(server: FakeServer) -> None:
    one, two = job(server, 0, 60, max_in_flight=16), job(server, 0, 60, max_in_flight=16)
    assert finished(one) == finished(two)
    assert server.served == 60


def test_calls_in_flight_are_limited_over_all_jobs(server: FakeServer) -> None:
    jobs = [job(server, 40 * n, 40 * (n + 1), max_in_flight=6) for n in range(2)]
    assert all(len(finished(process)) == 40 for process in jobs)
    assert server.most_in_flight <= 6


def test_requests_per_minute_are_limited_over_all_jobs(server: FakeServer) -> None:
    """1200 a minute are 20 a second: no window of a second may hold more, whoever sent them."""
    limits = {"requests_per_minute": 1200}
    jobs = [job(server, 25 * n, 25 * (n + 1), limits=limits) for n in range(2)]
    for process in jobs:
        finished(process)
    times = sorted(seen.time for seen in server.log)
    spread = times[-1] - times[0]
    assert spread >= 49 / 20 * 0.95


async def test_a_pace_holds_its_rate_and_forgets_idle_time(tmp_path: Path) -> None:
    pace = Pace(Files(tmp_path, 1), "pace", per_minute=6000)
    started = time.monotonic()
    for _ in range(20):
        await pace.take()
    assert time.monotonic() - started >= 19 * 0.01


def test_the_budget_is_one_for_all_jobs(server: FakeServer) -> None:
    jobs = [job(server, 100 * n, 100 * n + 30, budget={"calls": 25}, max_in_flight=4) for n in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in jobs]
    assert server.served == 25
    assert any("llm.budget.calls is 25" in error for error in errors)


def test_kills_cost_no_more_than_the_calls_in_flight(server: FakeServer) -> None:
    """Two jobs, killed at random moments (ECON_TEST_KILLS of them) and started again until they end."""
    generator, in_flight, kills = random.Random(3), 4, int(os.environ.get("ECON_TEST_KILLS", "3"))
    killed = 0
    while killed < kills:
        jobs = [job(server, 0, 150, max_in_flight=in_flight), job(server, 100, 250, max_in_flight=in_flight)]
        time.sleep(generator.uniform(0.5, 1.1))
        for process in jobs:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        killed += 1
    answers = finished(job(server, 0, 250, max_in_flight=64))
    paid = Counter(seen.body["messages"][0]["content"] for seen in server.log)
    assert len(paid) == len(set(answers)) == 250
    assert sum(paid.values()) - 250 <= kills * in_flight


async def test_answers_survive_many_writers(tmp_path: Path) -> None:
    caches = [Cache(tmp_path), Cache(tmp_path)]
    answer = Answer("text", "stop", 1, 1, False, "job", "fake", "model")
    for number in range(50):
        await caches[number % 2].put(digest({"n": number}), answer)
    assert all(caches[0].get(digest({"n": number})) == answer for number in range(50))
    for cache in caches:
        cache.close()
