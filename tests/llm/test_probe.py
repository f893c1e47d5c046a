"""The probe passes servers that obey the action and catches those that drop a part of it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from econ.errors import EconError
from econ.llm import open_client
from econ.params import Params
from tests.llm.conftest import params_for
from tests.llm.fake_server import Body, FakeServer, echo


async def probe(server: FakeServer, dialect: str = "auto", **action: object) -> None:
    params = params_for(server.url, dialect=dialect)
    params = Params.model_validate({**params.model_dump(), "action": action})
    async with open_client(params) as client:
        await client.probe()


def obeying(*fields: str) -> Callable[[Body], str]:
    """A repeatable model whose answer is a function of prompt, seed and the fields that it obeys."""

    def answer(body: Body) -> str:
        text = repr([body["messages"], body["seed"], *(body.get(name) for name in fields)])
        return f"answer {random.Random(text).random()}"

    return answer


async def test_a_server_that_heeds_both_passes_cheaply_and_once() -> None:
    with FakeServer(obeying("temperature", "repetition_penalty")) as server:
        await probe(server)
        paid = server.served
        await probe(server)
    assert paid == server.served <= 8


@pytest.mark.parametrize(("obeys", "ignored"), [("temperature", "repetition_penalty"),
                                                ("repetition_penalty", "temperature")])  # fmt: skip
async def test_a_server_that_drops_one_is_caught_and_named(obeys: str, ignored: str) -> None:
    told = pytest.raises(EconError, match=f"ignores {ignored}: model fake .*dialect vllm")
    with FakeServer(obeying(obeys)) as server, told:
        await probe(server)


async def test_a_dimension_that_is_held_is_not_probed() -> None:
    with FakeServer(obeying("temperature")) as server:
        await probe(server, fixed={"repetition_penalty": 1.0})
        assert {seen.body["repetition_penalty"] for seen in server.log} == {1.0}


async def test_a_provider_without_the_penalty_serves_where_it_is_held() -> None:
    with FakeServer(obeying("temperature")) as server:
        with pytest.raises(EconError, match=r"no repetition penalty.*action\.fixed"):
            await probe(server, "openai")
        await probe(server, "openai", fixed={"repetition_penalty": 1.0})
        assert server.log
        assert not any("penalty" in field for seen in server.log for field in seen.body)


async def test_top_p_is_probed_where_it_is_the_action() -> None:
    with FakeServer(obeying("temperature", "top_p")) as server:
        await probe(server, second="top_p")
    with FakeServer(obeying("temperature")) as server, pytest.raises(EconError, match="ignores top_p"):
        await probe(server, second="top_p")


async def test_few_different_answers_are_enough() -> None:
    """A server that answers right or wrong, by chance, with chances that depend on the action."""

    def answer(body: Body) -> str:
        chance = 0.9 - 0.3 * body["temperature"] - (body["repetition_penalty"] - 1)
        drawn = random.Random(repr([body["messages"], body["seed"]])).random()
        return "#### 7" if drawn < chance else "#### 8"

    with FakeServer(answer) as server:
        await probe(server)


async def test_a_server_that_never_repeats_itself_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    generator = random.Random(1)
    with FakeServer(lambda body: f"{generator.random()}") as server:
        await probe(server)
    assert "not shown that it obeys" in capsys.readouterr().err


async def test_a_failing_server_fails_the_probe() -> None:
    told = pytest.raises(EconError, match="answers http 404: no")
    with FakeServer(faults=lambda body, attempt: "404") as server, told:
        await probe(server)


async def test_a_model_that_thinks_is_probed_by_its_thoughts() -> None:
    def thinks(body: Body) -> Body:
        return {"content": None, "reasoning": echo(body), "finish_reason": "length"}

    with FakeServer(thinks) as server:
        async with open_client(params_for(server.url)) as client:
            await client.probe()


async def test_a_model_that_says_nothing_is_not_said_to_ignore_anything() -> None:
    with FakeServer(lambda body: "") as server:
        async with open_client(params_for(server.url, max_tokens={"probe": 24})) as client:
            with pytest.raises(EconError, match=r"says nothing within 24 tokens.*llm\.max_tokens\.probe"):
                await client.probe()
