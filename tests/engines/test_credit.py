"""A server that refuses in the middle of a Snakemake run: the same command pays for the rest alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.conftest import Project, lay_out
from tests.llm.fake_server import Body, FakeServer, echo, no_fault

METHODS = ("debate", "cot")  # a training that stops so: tests/llm/test_incomplete.py
KEPT = ("results/traces", "results/metrics")
TARGET = "evaluate_svamp"


def solved(body: Body) -> str:
    return f"I think so, as {echo(body)}. Final answer: {len(str(body)) + body['seed'] % 7}"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(solved, keep_log=False) as server:
        yield server


def project(folder: Path, server: FakeServer) -> Project:
    """A project whose models are the server's, all at one benchmark."""
    folder.mkdir()
    made = lay_out(folder)
    made.environment["ECON_HOME"] = str(folder / "home")
    command = folder / "bin" / "econ"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\nexec python -m econ "$@"\n')
    command.chmod(0o755)
    made.params(
        benchmarks=["svamp"],
        methods=list(METHODS),
        data={"source": "shipped", "test_problems": 6},
        llm={
            "backend": "openai", "base_url": server.url, "coordinator": "fake", "executors": ["fake"],
            "max_in_flight": 4, "patience_seconds": 5, "max_retries": 1, "structured": False,
        },
    )  # fmt: skip
    return made


def results(project: Project) -> dict[str, bytes]:
    files = [path for kept in KEPT for path in sorted((project.folder / kept).rglob("*")) if path.is_file()]
    return {str(path.relative_to(project.folder)): path.read_bytes() for path in files}


def finished(project: Project) -> set[str]:
    """The jobs that an engine takes for done, by their metrics."""
    return {path.stem for path in (project.folder / "results/metrics").glob("*/*.json")}


def test_a_run_out_of_credit_goes_on_after_each_top_up_and_pays_for_the_rest_alone(
    tmp_path: Path, server: FakeServer
) -> None:
    undisturbed = project(tmp_path / "undisturbed", server)
    undisturbed.snakemake(TARGET)
    in_all, server.served = server.served, 0

    again = project(tmp_path / "again", server)
    done: list[set[str]] = []
    for credit in (in_all // 4, in_all * 3 // 4):
        server.faults = lambda body, attempt, credit=credit: "credit" if server.served >= credit else None
        ended = again.run("snakemake", "--cores", "2", TARGET)
        assert ended.returncode != 0
        assert "answers http 402: Insufficient credits. Add more. - top up" in ended.stderr
        assert server.served < in_all
        done.append(finished(again))
    assert done[0] <= done[1] < {f"{method}-n3-s0" for method in METHODS}

    server.faults = no_fault
    again.snakemake(TARGET)
    assert server.served == in_all
    assert results(again) == results(undisturbed)
    assert "Nothing to be done" in again.snakemake("-n", TARGET)


def test_a_server_that_knows_no_path_leaves_nothing(tmp_path: Path, server: FakeServer) -> None:
    server.faults = lambda body, attempt: "no path"
    refused = project(tmp_path / "refused", server)
    ended = refused.run("snakemake", "--cores", "2", "--keep-going", TARGET)
    assert ended.returncode != 0
    assert "answers http 404: Not Found - is llm.base_url right" in ended.stderr
    assert results(refused) == {}
