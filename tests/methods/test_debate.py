"""Debate of Du et al.: exactly the calls, messages and aggregation of the protocol."""

import pytest

from econ.methods.base import Session
from econ.methods.debate import Debate
from econ.params import Params
from econ.records import Problem, Request
from tests.scripted import ScriptedClient

PROBLEM = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many?", gold="7")


def session(client: ScriptedClient, n_agents: int = 3) -> Session:
    return Session(PROBLEM, client, Params(), n_agents, seed=0)


def says(request: Request) -> str:
    return f"agent {request.agent} in round {request.round}. Final answer: {request.agent + request.round}"


async def test_three_agents_by_three_rounds_are_nine_calls() -> None:
    client = ScriptedClient(says)
    solution = await Debate(3, 1.0).solve(session(client))
    assert sorted((r.round, r.agent) for r in client.requests) == [(t, a) for t in range(3) for a in range(3)]
    assert {r.role for r in client.requests} == {"debater"}
    assert {r.sampling.temperature for r in client.requests} == {1.0}
    assert solution.rounds == 3


async def test_an_agent_reads_the_others_answers_of_the_round_before_and_its_own_history() -> None:
    client = ScriptedClient(says)
    await Debate(3, 1.0).solve(session(client))
    [last] = [r for r in client.requests if (r.round, r.agent) == (2, 1)]
    assert [m["role"] for m in last.messages] == ["user", "assistant", "user", "assistant", "user"]
    assert [m["content"][:18] for m in last.messages if m["role"] == "assistant"] == [
        "agent 1 in round 0",
        "agent 1 in round 1",
    ]
    shown = last.messages[-1]["content"]
    assert shown.index("agent 0 in round 1") < shown.index("agent 2 in round 1")
    assert "agent 1 in round 1" not in shown  # oneself left out
    assert "in round 2" not in shown  # nobody sees an answer of the same round
    assert PROBLEM.prompt in last.messages[0]["content"]


async def test_the_first_round_is_independent() -> None:
    client = ScriptedClient(says)
    await Debate(2, 1.0).solve(session(client))
    first = [r for r in client.requests if r.round == 0]
    assert len({str(r.messages) for r in first}) == 1
    assert len({r.seed for r in first}) == 3


async def test_alone_it_checks_itself() -> None:
    client = ScriptedClient(says)
    await Debate(2, 1.0).solve(session(client, n_agents=1))
    assert "Check your previous answer" in client.requests[-1].messages[-1]["content"]


@pytest.mark.parametrize(
    ("answers", "winner"),
    [(["5", "7", "7"], "7"), (["5", "7", "5.0"], "5"), (["4", "7", "5"], "4"), (["?", "7", "?"], "7")],
)
async def test_the_majority_of_the_last_round_wins_and_ties_go_to_the_first(
    answers: list[str], winner: str
) -> None:
    def script(request: Request) -> str:
        value = answers[request.agent] if request.round == 1 else "1"
        return "I cannot say" if value == "?" else f"Final answer: {value}"

    solution = await Debate(2, 1.0).solve(session(ScriptedClient(script)))
    assert solution.error is None
    assert solution.text == f"Final answer: {winner}"


async def test_a_failed_call_is_no_answer() -> None:
    def script(request: Request) -> str | Exception:
        return RuntimeError("timeout") if request.agent == 0 else f"Final answer: {request.agent}"

    client = ScriptedClient(script)
    solution = await Debate(2, 1.0).solve(session(client))
    assert solution.text == "Final answer: 1"
    assert solution.steps[-1]["answers"] == [None, "1", "2"]
    [second] = [r for r in client.requests if (r.round, r.agent) == (1, 1)]
    assert second.messages[-1]["content"].count("One agent's answer") == 1
    [again] = [r for r in client.requests if (r.round, r.agent) == (1, 0)]
    assert [m["role"] for m in again.messages] == ["user"]
    assert "think step by step" in again.messages[0]["content"]


async def test_no_answer_at_all_is_invalid_with_its_reason() -> None:
    solution = await Debate(2, 1.0).solve(session(ScriptedClient(lambda r: RuntimeError("http 500"))))
    assert solution.error == "http 500"
