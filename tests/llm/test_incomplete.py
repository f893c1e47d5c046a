"""A job is finished or it is not: what a server refuses ends it, and the same command goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from econ.cli import group
from econ.errors import EconError
from econ.llm.complete import Completeness
from econ.records import Call, Sampling
from tests.llm.fake_server import Body, FakeServer, echo, no_fault

pytestmark = pytest.mark.usefixtures("vectors")
REPOSITORY = str(Path(__file__).parents[2])
JOB = ["--benchmark", "svamp", "--n-agents", "3"]


def solved(body: Body) -> str:
    return f"I think so, as {echo(body)}. Final answer: {len(str(body)) + body['seed'] % 7}"


@pytest.fixture
def server(project: Path) -> Iterator[FakeServer]:
    with FakeServer(solved) as server:
        llm = {
            "backend": "openai", "base_url": server.url, "coordinator": "fake", "executors": ["fake"],
            "max_in_flight": 8, "patience_seconds": 2, "max_retries": 1,
        }  # fmt: skip
        settings = {
            "benchmarks": ["svamp"], "n_agents": [3], "methods": ["econ-bne", "debate", "cot"], "llm": llm,
            "data": {"source": "shipped", "train_problems": 4, "test_problems": 6}, "train": {"episodes": 4},
        }  # fmt: skip
        Path("params.yaml").write_text(yaml.safe_dump(settings))
        assert run("download").exit_code == 0
        yield server


def run(*command: str) -> Result:
    return CliRunner().invoke(group, command)


def outputs() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path("results").rglob("*")) if path.is_file()}


@pytest.mark.parametrize("job", [["debate", *JOB, "--method", "debate"], ["train", *JOB]])
def test_credit_that_runs_out_ends_the_job_and_after_the_top_up_only_the_rest_is_paid(
    server: FakeServer, job: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(*job).exit_code == 0
    undisturbed, all_paid = outputs(), server.served
    again = tmp_path / "again"
    again.mkdir()
    (again / "params.yaml").write_text(Path("params.yaml").read_text())
    monkeypatch.chdir(again)
    run("download")
    server.served, credit = 0, all_paid // 2
    server.faults = lambda body, attempt: "402" if server.served >= credit else None
    done = run(*job)
    assert done.exit_code == 1
    assert isinstance(done.exception, EconError | ExceptionGroup)
    assert not list(Path("results").rglob("last.safetensors")) + list(Path("results").rglob("*-n3-s0.json"))
    server.faults = no_fault
    assert run(*job).exit_code == 0
    assert server.served == all_paid
    assert outputs() == undisturbed


@pytest.mark.parametrize("status", ["404", "402", "410", "401"])
def test_a_server_that_refuses_everything_leaves_no_results(server: FakeServer, status: str) -> None:
    server.faults = lambda body, attempt: status
    for job in (["train", *JOB], ["debate", *JOB, "--method", "cot"]):
        assert run(*job).exit_code == 1
    assert not list(Path("results").rglob("*.json*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_keeps_what_is_on_the_wire(server: FakeServer, number: int) -> None:
    server.latency = 1.0
    job = subprocess.Popen(
        [sys.executable, "-m", "econ", "debate", *JOB, "--method", "debate"],
        env={**os.environ, "PYTHONPATH": REPOSITORY}, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # a background shell ignores Ctrl-C
    )  # fmt: skip
    while server.in_flight < 8:
        time.sleep(0.02)
    job.send_signal(number)
    _, told = job.communicate(timeout=60)
    assert job.returncode == 128 + number
    assert told.count("error:") == 1
    paid = server.served
    assert paid == 8
    server.latency = 0.0
    assert run("debate", *JOB, "--method", "debate").exit_code == 0
    assert server.served == len({str(seen.body) for seen in server.log})  # nothing was paid twice


def call(error: str | None) -> Call:
    return Call("solver", 0, 0, "m", (), Sampling(0, 1, 1, 1), 0, 0, "", 0, 0, False, error)


@pytest.mark.parametrize(
    ("errors", "share", "complete"),
    [
        ([None] * 10, 0.0, True),
        ([None] * 99 + ["http 500"], 0.0, False),
        ([None] * 49 + ["http 500"], 0.02, True),
        ([None] * 48 + ["http 500"], 0.02, False),
        (["thinking reached its cap"] * 10, 0.0, True),
        (["empty answer", "context overflow", "refused by the model: no"], 0.0, True),
        (["stopped by the provider's content filter"], 0.0, True),
        (["timeout"], 1.0, True),
    ],
)
def test_calls_that_failed_count_and_answers_that_are_none_do_not(
    errors: list[str | None], share: float, complete: bool
) -> None:
    counted = Completeness("svamp/cot-n3-s0", "llm.failed_share.answers", share)
    counted.add(map(call, errors))
    if complete:
        counted.demand()
    else:
        with pytest.raises(EconError, match=r"incomplete: 1 of .* allows"):
            counted.demand()
