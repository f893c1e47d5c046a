"""Tree of Thoughts: calls, messages, values, beam and choice of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from econ.methods.base import Session, Solution
from econ.methods.search.tot import ToTSettings, TreeOfThoughts
from econ.params import Params
from econ.records import Problem, Request
from tests.scripted import ScriptedClient

PROBLEM = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many?", gold="7")
OURS = ToTSettings(steps=5, samples=3, values=1, beam=3, max_calls=1000, max_tokens=10**6)


async def solve(client: ScriptedClient, settings: ToTSettings = OURS) -> Solution:
    return await TreeOfThoughts(settings).solve(Session(PROBLEM, client, Params(), 3, 0))


def script(think: Callable[[Request], Any], judge: Callable[[str], Any]) -> ScriptedClient:
    """``judge`` is told the solution so far."""

    def says(request: Request) -> Any:
        if request.role == "thinker":
            return think(request)
        return judge(request.messages[0]["content"].split("Solution so far:\n")[1].split("\n\n")[0])

    return ScriptedClient(says)


def place(request: Request) -> str:
    return f"step {request.round} of branch {request.agent}, draw {request.sample}"


def asked(client: ScriptedClient, role: str, round: int) -> list[Request]:
    return [r for r in client.requests if (r.role, r.round) == (role, round)]


async def test_without_answers_it_takes_the_39_generations_and_39_values_of_the_setting() -> None:
    client = script(place, lambda told: "likely")
    solution = await solve(client)
    for step, states in enumerate([1, 3, 3, 3, 3]):
        for role, per_state in (("thinker", 3), ("evaluator", 3)):
            assert len(asked(client, role, step)) == states * per_state
    assert len(client.requests) == TreeOfThoughts(OURS).max_calls == 78
    assert (solution.rounds, solution.stop) == (5, "last step")
    assert {r.sampling.temperature for r in client.requests} == {0.7}
    assert {r.sampling.max_tokens for r in client.requests} == {OURS.step_tokens, OURS.label_tokens}


async def test_the_best_states_are_kept_and_continued() -> None:
    def judge(told: str) -> str:
        return "sure" if told.endswith("draw 1") else "likely" if told.endswith("draw 2") else "impossible"

    client = script(place, judge)
    await solve(client, OURS.model_copy(update={"beam": 2, "steps": 3}))
    first, second = (
        next(r for r in asked(client, "thinker", 1) if (r.agent, r.sample) == (i, 0)) for i in range(2)
    )
    assert "step 0 of branch 0, draw 1\n" in first.messages[0]["content"]
    assert "step 0 of branch 0, draw 2\n" in second.messages[0]["content"]
    third = asked(client, "thinker", 2)[0].messages[0]["content"]
    assert "step 0 of branch 0, draw 1\nstep 1 of branch 0, draw 1\n" in third
    assert "Finish the solution" in third
    assert "Finish the solution" not in first.messages[0]["content"]


async def test_a_branch_ends_where_it_states_an_answer_and_all_ended_ends_the_search() -> None:
    client = script(lambda r: f"Final answer: {r.sample}", lambda told: "sure" if "2" in told else "likely")
    solution = await solve(client)
    assert len(client.requests) == 6
    assert (solution.text, solution.stop, solution.rounds) == ("Final answer: 2", "all branches answered", 1)


async def test_a_repeated_candidate_is_valued_once_and_is_worth_nothing() -> None:
    client = script(lambda r: "Add them.", lambda told: "sure")
    solution = await solve(client, OURS.model_copy(update={"steps": 1}))
    assert len(asked(client, "evaluator", 0)) == 1
    assert [state["value"] for state in solution.detail["tree"][1:]] == [20, 0, 0]
    assert solution.steps == ({"round": 0, "kept": [1, 2, 3]},)


async def test_judgements_are_summed() -> None:
    labels = ["I am sure", "Likely.", "impossible", "who knows", "unlikely"]
    client = ScriptedClient(lambda r: "Add." if r.role == "thinker" else labels[r.sample])
    solution = await solve(client, OURS.model_copy(update={"steps": 1, "samples": 1, "values": 5}))
    assert solution.detail["tree"][1]["value"] == pytest.approx(21.001)


@pytest.mark.parametrize(
    ("said", "labels", "answer"),
    [
        (["7", "8", "9"], ["likely", "sure", "likely"], "8"),  # the highest value
        (["7 a", "8", "8 a"], ["sure", "sure", "sure"], "8"),  # a tie: the majority of the tied
        (["7", "8", "9"], ["impossible", "likely", "likely"], "8"),  # a tie again: the earliest
    ],
)
async def test_the_highest_value_answers_and_ties_go_to_the_majority(
    said: list[str], labels: list[str], answer: str
) -> None:
    client = ScriptedClient(
        lambda r: f"Final answer: {said[r.sample]}" if r.role == "thinker" else labels[r.agent]
    )
    assert (await solve(client)).text == f"Final answer: {answer}"


async def test_a_finished_branch_outside_the_beam_still_answers_when_no_other_does() -> None:
    client = script(
        lambda r: "Final answer: 7" if (r.round, r.sample) == (0, 0) else place(r),
        lambda told: "impossible" if "Final" in told else "sure",
    )
    solution = await solve(client)
    assert (solution.text, solution.stop) == ("Final answer: 7", "last step")


async def test_with_no_branch_finished_the_best_state_is_what_there_is() -> None:
    client = script(
        lambda r: f"That makes {r.sample}", lambda told: "sure" if told.endswith("2") else "likely"
    )
    solution = await solve(client, OURS.model_copy(update={"steps": 2}))
    assert solution.error is None
    assert solution.text == "That makes 2\nThat makes 2"


async def test_a_bound_ends_the_search_with_the_best_so_far() -> None:
    client = script(lambda r: f"Final answer: {r.sample}" if r.sample else place(r), lambda told: "likely")
    solution = await solve(client, OURS.model_copy(update={"max_calls": 8}))
    assert (solution.stop, solution.text, len(client.requests)) == ("max_calls", "Final answer: 1", 8)
