"""A strategy without the answer: asked for once more, then cut; counted, and never steered by the gold."""

from __future__ import annotations

from dataclasses import replace

from econ.methods.base import Session
from econ.methods.econ.method import untrained
from econ.methods.econ.strategy import Strategy, ask_strategy
from econ.params import Params
from econ.playing import play
from econ.records import Job, Problem, Request, Trace
from econ.reporting.metrics import summarise
from tests.scripted import ScriptedClient

PROBLEM = Problem("p", "svamp", "What is 30 plus 36?", gold="66")
GOOD, STATES = "Add the tens, then the ones.", "Add the tens. The answer is 66."


def client(*strategies: str | Exception) -> ScriptedClient:
    """Says the given strategies in turn; everyone else answers 66."""

    def script(request: Request) -> str | Exception:
        asked = "Tell the team" in request.messages[0]["content"]
        return strategies[request.sample] if asked else "Final answer: 66"

    return ScriptedClient(script)


async def asked(team: ScriptedClient) -> Strategy:
    return await ask_strategy(Session(PROBLEM, team, Params(), 3, 0))


async def test_one_without_an_answer_is_asked_for_once() -> None:
    team = client(GOOD)
    assert await asked(team) == Strategy(GOOD, 6)
    assert len(team.requests) == 1


async def test_one_with_an_answer_is_asked_for_once_more() -> None:
    team = client(STATES, GOOD)
    assert await asked(team) == Strategy(GOOD, 6, regenerated=True, states_answer=True)
    first, second = team.requests
    assert (first.sample, second.sample) == (0, 1)
    assert first.messages == second.messages
    assert first.seed != second.seed


async def test_what_states_an_answer_again_is_withheld() -> None:
    assert await asked(client(STATES, "Add. Final answer: 12")) == Strategy(
        "Add.", 4, regenerated=True, states_answer=True, withheld=True
    )
    withheld = await asked(client(STATES, "The answer is 12"))
    assert (withheld.text, withheld.withheld) == (None, True)


async def test_where_the_second_call_fails_the_first_is_cut() -> None:
    found = await asked(client(STATES, RuntimeError("timeout")))
    assert (found.text, found.withheld) == ("Add the tens.", True)


async def traces_of(gold: str, *strategies: str) -> tuple[list[Trace], ScriptedClient]:
    team, params = client(*strategies), Params()
    job = Job("svamp", "econ-baseline", 3, 0)
    method = untrained(params, 3, "econ-baseline", 0)
    return await play(method, [replace(PROBLEM, gold=gold)], team, params, job), team


async def test_the_executors_read_what_is_left_and_the_record_counts_it() -> None:
    [trace], team = await traces_of("66", STATES, STATES)
    prompts = [r.messages[0]["content"] for r in team.requests if r.role == "executor"]
    assert len(prompts) == 3
    assert all("Strategy: Add the tens.\n" in p and "66" not in p for p in prompts)
    assert summarise([trace], {}, Params())["strategies"] == {
        "given": 1, "regenerated": 1, "cut": 0, "states_answer": 1, "withheld": 1, "tells_gold": 0,
        "commitments": 1, "valid": 0,
    }  # fmt: skip


async def test_the_gold_is_looked_for_after_the_fact_and_steers_nothing() -> None:
    hint = "30 + 36 = 66, check it."
    [told], one = await traces_of("66", hint)
    [not_told], other = await traces_of("67", hint)
    assert (told.detail["strategy_tells_gold"], not_told.detail["strategy_tells_gold"]) == (True, False)
    assert one.requests == other.requests
