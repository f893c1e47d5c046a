"""The fast engine's server around a scripted pipeline: batch, settings, refusals, and who leaves when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from econ.llm.backends.dialects import LLAMA_CPP
from econ.llm.local.openvino.api import Api, Server
from econ.llm.local.openvino.engine import Asked, Broken, Engine
from tests.llm.conftest import request
from tests.llm.fake_pipeline import Pipeline

CONTEXT = 100
Post = Callable[..., Any]


@pytest.fixture
def pipeline() -> Pipeline:
    pipeline = Pipeline()
    pipeline.go.set()
    return pipeline


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def engine(pipeline: Pipeline, told: list[str]) -> Engine:
    return Engine(pipeline, 4, told.append)


@pytest.fixture
async def session(pipeline: Pipeline, engine: Engine) -> AsyncIterator[aiohttp.ClientSession]:
    server = Server("127.0.0.1", Api(pipeline, engine, "m", CONTEXT), engine)
    async with aiohttp.ClientSession(server.address) as session:
        yield session


async def ask(session: aiohttp.ClientSession, prompt: str = "a b c", **changes: Any) -> tuple[int, Any]:
    body = {"model": "m", "messages": [{"role": "user", "content": prompt}], **changes}
    async with session.post("/v1/chat/completions", json=body) as response:
        return response.status, await response.json()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.01)


async def test_an_answer_says_what_it_took_and_why_it_ended(session: aiohttp.ClientSession) -> None:
    status, whole = await ask(session, temperature=0.5, max_tokens=9)
    assert status == 200
    assert whole["choices"][0]["message"]["content"] == "5 tokens, T 0.5"
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"] == {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    _, cut = await ask(session, max_tokens=2)
    assert cut["choices"][0]["finish_reason"] == "length"


async def test_the_clients_own_body_is_taken_whole(
    session: aiohttp.ClientSession, pipeline: Pipeline
) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    status, _ = await ask(session, **{**LLAMA_CPP.body(request(3, schema=schema)), "messages": [
        {"role": "system", "content": "be brief"}, {"role": "user", "content": "x"}]})  # fmt: skip
    [asked] = [one.asked for one in pipeline.live]
    assert status == 200
    assert (asked.temperature, asked.top_p, asked.repetition_penalty) == (0.7, 0.9, 1.1)
    assert (asked.top_k, asked.min_p, asked.seed, asked.max_tokens) == (0, 0.0, 3, 32)
    assert asked.grammar is not None
    assert asked.grammar.startswith('root ::= "{"')


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"frequency_penalty": 1.0}, "frequency_penalty"),
        ({"temperature": -1}, "temperature"),
        ({"repeat_last_n": 64}, "repeat_last_n"),
        ({"samplers": ["top_p", "temperature"]}, "samplers"),
        ({"stream": True}, "stream"),
        ({"seed": 13}, "seed 13"),
        ({"seed": 14}, "no room"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "x"}}}},
            "json_schema",
        ),
        ({"prompt": "word " * CONTEXT}, "exceeds the context"),
    ],
)
async def test_what_it_would_not_heed_is_refused(
    session: aiohttp.ClientSession, changes: dict[str, Any], named: str
) -> None:
    status, answer = await ask(session, **changes)
    assert status == 400
    assert named in answer["error"]["message"]
    assert (await ask(session))[0] == 200  # and harms nobody else


async def test_the_batch_is_filled_and_never_over(session: aiohttp.ClientSession, pipeline: Pipeline) -> None:
    done = await asyncio.gather(*(ask(session, f"question {i}") for i in range(12)))
    assert [status for status, _ in done] == [200] * 12
    assert pipeline.most == 4


async def test_who_hangs_up_leaves_the_batch(session: aiohttp.ClientSession, pipeline: Pipeline) -> None:
    pipeline.go.clear()
    gone = asyncio.create_task(ask(session, "one two"))
    await until(lambda: len(pipeline.live) == 1)
    gone.cancel()
    await asyncio.sleep(0.2)
    pipeline.go.set()
    await until(lambda: pipeline.live[0].cancelled)
    assert (await ask(session))[0] == 200


async def test_one_of_those_with_one_beginning_reads_it(
    session: aiohttp.ClientSession, pipeline: Pipeline
) -> None:
    pipeline.go.clear()
    long = " ".join(f"w{i}" for i in range(64))
    tasks = [asyncio.create_task(ask(session, f"{long} {i}")) for i in range(3)]
    tasks.append(asyncio.create_task(ask(session, "another one")))
    await until(lambda: len(pipeline.live) == 2)
    await asyncio.sleep(0.1)
    assert len(pipeline.live) == 2  # the first of the three, and the other one
    pipeline.go.set()
    assert [status for status, _ in await asyncio.gather(*tasks)] == [200] * 4


async def test_a_broken_step_fails_all_and_is_told(
    session: aiohttp.ClientSession, engine: Engine, told: list[str]
) -> None:
    status, answer = await ask(session, "please break")
    assert (status, answer["error"]["message"]) == (503, "out of memory")
    for _ in range(200):  # whoever asked is answered first, from another thread
        if told:
            break
        await asyncio.sleep(0.01)
    assert told == ["out of memory"]
    async with session.get("/health") as health:
        assert health.status == 503


def test_draining_finishes_what_is_here_and_takes_no_more(pipeline: Pipeline, engine: Engine) -> None:
    asked = Asked([1, 2], 0.0, 1.0, 0, 0.0, 1.0, 0, 9)
    futures = [engine.submit(asked) for _ in range(6)]
    engine.drain(5)
    assert all(future.done() and future.result().tokens == 5 for future in futures)
    with pytest.raises(Broken, match="ending"):
        engine.submit(asked)


async def test_it_tells_model_context_and_tokens(session: aiohttp.ClientSession) -> None:
    async with session.get("/v1/models") as models:
        assert (await models.json())["data"][0]["id"] == "m"
    async with session.get("/props") as props:
        assert (await props.json())["default_generation_settings"]["n_ctx"] == CONTEXT
    async with session.post("/tokenize", json={"content": "three small words"}) as tokens:
        assert len((await tokens.json())["tokens"]) == 3
    async with session.get("/health") as health:
        assert (await health.json()) == {"status": "ok"}
