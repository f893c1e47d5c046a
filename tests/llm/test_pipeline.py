"""Commands against a server that fails, and killed: the results are those of an undisturbed run.

``perf/chaos.py`` does the same with the whole pipeline, every failure and many kills.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import orjson
import pytest
import yaml
from click.testing import CliRunner

from econ.cli import group
from econ.llm.cache.admin import Ledger
from tests.llm.conftest import params_for
from tests.llm.fake_server import Body, FakeServer, no_fault

REPOSITORY = Path(__file__).parents[2]
JOBS = [["--benchmark", "svamp", "--n-agents", "3", "--method", method] for method in ("debate", "cot")]
IN_FLIGHT = 4


@pytest.fixture
def server(project: Path) -> Iterator[FakeServer]:
    """A server and a project that uses it, with the problems there."""

    def answer(body: Body) -> str:
        return f"{crc32(repr(body).encode())}. Final answer: {body['seed'] % 9}"

    with FakeServer(answer) as running:
        llm = params_for(running.url, max_in_flight=IN_FLIGHT, dialect="vllm").model_dump(mode="json")["llm"]
        settings = {
            "benchmarks": ["svamp"], "n_agents": [3], "methods": ["debate", "cot"], "llm": llm,
            "data": {"source": "shipped", "train_problems": 1, "test_problems": 6},
        }  # fmt: skip
        (project / "params.yaml").write_text(yaml.safe_dump(settings))
        run("download")
        yield running


def results() -> dict[str, bytes]:
    files = [path for path in sorted(Path("results").rglob("*")) if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def play() -> dict[str, bytes]:
    for job in JOBS:
        run("debate", *job)
    return results()


def test_failures_that_pass_change_nothing_and_lasting_ones_leave_a_job_incomplete(
    server: FakeServer, quick: None
) -> None:
    clean = play()
    generator = random.Random(5)
    names = ["429", "500", "drop", "truncated", "not-json", "no-choices", "empty"]

    def mixed(body: Body, attempt: int) -> str | None:
        return generator.choice(names) if generator.random() < 0.2 and attempt < 3 else None

    server.faults = mixed
    Ledger().prune(model="fake", older_than_days=None, everything=False)
    server.log.clear()
    assert play() == clean
    assert sum(seen.fault is not None for seen in server.log) > 10

    [one, two, *_] = clean["results/traces/svamp/cot-n3-s0.jsonl"].splitlines()
    lost = [orjson.loads(line)["calls"][0]["messages"] for line in (one, two)]
    server.faults = lambda body, attempt: "500" if body["messages"] in lost else mixed(body, attempt)
    Ledger().prune(model="fake", older_than_days=None, everything=False)
    shutil.rmtree("results")
    for job in JOBS:
        done = CliRunner().invoke(group, ["debate", *job])
        assert done.exit_code == 1
        assert "calls got no answer (http 500: " in str(done.exception)
    assert not list(Path("results").rglob("*-n3-s0.json*"))
    server.faults = no_fault
    server.log.clear()
    assert play() == clean
    asked = [seen.body["messages"] for seen in server.log]
    assert all(
        messages[: len(first)] == first for messages in asked for first in lost if messages[0] == first[0]
    )
    assert {first[0]["content"] for first in lost} == {messages[0]["content"] for messages in asked}


def test_jobs_that_are_killed_pay_for_nothing_twice_and_end_alike(server: FakeServer) -> None:
    clean = play()
    Ledger().prune(model="fake", older_than_days=None, everything=False)
    for path in results():
        Path(path).unlink()
    server.faults, server.latency = no_fault, 0.1
    server.log.clear()
    generator, kills = random.Random(3), 3
    for _ in range(kills):
        started = jobs()
        moment = time.monotonic() + 20
        before = server.served
        while server.served < before + generator.randrange(4, 24) and time.monotonic() < moment:
            time.sleep(0.02)
        for process in started:
            process.send_signal(signal.SIGKILL)
        for process in started:
            process.wait()
    torn = Path("results/traces/svamp/.cot-n3-s0.jsonl.killed")  # what a kill in the middle of a write leaves
    torn.parent.mkdir(parents=True, exist_ok=True)
    torn.write_bytes(b"half")
    assert [process.wait() for process in jobs()] == [0, 0]
    asked = Counter(orjson.dumps(seen.body) for seen in server.log)
    assert sum(asked.values()) - len(asked) <= kills * IN_FLIGHT
    assert results() == clean


def test_a_replay_makes_no_connection_and_the_same_bytes(
    server: FakeServer, vectors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = yaml.safe_load(Path("params.yaml").read_text())
    settings |= {"methods": ["econ-baseline", "econ-bne", "debate", "cot"], "train": {"episodes": 2}}
    Path("params.yaml").write_text(yaml.safe_dump(settings))
    shutil.copytree(REPOSITORY / "data/paper", "data/paper")

    def everything(*options: str) -> dict[str, bytes]:
        shutil.rmtree("results", ignore_errors=True)
        job = ["--benchmark", "svamp", "--n-agents", "3", *options]
        run("train", *job)
        for method in settings["methods"]:
            run("evaluate" if method.startswith("econ") else "debate", *job, "--method", method)
        run("aggregate")
        files = [path for path in sorted(Path("results").rglob("*")) if path.is_file()]
        return {str(path): path.read_bytes() for path in files}

    first, asked = everything(), len(server.log)
    attempts: list[object] = []
    monkeypatch.setattr("socket.socket.connect", lambda _, address: attempts.append(address))
    for options in ([], ["--offline"]):
        attempts.clear()
        again = everything(*options)
        assert len(server.log) == asked  # at its start a run looks at the server, if it can be reached
        assert attempts == [] or not options
        assert [name for name in first if again[name] != first[name]] == []


def run(*command: str) -> None:
    done = CliRunner().invoke(group, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output


def jobs() -> list[subprocess.Popen[bytes]]:
    """Both jobs, side by side."""
    return [
        subprocess.Popen(
            [sys.executable, "-m", "econ", "debate", *job], stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        for job in JOBS
    ]  # fmt: skip
