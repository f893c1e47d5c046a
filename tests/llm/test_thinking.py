"""Models that think: the thinking is kept and counted, and nobody grades, reads or hears it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from econ.llm import open_client
from econ.llm.cache import sums
from econ.methods.base import Session
from econ.methods.registry import baseline
from econ.records import Problem, Trace, to_json
from tests.llm.conftest import params_for, request
from tests.llm.fake_server import Body, FakeServer
from tests.llm.test_client import ask

PROBLEM = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many?", gold="7")
WAYS: list[Body] = [
    {"content": "Final answer: 7", "reasoning_content": "Perhaps 72?"},
    {"content": "Final answer: 7", "reasoning": "Perhaps 72?"},
    {"content": "<think>Perhaps 72?</think>Final answer: 7"},
    {
        "content": [
            {"type": "thinking", "thinking": "Perhaps 72?"},
            {"type": "text", "text": "Final answer: 7"},
        ]
    },
]


@pytest.mark.parametrize("said", WAYS)
async def test_thinking_is_in_the_trace_and_the_cache_and_apart_from_the_answer(said: Body) -> None:
    with FakeServer(lambda body: said) as server:
        params = params_for(server.url)
        [paid] = await ask(params, request())
    [kept] = await ask(params, request(), offline=True)
    assert paid == kept
    assert (paid.text, paid.thinking, paid.error) == ("Final answer: 7", "Perhaps 72?", None)
    assert b"Perhaps 72?" in to_json(paid)


@pytest.mark.parametrize("method", ["debate", "mad", "moa", "best-of-n"])
async def test_no_peer_is_sent_what_another_thought(method: str) -> None:
    with FakeServer(lambda body: WAYS[0]) as server:
        params = params_for(server.url)
        async with open_client(params) as client:
            session = Session(PROBLEM, client, params, n_agents=3, seed=0)
            solution = await baseline(method, params, PROBLEM.kind).solve(session)
    assert "72" not in solution.text
    assert all("72" not in str(seen.body["messages"]) for seen in server.log)
    assert all(call.thinking == "Perhaps 72?" for call in session.calls)


async def test_thinking_that_reached_its_cap_is_no_answer_and_asked_for_once() -> None:
    for said in (
        {"content": "<think>It is 7"},
        {"content": None, "reasoning": "7", "finish_reason": "length"},
    ):
        with FakeServer(lambda body, said=said: said) as server:  # type: ignore[misc]
            [call] = await ask(params_for(server.url), request())
            assert server.served == 1
        assert (call.text, call.error) == ("", "thinking reached its cap")
        assert call.thinking


async def test_thinking_counts_where_the_server_does_not_count() -> None:
    with FakeServer(lambda body: WAYS[0], faults=lambda body, attempt: "no-usage") as server:
        [call] = await ask(params_for(server.url), request())
    assert call.tokens_estimated
    assert call.completion_tokens > 8


async def test_the_model_that_answered_is_on_record_and_a_change_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with FakeServer(lambda body: {"content": "7", "model": "fake-0613"}) as server:
        [first] = await ask(params_for(server.url), request(0))
        server.answer = lambda body: {"content": "7", "model": "fake-1106"}
        [second, third] = await ask(params_for(server.url), request(1), request(2))
    assert [call.answered_by for call in (first, second, third)] == ["fake-0613", "fake-1106", "fake-1106"]
    told = capsys.readouterr().err
    assert told.count("was answered by 'fake-0613' before and is by 'fake-1106' now") == 1


async def test_a_prompt_that_the_server_cuts_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    long = ({"role": "user", "content": "the apples " * 2000},)
    with FakeServer() as server:
        await ask(params_for(server.url), request(0, messages=long))
        assert "cuts prompts" not in capsys.readouterr().err
    with FakeServer(usage={"prompt_tokens": 512, "completion_tokens": 1}) as server:
        await ask(params_for(server.url), request(0, messages=long), request(1, messages=long))
    assert capsys.readouterr().err.count("it cuts prompts") == 1


USAGE: list[tuple[Any, int | None]] = [
    (3.0, 3), ("3", 3), ("3.0", 3), (2**63, None), (2**400, None), (-1, None), ("many", None), (True, None),
    ([3], None), (float("inf"), None),
]  # fmt: skip


@pytest.mark.parametrize(("count", "kept"), USAGE)
async def test_a_strange_count_of_tokens_costs_no_answer(count: Any, kept: int | None) -> None:
    with FakeServer(usage={"prompt_tokens": count, "completion_tokens": count}) as server:
        [call] = await ask(params_for(server.url, limits={"tokens_per_minute": 10**6}), request())
        assert server.served == 1
    assert call.ok
    assert call.tokens_estimated is (kept is None)
    assert kept in (None, call.prompt_tokens)


async def test_a_cache_of_an_earlier_version_is_read_and_goes_on(project: Path) -> None:
    with FakeServer(lambda body: {"content": "<think>Perhaps 72?</think>7"}) as server:
        params = params_for(server.url)
        await ask(params, request(0))
        with sqlite3.connect(project / ".econ/cache/answers.sqlite") as db:
            for column in ("thinking", "why", "answered_by"):
                db.execute(f"ALTER TABLE answers DROP COLUMN {column}")
            db.execute("UPDATE answers SET text = substr(text, 1, length(text) - ?)", (sums.LENGTH,))
        db.close()
        old, new = await ask(params, request(0), request(1))
        assert server.served == 2
    assert (old.text, old.answered_by) == ("7", None)
    assert (new.text, new.thinking, new.answered_by) == ("7", "Perhaps 72?", "fake")


def test_a_trace_of_an_earlier_version_is_read() -> None:
    row: dict[str, Any] = {
        "role": "solver", "agent": 0, "round": 0, "model": "m", "messages": [], "seed": 0, "sample": 0,
        "sampling": {"temperature": 0, "top_p": 1, "repetition_penalty": 1, "max_tokens": 1}, "text": "7",
        "prompt_tokens": 1, "completion_tokens": 1, "cached": False, "error": None,
    }  # fmt: skip
    trace = Trace(
        "p", "b", "m", 1, 0, None, None, False, True, None, None, 0.0, 1, None, "", (), {}, False, ()
    )
    import orjson

    read = Trace.from_json({**orjson.loads(to_json(trace)), "calls": [row]})
    assert (read.calls[0].thinking, read.calls[0].answered_by) == ("", None)
