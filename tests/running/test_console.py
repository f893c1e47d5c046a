"""What a run says in a terminal and without one: a line per job, a total, and what is waited for."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest

from econ import paths
from econ.llm.activity import Activity, Totals
from econ.records import Tokens
from econ.running import console, run
from econ.running.console import Console
from econ.running.run import Begun, Run
from tests.reporting.synthetic import write_run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def job(what: str, rule: str = "evaluate", *outputs: str, since: float = 0.0, log: str = "") -> Begun:
    return Begun(what, rule, log, outputs, time.time() - since)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_job_that_ended_is_a_line_with_what_came_out(project: Path) -> None:
    write_run(project, 20, benchmarks=["svamp"], n_agents=[3], methods=["cot"])
    metrics = "results/metrics/svamp/cot-n3-s0.json"
    told, stream = Run(), io.StringIO()
    told.plan({"train": 1, "evaluate": 1, "all": 1})
    shown = Console(told, stream)
    shown.plan()
    told.begin(1, job("Evaluate cot", "evaluate", "results/traces/x.jsonl", metrics, since=12))
    told.begin(2, job("Train svamp", "train", log="results/logs/train.log"))
    for number, say in ((1, shown.ended), (2, shown.failed)):
        ended = told.end(number) if number == 1 else told.fail(number)
        assert ended is not None
        say(ended)
    shown.close()
    first, done, failed = stream.getvalue().splitlines()
    assert first == "3 jobs: 1 train, 1 evaluate"
    assert done.startswith("[1/3] Evaluate cot (12 s): ")
    assert "% [" in done
    assert "of 20, " in done
    assert "tokens a problem" in done
    assert failed == "FAILED Train svamp (0 s): results/logs/train.log"
    assert told.end(7) is None


def test_silence_is_broken_by_what_is_waited_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "SILENT", 0.0)
    Path("job.log").write_text("begun\nsvamp/cot: 3/40 problems\x1b[31m\n\n")
    told, stream = Run(), io.StringIO()
    told.plan({"evaluate": 2})
    told.begin(1, job("Evaluate cot", since=70, log="job.log"))
    shown = Console(told, stream)
    shown.say("begins")
    deadline = time.monotonic() + 10
    while "waiting" not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.05)
    shown.close()
    assert "; 0 of 2 jobs done, 1 at work; " in stream.getvalue()
    assert re.search(
        r"  waiting for Evaluate cot \(1:1\d\): svamp/cot: 3/40 problems\\x1b", stream.getvalue()
    )


def test_in_a_terminal_the_total_is_written_over(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, stream = Run(), Terminal()
    told.plan({"evaluate": 2})
    told.begin(1, job("Evaluate cot"))
    shown = Console(told, stream)
    while "\r" not in stream.getvalue():
        time.sleep(0.05)
    shown.say("a line that stays")
    shown.close()
    assert "\x1b[2Ka line that stays\n" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")


def test_the_time_left_is_by_the_jobs_of_the_same_rule() -> None:
    told = Run(started=time.time() - 100)
    told.plan({"train": 2, "evaluate": 10})
    assert told.left() is None
    for number, (rule, seconds) in enumerate([("train", 50), ("evaluate", 10)]):
        told.begin(number, job(rule, rule, since=seconds))
        told.end(number)
    assert told.left() == pytest.approx(50 + 9 * 10, abs=1)  # one at a time
    told.begin(9, job("train", "train", since=30))
    assert told.left() == pytest.approx(140 - 30, abs=1)
    told.running[9] = job("train", "train", since=1000)  # longer than all that was thought to be left
    assert told.left() is None


def test_what_jobs_spend_is_read_on(project: Path) -> None:
    started = time.time()
    first = Activity("a")
    spent = Totals(started)
    spent.update()
    assert spent.calls == 0
    for activity, calls in ((first, 2), (Activity("b"), 1)):
        for _ in range(calls):
            activity.begin()
            activity.answered(Tokens(10, 5), 0.25)
            activity.end()
        activity.close()
    with next(iter((paths.STATE / "activity").glob("*.jsonl"))).open("ab") as file:
        file.write(b'{"half a line')
    for _ in range(2):
        spent.update()
        assert (spent.calls, spent.tokens, spent.usd) == (3, 45, 0.75)
    late = Totals(time.time() + 60)
    late.update()
    assert late.calls == 0


def test_a_run_is_kept_for_who_watches(project: Path) -> None:
    told = Run()
    told.plan({"evaluate": 2})
    told.begin(1, job("Evaluate cot"))
    told.keep()
    assert b'"what":"Evaluate cot"' in run.FILE.read_bytes()
