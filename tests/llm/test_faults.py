"""The fault suite: what can be mended is mended and changes nothing, what cannot is INVALID and counted."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from econ.errors import EconError
from econ.llm import open_client
from econ.llm.faults import parse_retry_after
from econ.params import Params
from tests.llm.conftest import params_for, request
from tests.llm.fake_server import Body, FakeServer, echo
from tests.llm.test_client import ask

MENDABLE = ["429", "429-date", "500", "503", "drop", "truncated", "not-json", "no-choices", "empty"]
PERMANENT = {
    "500": "http 500", "429": "http 429", "drop": "connection dropped", "truncated": "malformed response",
    "not-json": "malformed response", "no-choices": "malformed response", "empty": "empty answer",
    "400": "http 400", "overflow": "context overflow",
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("fault", MENDABLE)
async def test_a_passing_fault_changes_nothing(fault: str) -> None:
    with FakeServer(faults=lambda body, attempt: fault if attempt == 0 else None) as server:
        calls = await ask(params_for(server.url), *(request(n) for n in range(5)))
    assert [call.error for call in calls] == [None] * 5
    assert len(server.log) == 10
    assert {call.text for call in calls} == {echo(seen.body) for seen in server.log}


async def test_other_faults_take_no_try_from_an_empty_answer() -> None:
    fails = ("500", "drop", "empty", "503", "empty")
    with FakeServer(faults=lambda body, attempt: fails[attempt] if attempt < 5 else None) as server:
        [call] = await ask(params_for(server.url), request())
    assert call.ok


@pytest.mark.parametrize(("fault", "reason"), PERMANENT.items())
async def test_a_lasting_fault_is_invalid_with_its_reason(fault: str, reason: str) -> None:
    def faults(body: Body, attempt: int) -> str | None:
        return fault if body["messages"][0]["content"] == "question 3" else None

    with FakeServer(faults=faults) as server:
        params = params_for(server.url, max_retries=2, patience_seconds=0.2)
        calls = await ask(params, *(request(n) for n in range(6)))
        tries = sum(seen.fault == fault for seen in server.log)
    assert [call.error for call in calls] == [None, None, None, reason, None, None]
    assert calls[3].text == ""
    assert tries == 1 if reason in ("http 400", "context overflow") else tries >= 3


async def test_a_hanging_answer_times_out() -> None:
    with FakeServer(faults=lambda body, attempt: "hang") as server:
        [call] = await ask(params_for(server.url, timeout_seconds=0.2, max_retries=1), request())
    assert call.error == "timeout"


async def test_an_answer_cut_at_its_cap_is_an_answer() -> None:
    with FakeServer(faults=lambda body, attempt: "length") as server:
        [call] = await ask(params_for(server.url), request())
    assert call.ok
    assert call.finish_reason == "length"
    assert call.text


@pytest.mark.parametrize("backend", ["openai", "together"])
async def test_mixed_faults_leave_the_result_of_a_faultless_run(
    backend: str, together: Callable[[str], Params], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt in five fails, in every way; three questions fail for good."""
    generator, lost = random.Random(7), {"question 11", "question 50", "question 99"}

    def faults(body: Body, attempt: int) -> str | None:
        if body["messages"][0]["content"] in lost:
            return "500"
        return generator.choice(MENDABLE) if generator.random() < 0.2 else None

    requests = [request(n) for n in range(150)]
    results = []
    for folder, scripted in (("clean", lambda body, attempt: None), ("faulty", faults)):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        with FakeServer(faults=scripted) as server:
            params = together(server.root) if backend == "together" else params_for(server.url)
            results.append(await ask(params, *requests))
    clean, faulty = results
    invalid = [call.messages[0]["content"] for call in faulty if not call.ok]
    assert sorted(invalid) == sorted(lost)
    assert all(a == b for a, b in zip(clean, faulty, strict=True) if b.ok)


async def test_a_lasting_failure_is_asked_again_by_the_next_run() -> None:
    broken = True
    with FakeServer(faults=lambda body, attempt: "500" if broken else None) as server:
        params = params_for(server.url, max_retries=1)
        [first] = await ask(params, request())
        broken = False
        [second] = await ask(params, request())
    assert (first.error, second.error) == ("http 500", None)


async def test_a_server_that_restarts_is_waited_for() -> None:
    server = FakeServer(latency=0.05)
    server.start()
    params = params_for(server.url, max_in_flight=4, patience_seconds=20)

    def restart() -> None:
        time.sleep(0.2)
        server.stop()
        time.sleep(0.5)
        server.start()

    thread = threading.Thread(target=restart)
    thread.start()
    calls = await ask(params, *(request(n) for n in range(60)))
    thread.join()
    server.stop()
    assert all(call.ok for call in calls)


async def test_a_dead_server_ends_the_run_with_one_line_and_keeps_the_rest() -> None:
    server = FakeServer()
    server.start()
    params = params_for(server.url, patience_seconds=0.3)
    await ask(params, request(0))
    server.stop()
    with pytest.raises(EconError, match=r"is gone for 0\.3 s \(connection refused\)"):
        await ask(params, *(request(n) for n in range(30)))
    [kept] = await ask(params, request(0), offline=True)
    assert kept.ok


async def test_a_refused_key_is_told_by_its_variable_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    server = FakeServer(faults=lambda body, attempt: "401")
    with server, pytest.raises(EconError, match="OPENAI_API_KEY") as told:
        await ask(params_for(server.url), request())
    assert server.log[0].authorization == "Bearer sk-very-secret"
    assert "sk-very-secret" not in str(told.value)


async def test_leaving_early_keeps_what_was_on_the_wire() -> None:
    with FakeServer(latency=0.3) as server:
        params = params_for(server.url, max_in_flight=4)
        async with open_client(params) as client:
            waiting = [asyncio.create_task(client.complete(request(n))) for n in range(20)]
            await asyncio.sleep(0.15)
            for task in waiting:
                task.cancel()
        assert server.served == 4
        assert all(call.ok for call in await ask(params, *(request(n) for n in range(4)), offline=True))


@pytest.mark.parametrize(
    ("header", "seconds"), [("1.5", 1.5), ("-1", 0.0), ("soon", None), (None, None),
                            ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds
