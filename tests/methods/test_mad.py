"""Debate of Liang et al.: exactly the calls, their order, the messages, and who decides."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from econ.methods.base import Session, Solution
from econ.methods.registry import baseline
from econ.params import Params
from econ.records import Problem, Request
from tests.scripted import ScriptedClient

PROBLEM = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many?", gold="7")
PLAN = Problem("t1", "travelplanner", "Plan two days.", gold=None, kind="plan")
DAY = dict.fromkeys(("transportation", "breakfast", "attraction", "lunch", "dinner", "accommodation"), "-")
DEFAULTS = Params()
Script = Callable[[Request], str | Exception]


async def play(
    script: Script, params: Params | None = None, problem: Problem = PROBLEM
) -> tuple[ScriptedClient, Solution, Session]:
    params = params or Params()
    client = ScriptedClient(script)
    session = Session(problem, client, params, n_agents=3, seed=0)
    return client, await baseline("mad", params, problem.benchmark).solve(session), session


def verdict(answer: object, side: str = "negative", preference: str = "yes") -> str:
    return orjson.dumps({"preference": preference, "side": side, "answer": answer, "reason": "r"}).decode()


UNDECIDED = verdict(None, "none", "no")


def table(moderator: Script, judge: Script = lambda r: '{"answer": 7, "reason": "r"}') -> Script:
    """Sides that say who speaks in which round: affirmative 5, negative 6."""

    def script(request: Request) -> str | Exception:
        if request.role == "moderator":
            return moderator(request)
        if request.role == "judge":
            return judge(request)
        return f"{request.role} in round {request.round}. Final answer: {5 + request.agent}"

    return script


def roles(client: ScriptedClient) -> list[tuple[str, int]]:
    return [(request.role, request.round) for request in client.requests]


ROUND = ["affirmative", "negative", "moderator"]


@pytest.mark.parametrize("last", [0, 1, 2])
async def test_it_ends_with_the_round_in_which_the_moderator_has_a_preference(last: int) -> None:
    script = table(lambda r: verdict(7) if r.round == last else UNDECIDED)
    client, solution, _ = await play(script)
    assert roles(client) == [(role, round) for round in range(last + 1) for role in ROUND]
    assert (solution.text, solution.stop, solution.rounds) == ("Final answer: 7", "moderator", last + 1)
    assert solution.detail["favoured"] == "negative"
    assert {r.sampling.temperature for r in client.requests} == {0.0}


async def test_without_a_preference_a_fresh_judge_decides_by_the_first_arguments() -> None:
    client, solution, _ = await play(table(lambda r: UNDECIDED))
    assert roles(client) == [(role, t) for t in range(3) for role in ROUND] + [("judge", 2)] * 2
    candidates, final = client.requests[-2:]
    moderator = client.requests[2]
    assert candidates.messages[0] == moderator.messages[0]  # its system prompt, and nothing of its history
    assert [m["role"] for m in candidates.messages] == ["system", "user"]
    shown = candidates.messages[-1]["content"]
    assert shown.index("affirmative in round 0") < shown.index("negative in round 0")
    assert "round 1" not in shown
    assert [m["role"] for m in final.messages] == ["system", "user", "assistant", "user"]
    assert PROBLEM.prompt in final.messages[-1]["content"]
    assert (solution.text, solution.stop, solution.rounds) == ("Final answer: 7", "judge", 3)
    assert solution.detail["favoured"] is None  # neither side said 7


async def test_the_sides_speak_in_turn_and_each_hears_the_others_newest_text() -> None:
    client, _, _ = await play(table(lambda r: UNDECIDED))
    by = {(r.role, r.round): r.messages for r in client.requests if r.role in ROUND}
    assert [m["role"] for m in by["affirmative", 0]] == ["system", "user"]
    assert PROBLEM.prompt in by["affirmative", 0][0]["content"]
    assert "affirmative in round 0" in by["negative", 0][-1]["content"]
    assert "You disagree" in by["negative", 0][-1]["content"]
    assert "negative in round 0" in by["affirmative", 1][-1]["content"]
    assert "affirmative in round 1" in by["negative", 1][-1]["content"]  # new text: not simultaneous
    assert "Do you agree?" in by["negative", 1][-1]["content"]
    judged = by["moderator", 1][-1]["content"]
    assert judged.index("affirmative in round 1") < judged.index("negative in round 1")
    assert "round 0" not in judged
    own = [m["content"] for m in by["affirmative", 2] if m["role"] == "assistant"]
    assert [text.split(".")[0] for text in own] == ["affirmative in round 0", "affirmative in round 1"]
    assert [m["role"] for m in by["moderator", 2]] == ["system", *["user", "assistant"] * 2, "user"]


@pytest.mark.parametrize("level", range(4))
async def test_the_level_of_disagreement_is_told_to_the_sides_alone(level: int) -> None:
    words = ["come to agree", "for the most part", "need not agree", "must disagree on every"][level]
    params = Params.model_validate({"settings": {"mad": {"level": level}}})
    client, _, _ = await play(table(lambda r: verdict(7)), params)
    systems = [r.messages[0]["content"] for r in client.requests]
    assert [words in system for system in systems] == [True, True, False]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (
            '{"preference": "yes", "side": "affirmative", "answer": 7, "rea',
            "7",
        ),  # cut: read as far as it goes
        ('Sure! {"preference": "Yes", "side": "Negative", "answer": "7", "reason": ""} Done.', "7"),
        ('{"preference": "no", "side": "none", "answer": 7, "reason": ""}', None),
        ('{"preference": "yes", "side": "negative", "answer": "", "reason": ""}', None),
        ('{"preference": "yes", "side": "negative", "answer": "unclear", "reason": ""}', None),
        ('["preference"]', None),
        ("I prefer 7.", None),
        ("__import__('os').abort()", None),
        (RuntimeError("timeout"), None),
    ],
)
async def test_what_cannot_be_read_is_no_preference(said: str | Exception, answer: str | None) -> None:
    params = Params.model_validate({"settings": {"mad": {"rounds": 1}}})
    client, solution, _ = await play(table(lambda r: said, lambda r: '{"answer": 9}'), params)
    assert solution.text == f"Final answer: {answer or 9}"
    assert len(client.requests) == (3 if answer else 5)


@pytest.mark.parametrize(
    ("said", "text", "favoured"),
    [
        (["5", "6"], "Final answer: 5", "affirmative"),  # a tie
        (["6", "6.0"], "Final answer: 6", "affirmative"),
        (["?", "6"], "Final answer: 6", "negative"),
    ],
)
async def test_where_nobody_judges_the_sides_last_answers_decide(
    said: list[str], text: str, favoured: str
) -> None:
    def script(request: Request) -> str:
        if request.role not in ROUND[:2]:
            return "no JSON"
        value = said[request.agent] if request.round == 2 else "1"
        return "I cannot say" if value == "?" else f"Final answer: {value}"

    client, solution, _ = await play(script)
    assert len(client.requests) == 11
    assert (solution.text, solution.stop) == (text, "majority")
    assert solution.detail["favoured"] == favoured


async def test_a_side_that_fails_is_not_quoted_and_gets_the_form_when_it_speaks_at_last() -> None:
    def script(request: Request) -> str | Exception:
        if request.role == "affirmative" and request.round == 0:
            return RuntimeError("timeout")
        return table(lambda r: UNDECIDED if r.round == 0 else verdict(6))(request)

    client, solution, _ = await play(script)
    negative, moderator, affirmative = client.requests[1:4]
    assert "The other side" not in negative.messages[-1]["content"]
    assert "(no answer)" in moderator.messages[-1]["content"]
    assert [m["role"] for m in affirmative.messages] == ["system", "user"]
    assert "Final answer: N" in affirmative.messages[-1]["content"]
    assert solution.steps[0]["answers"] == [None, "6"]


async def test_no_answer_at_all_is_invalid_with_its_reason() -> None:
    _, solution, _ = await play(lambda r: RuntimeError("http 500"))
    assert (solution.text, solution.error) == ("", "http 500")


async def test_who_moderates_and_what_form_is_asked() -> None:
    params = Params.model_validate(
        {"n_agents": [3], "llm": {"coordinator": "chair", "executors": ["a", "b", "c"]}}
    )
    client, _, session = await play(table(lambda r: UNDECIDED), params)
    assert [r.model for r in client.requests] == ["a", "b", "chair"] * 3 + ["chair"] * 2
    assert [r.schema is not None for r in client.requests] == [False, False, True] * 3 + [False, True]
    assert sum(c.prompt_tokens for c in session.calls) == sum(
        len(m["content"].split()) for r in client.requests for m in r.messages
    )
    plain = Params.model_validate({"llm": {"structured": False}})
    client, _, _ = await play(table(lambda r: UNDECIDED), plain)
    assert all(r.schema is None for r in client.requests)


async def test_on_plans_the_moderator_returns_the_plan() -> None:
    plan = [{"days": 1, "current_city": "from A to B", **DAY}, {"days": 2, "current_city": "B", **DAY}]
    client, solution, _ = await play(table(lambda r: verdict(plan)), problem=PLAN)
    assert orjson.loads(solution.text) == plan
    assert client.requests[-1].sampling.max_tokens == Params().llm.max_tokens.plan
