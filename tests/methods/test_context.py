"""What a model has no room for is said before the first call, and not by its server in the middle."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from econ import prompts
from econ.benchmarks import download, load
from econ.costs.context import check_context
from econ.errors import EconError
from econ.params import Params, plays
from econ.records import Problem
from econ.registry import METHODS
from tests.scripted import ScriptedClient

PARAMS = Params.model_validate({"data": {"source": "shipped", "test_problems": None}})


class Server(ScriptedClient):
    """Has a context, and counts 300 tokens for every text."""

    simulated = False

    def __init__(self, context: int | None) -> None:
        super().__init__(lambda request: AssertionError("nothing may be asked"))
        self.context = context

    async def context_tokens(self, model: str) -> int | None:
        return self.context

    async def count_tokens(self, model: str, text: str) -> int:
        return 300


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    monkeypatch.chdir(tmp_path)
    download("travelplanner", PARAMS)
    return load("travelplanner", "test", PARAMS)


def least_room(message: str) -> int:
    return int(message.split("may need ")[1].split()[0])


@pytest.mark.parametrize("method", [method for method in METHODS if method != "greedy-search"])
async def test_the_longest_call_of_a_method_is_known_before_the_first(
    method: str, plans: list[Problem]
) -> None:
    problems = plans if plays(method, "plan") else [Problem("p", "svamp", "What is 1 + 1?", "2")]
    started = time.perf_counter()
    with pytest.raises(EconError, match="has a context of 10") as caught:
        await check_context(problems, Server(10), PARAMS, method, 3)
    assert time.perf_counter() - started < 5
    needed = least_room(str(caught.value))
    cap = PARAMS.llm.answer_tokens(problems[0].kind)
    assert 300 + cap < needed < 300 + 64 * cap
    await check_context(problems, Server(needed), PARAMS, method, 3)
    with pytest.raises(EconError):
        await check_context(problems, Server(needed - 1), PARAMS, method, 3)


async def test_a_method_that_asks_no_model_needs_no_room(plans: list[Problem]) -> None:
    await check_context(plans, Server(10), PARAMS, "greedy-search", 3)


async def test_a_server_that_tells_no_context_and_a_simulated_team_pass(plans: list[Problem]) -> None:
    await check_context(plans, Server(None), PARAMS, "debate", 3)
    await check_context(plans, ScriptedClient(lambda request: ""), PARAMS, "debate", 3)


async def test_more_agents_and_more_to_read_need_more(plans: list[Problem]) -> None:
    async def needed(method: str, n: int, **team: object) -> int:
        params = PARAMS.model_copy(update={"team": PARAMS.team.model_copy(update=team)})
        with pytest.raises(EconError) as caught:
            await check_context(plans, Server(10), params, method, n)
        return least_room(str(caught.value))

    assert await needed("debate", 4) > await needed("debate", 3) > await needed("cot", 3)
    assert await needed("econ-bne", 9) > await needed("econ-bne", 3)
    assert await needed("econ-bne", 3, information="complete", belief="text") > await needed("econ-bne", 3)


async def test_of_a_debate_the_newest_exchange_must_have_room_and_no_more(plans: list[Problem]) -> None:
    async def needed(method: str, rounds: int) -> int:
        caps = {"answer": 48, "commitment": 64, "plan": 96}
        settings = {"debate": {"rounds": rounds}, "mad": {"rounds": rounds}}
        params = Params.model_validate({"settings": settings, "llm": {"max_tokens": caps}})
        with pytest.raises(EconError) as caught:
            await check_context(plans, Server(10), params, method, 3)
        return least_room(str(caught.value))

    assert await needed("debate", 1) < await needed("debate", 2) == await needed("debate", 9)
    assert await needed("mad", 1) == await needed("mad", 9)  # its judge reads most, whatever went before


async def test_the_way_out_names_the_reference_information(plans: list[Problem]) -> None:
    with pytest.raises(EconError, match=r"data\.reference_tokens"):
        await check_context(plans, Server(10), PARAMS, "cot", 3)
    question = Problem("p", "svamp", "What is 1 + 1?", "2")
    assert prompts.cot(question.prompt, "number", 48)
    with pytest.raises(EconError) as caught:
        await check_context([question], Server(10), PARAMS, "cot", 3)
    assert "reference_tokens" not in str(caught.value)
