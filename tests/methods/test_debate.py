"""Debate of Du et al.: exactly the calls, messages and aggregation of the protocol."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.costs.estimate import CountingClient
from econ.errors import EconError
from econ.methods.base import Session, Solution
from econ.methods.debate.debate import Debate, DebateSettings, neighbours
from econ.methods.registry import baseline
from econ.params import Params
from econ.records import Problem, Request
from tests.scripted import ScriptedClient

PROBLEM = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many?", gold="7")


def debate(rounds: int, *, agreement_stop: bool = False) -> Debate:
    return Debate(DebateSettings(rounds=rounds, agreement_stop=agreement_stop))


def session(client: ScriptedClient, n_agents: int = 3, answer: int = 1024) -> Session:
    params = Params.model_validate({"llm": {"max_tokens": {"answer": answer}}})
    return Session(PROBLEM, client, params, n_agents, seed=0)


def says(request: Request) -> str:
    return f"agent {request.agent} in round {request.round}. Final answer: {request.agent + request.round}"


async def test_three_agents_by_three_rounds_are_nine_calls() -> None:
    client = ScriptedClient(says)
    solution = await debate(3).solve(session(client))
    assert sorted((r.round, r.agent) for r in client.requests) == [(t, a) for t in range(3) for a in range(3)]
    assert {r.role for r in client.requests} == {"debater"}
    assert {r.sampling.temperature for r in client.requests} == {1.0}
    assert solution.rounds == 3


async def test_an_agent_reads_the_others_answers_of_the_round_before_and_its_own_history() -> None:
    client = ScriptedClient(says)
    await debate(3).solve(session(client))
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
    await debate(2).solve(session(client))
    first = [r for r in client.requests if r.round == 0]
    assert len({str(r.messages) for r in first}) == 1
    assert len({r.seed for r in first}) == 3


async def test_alone_it_checks_itself() -> None:
    client = ScriptedClient(says)
    await debate(2).solve(session(client, n_agents=1))
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

    solution = await debate(2).solve(session(ScriptedClient(script)))
    assert solution.error is None
    assert solution.text == f"Final answer: {winner}"


@pytest.mark.parametrize(
    ("answers", "winner"), [(["6", "5", "5", "6"], "6"), (["?", "5", "6", "?"], "5"), (["8", "7"], "8")]
)
async def test_a_tie_of_an_even_jury_is_its_earliest_agents(answers: list[str], winner: str) -> None:
    def script(request: Request) -> str:
        return "hm" if answers[request.agent] == "?" else f"Final answer: {answers[request.agent]}"

    solution = await debate(2).solve(session(ScriptedClient(script), n_agents=len(answers)))
    assert solution.text == f"Final answer: {winner}"


@pytest.mark.parametrize("method", ["debate", "sparse-debate"])
async def test_of_plans_the_one_that_agrees_best_with_the_others_is_handed_in(method: str) -> None:
    """Agents 1 and 2 differ in one cell, agent 0 in all, agent 3 gives none: 1 and 2 tie, so 1."""
    days = [_day(room="Inn, A"), _day(meal="Diner, B"), _day(meal="Diner, B", room="Inn, B"), "no plan"]
    texts = [day if isinstance(day, str) else orjson.dumps([day]).decode() for day in days]
    client = ScriptedClient(lambda request: texts[request.agent])
    problem = Problem("t1", "travelplanner", "Plan a day.", gold=None, kind="plan")
    table = Session(problem, client, Params(), 4, seed=0)
    solution = await baseline(method, Params(), "travelplanner").solve(table)
    assert solution.text == texts[1]
    assert {r.sampling.max_tokens for r in client.requests} == {Params().llm.max_tokens.plan}


def _day(meal: str = "-", room: str = "-") -> dict[str, object]:
    rest = dict.fromkeys(("breakfast", "lunch", "dinner"), meal)
    return {
        "days": 1,
        "current_city": "B",
        "transportation": "-",
        "attraction": "-",
        "accommodation": room,
        **rest,
    }


async def test_a_failed_call_is_no_answer() -> None:
    def script(request: Request) -> str | Exception:
        return RuntimeError("timeout") if request.agent == 0 else f"Final answer: {request.agent}"

    client = ScriptedClient(script)
    solution = await debate(2).solve(session(client))
    assert solution.text == "Final answer: 1"
    assert solution.steps[-1]["answers"] == [None, "1", "2"]
    [second] = [r for r in client.requests if (r.round, r.agent) == (1, 1)]
    assert second.messages[-1]["content"].count("One agent's answer") == 1
    [again] = [r for r in client.requests if (r.round, r.agent) == (1, 0)]
    assert [m["role"] for m in again.messages] == ["user"]
    assert "think step by step" in again.messages[0]["content"]


async def test_no_answer_at_all_is_invalid_with_its_reason() -> None:
    solution = await debate(2).solve(session(ScriptedClient(lambda r: RuntimeError("http 500"))))
    assert solution.error == "http 500"


async def test_agreement_ends_it_when_every_agent_has_answered_alike() -> None:
    def script(request: Request) -> str:
        return ["?", "Final answer: 7", "so 7.0"][min(request.agent, request.round)]

    client = ScriptedClient(script)
    solution = await debate(4, agreement_stop=True).solve(session(client))
    # Round 0: [?, ?, ?]; round 1: [?, 7, 7]; an agent without an answer does not agree
    assert len(solution.steps) == 4
    assert solution.stop == "last round"

    client = ScriptedClient(lambda r: f"Final answer: {r.agent if r.round == 0 else 7}")
    solution = await debate(4, agreement_stop=True).solve(session(client))
    assert (solution.stop, solution.rounds, len(client.requests)) == ("agreement", 2, 6)

    alone = ScriptedClient(lambda r: "Final answer: 7")  # with nobody to agree with
    await debate(3, agreement_stop=True).solve(session(alone, n_agents=1))
    assert len(alone.requests) == 3


@pytest.mark.parametrize(
    ("n", "degree", "read"),
    [
        (1, 1, [[]]),
        (2, 1, [[1], [0]]),
        (3, 1, [[1], [2], [0]]),
        (4, 2, [[1, 3], [0, 2], [1, 3], [0, 2]]),
        (4, 9, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]),
        (3, None, [[1, 2], [0, 2], [0, 1]]),
    ],
)
def test_neighbours_on_a_ring(n: int, degree: int | None, read: list[list[int]]) -> None:
    assert [neighbours(agent, n, degree) for agent in range(n)] == read


@given(n=st.integers(1, 12), degree=st.integers(1, 12))
def test_each_agent_reads_and_is_read_by_equally_many_others(n: int, degree: int) -> None:
    read = [neighbours(agent, n, degree) for agent in range(n)]
    expected = min(degree, n - 1)
    assert {len(others) for others in read} == {expected}
    assert all(agent not in others for agent, others in enumerate(read))
    assert {sum(agent in others for others in read) for agent in range(n)} == {expected}


async def test_sparse_debate_shows_the_neighbours_answers_of_the_round_before_alone() -> None:
    params = Params.model_validate({"settings": {"sparse-debate": {"degree": 2}}})
    client = ScriptedClient(says)
    solution = await baseline("sparse-debate", params, "svamp").solve(session(client, n_agents=4))
    assert sorted((r.round, r.agent) for r in client.requests) == [(t, a) for t in range(3) for a in range(4)]
    [last] = [r for r in client.requests if (r.round, r.agent) == (2, 1)]
    shown = last.messages[-1]["content"]
    assert [f"agent {i} in round 1" in shown for i in range(4)] == [True, False, True, False]
    assert "in round 2" not in shown
    assert {r.sampling.temperature for r in client.requests} == {
        params.settings_of("sparse-debate").temperature
    }
    assert solution.text.startswith("agent 0 in round 2")  # four answers, none twice: the earliest


@pytest.mark.parametrize("method", ["debate", "sparse-debate", "mad"])
async def test_the_tokens_of_the_calls_add_up_to_what_was_sent_and_said(method: str) -> None:
    client = ScriptedClient(says)
    table = session(client)
    await baseline(method, Params(), "svamp").solve(table)
    sent = sum(len(m["content"].split()) for r in client.requests for m in r.messages)
    assert sum(call.prompt_tokens for call in table.calls) == sent
    assert sum(call.completion_tokens for call in table.calls) == sum(
        len(says(r).split()) for r in client.requests
    )


@pytest.mark.parametrize("benchmark", ["svamp", "math", "strategyqa", "travelplanner"])
@pytest.mark.parametrize(("method", "calls"), [("debate", 9), ("sparse-debate", 9), ("mad", 11)])
async def test_an_estimate_plays_to_the_end(method: str, calls: int, benchmark: str) -> None:
    client = CountingClient()
    table = Session(replace(PROBLEM, benchmark=benchmark), client, Params(), 3, seed=0)
    await baseline(method, Params(), benchmark).solve(table)
    [spent] = client.needs.values()
    assert spent.calls == calls
    assert spent.tokens.completion == sum(call.sampling.max_tokens for call in table.calls)


async def test_a_team_of_nobody_is_refused() -> None:
    with pytest.raises(EconError, match="a team of 0 agents"):
        session(ScriptedClient(says), n_agents=0)


class TestContext:
    """What is too long for the model loses its oldest exchange; the problem stays."""

    @staticmethod
    def long(request: Request) -> str:
        return f"agent {request.agent} in round {request.round} " + "so " * 150 + "Final answer: 1"

    async def play(self, context: int | None, rounds: int = 4) -> tuple[ScriptedClient, Solution]:
        client = ScriptedClient(self.long, context)
        return client, await debate(rounds).solve(session(client, 2, answer=48))

    async def test_the_oldest_exchange_goes_first_and_is_counted(self) -> None:
        client, solution = await self.play(context=700)
        [last] = [r for r in client.requests if (r.round, r.agent) == (3, 0)]
        assert PROBLEM.prompt in last.messages[0]["content"]
        assert [m["role"] for m in last.messages] == ["user", "assistant", "user"]
        assert "agent 0 in round 2" in last.messages[1]["content"]
        assert "agent 1 in round 2" in last.messages[2]["content"]
        words = sum(len(m["content"].split()) for m in last.messages)
        assert words + last.sampling.max_tokens <= 700
        assert solution.detail["dropped_exchanges"] == 4
        assert solution.error is None

    async def test_one_that_fits_is_left_alone(self) -> None:
        client, solution = await self.play(context=100_000)
        free, _ = await self.play(context=None)
        assert client.requests == free.requests
        assert solution.detail["dropped_exchanges"] == 0

    async def test_a_problem_that_does_not_fit_is_not_asked(self) -> None:
        client, solution = await self.play(context=60)
        assert client.requests == []
        assert solution.error == "context too small for the problem"

    async def test_a_server_that_tells_nothing_but_refuses_is_asked_for_less(self) -> None:
        def script(request: Request) -> str | Exception:
            if sum(len(m["content"].split()) for m in request.messages) > 400:
                return RuntimeError("context overflow")
            return self.long(request)

        client = ScriptedClient(script)
        solution = await debate(2).solve(session(client, n_agents=3))
        assert solution.error is None
        assert solution.detail["dropped_exchanges"] == 3
        assert len(client.requests) == 3 + 2 * 3
