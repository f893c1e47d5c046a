"""The client against a server: what it sends, keeps, shares and refuses."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from econ.errors import EconError
from econ.llm import current_job, open_client
from econ.llm.cache.limiter import Files
from econ.params import Params
from econ.records import Call, Request, Sampling
from tests.llm.conftest import params_for, request
from tests.llm.fake_server import FakeServer


async def ask(params: Params, *requests: Request, offline: bool = False) -> list[Call]:
    async with open_client(params, offline=offline) as client:
        return list(await asyncio.gather(*(client.complete(r) for r in requests)))


@pytest.mark.parametrize(
    ("owner", "penalty", "neutral"),
    [("vllm", "repetition_penalty", ("top_k", -1)), ("llamacpp", "repeat_penalty", ("top_k", 0))],
)
async def test_each_dialect_names_the_penalty_and_neutralises_the_rest(
    owner: str, penalty: str, neutral: tuple[str, int]
) -> None:
    with FakeServer(owner=owner) as server:
        await ask(params_for(server.url), request())
    body = server.log[0].body
    assert body[penalty] == 1.1
    assert body[neutral[0]] == neutral[1]
    assert body["min_p"] == 0
    assert len({"repetition_penalty", "repeat_penalty"} & set(body)) == 1


async def test_the_together_sdk_reaches_a_local_server(together: Callable[[str], Params]) -> None:
    with FakeServer() as server:
        calls = await ask(together(server.url), *(request(n) for n in range(5)))
    assert all(call.ok for call in calls)
    body = server.log[0].body
    assert (body["repetition_penalty"], body["temperature"], body["top_p"]) == (1.1, 0.7, 0.9)
    assert server.log[0].authorization == "Bearer sk-together-test"


async def test_a_provider_without_penalty_refuses_one_and_takes_none() -> None:
    with FakeServer() as server:
        params = params_for(server.url, dialect="openai")
        with pytest.raises(EconError, match="no repetition penalty"):
            await ask(params, request())
        [call] = await ask(params, request(sampling=Sampling(0.7, 0.9, 1.0, 32)))
    assert call.ok
    assert not {"repetition_penalty", "repeat_penalty", "top_k"} & set(server.log[0].body)


async def test_an_unknown_server_gets_both_names() -> None:
    with FakeServer(owner="someone") as server:
        await ask(params_for(server.url), request())
    assert server.log[0].body["repetition_penalty"] == server.log[0].body["repeat_penalty"] == 1.1


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"backend": "together"}, "TOGETHER_API_KEY"),
        ({"base_url": "https://api.openai.com/v1"}, "OPENAI_API_KEY"),
    ],
)
async def test_a_missing_key_is_named(settings: dict[str, str], variable: str) -> None:
    with pytest.raises(EconError, match=variable):
        open_client(params_for("http://127.0.0.1:1/v1", **settings))


async def test_a_replay_needs_no_server_and_records_the_same() -> None:
    current_job.set("svamp/econ-bne-n3-s0")
    with FakeServer() as server:
        params = params_for(server.url)
        first = await ask(params, *(request(n) for n in range(20)))
        served = server.served
        again = await ask(params, *(request(n) for n in range(20)))
        assert server.served == served == 20
    assert await ask(params, *(request(n) for n in range(20)), offline=True) == first == again
    assert not any(call.cached for call in first)


async def test_who_paid_for_an_answer_first_is_not_told() -> None:
    with FakeServer() as server:
        params = params_for(server.url)
        current_job.set("svamp/cot-n3-s0")
        [mine] = await ask(params, request())
        current_job.set("svamp/debate-n3-s0")
        [theirs] = await ask(params, request())
        assert server.served == 1
    assert mine == theirs
    assert not mine.cached


@pytest.mark.parametrize("backend", ["openai", "together"])
async def test_a_models_context_is_asked_for_once(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGETHER_API_KEY", "key")
    with FakeServer(owner="vllm") as server:
        params = params_for(server.url, backend=backend, dialect="vllm")
        async with open_client(params, offline=True) as client:
            assert await client.context_tokens("fake") is None  # never asked: no answer depends on it
        async with open_client(params) as client:
            before = server.listings
            contexts = await asyncio.gather(*(client.context_tokens("fake") for _ in range(20)))
        assert contexts == [server.context] * 20
        assert server.listings == before + 1
    async with open_client(params, offline=True) as client:
        assert await client.context_tokens("fake") == server.context


async def test_offline_names_what_is_missing() -> None:
    with FakeServer() as server:
        params = params_for(server.url)
        await ask(params, request(0))
    with pytest.raises(EconError, match="the cache lacks executor 1"):
        await ask(params, request(1), offline=True)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": ({"role": "user", "content": "other"},)},
        {"model": "other"},
        {"seed": 99},
        {"sample": 1},
        {"schema": {"type": "object"}},
        {"sampling": Sampling(0.8, 0.9, 1.1, 32)},
        {"sampling": Sampling(0.7, 0.8, 1.1, 32)},
        {"sampling": Sampling(0.7, 0.9, 1.2, 32)},
        {"sampling": Sampling(0.7, 0.9, 1.1, 33)},
    ],
)
async def test_the_whole_request_is_the_address(change: dict[str, object]) -> None:
    with FakeServer() as server:
        params = params_for(server.url)
        await ask(params, request(), request(**change))
        assert server.served == 2


async def test_retries_timeouts_and_keys_are_not_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer() as server:
        await ask(params_for(server.url), request())
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        await ask(params_for(server.url, timeout_seconds=7, max_retries=1, max_in_flight=3), request())
        assert server.served == 1


async def test_one_question_at_once_is_one_call() -> None:
    with FakeServer(latency=0.1) as server:
        calls = await ask(params_for(server.url), *([request()] * 10))
        assert server.served == 1
    assert len({call.text for call in calls}) == 1


async def test_calls_in_flight_are_limited_and_reached() -> None:
    with FakeServer(latency=0.05) as server:
        await ask(params_for(server.url, max_in_flight=8), *(request(n) for n in range(40)))
    assert server.most_in_flight == 8


async def test_no_look_for_slots_outlives_the_client(caplog: pytest.LogCaptureFixture) -> None:
    with FakeServer() as server:
        await ask(params_for(server.url, max_in_flight=1), *(request(n) for n in range(3)))
    await asyncio.sleep(2 * Files.poll)
    gc.collect()  # an error that nobody waits for is told of now
    assert not caplog.records


async def test_usage_is_counted_and_priced() -> None:
    with FakeServer() as server:
        prices = {"fake": {"prompt": 1.0, "completion": 2.0}}
        async with open_client(params_for(server.url, prices=prices)) as client:
            call = await client.complete(request())
            await client.complete(request())
    usage = client.usage
    assert (usage.made, usage.cached, usage.tokens.prompt) == (1, 1, 2)
    assert usage.usd == pytest.approx((call.prompt_tokens + 2 * call.completion_tokens) / 1e6)


async def test_a_server_without_usage_gets_counted_and_marked() -> None:
    with FakeServer(faults=lambda body, attempt: "no-usage") as server:
        [call] = await ask(params_for(server.url), request())
    assert call.ok
    assert call.tokens_estimated
    assert call.prompt_tokens > 0
    assert call.completion_tokens > 0


async def test_progress_hears_of_each_call() -> None:
    class Heard:
        def __init__(self) -> None:
            self.calls: list[bool] = []

        def call(self, call: Call, paid: bool) -> None:
            self.calls.append(paid)

    heard = Heard()
    with FakeServer() as server:
        async with open_client(params_for(server.url), progress=heard) as client:
            await client.complete(request())
            await client.complete(request())
    assert heard.calls == [True, False]


@pytest.mark.parametrize(("setting", "limit", "served"), [("calls", 7, 7), ("tokens", 1400, None)])
async def test_the_budget_stops_cleanly_and_keeps_everything(
    setting: str, limit: int, served: int | None, project: Path
) -> None:
    requests = [request(n) for n in range(200)]
    with FakeServer(latency=0.01) as server:
        with pytest.raises(EconError, match=rf"llm\.budget\.{setting}"):
            await ask(params_for(server.url, budget={setting: limit}), *requests)
        paid = server.served
        assert 0 < paid < 200
        assert served is None or paid == served
        await ask(params_for(server.url), *requests)
        assert server.served == 200  # nothing was paid twice
