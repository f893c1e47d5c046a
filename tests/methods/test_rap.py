"""RAP: calls, messages, rewards, tree policy and aggregation of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from econ.methods.base import Session, Solution
from econ.methods.search.rap import RAPSettings, ReasoningViaPlanning, is_overall, sub_answer, sub_question
from econ.params import Params
from econ.records import Problem, Request
from tests.scripted import ScriptedClient

PROBLEM = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many has he now?", gold="7")
PUBLIC = RAPSettings(
    iterations=10, depth=5, proposals=4, judgements=8, answers=8, max_calls=10_000, max_tokens=10**8
)
ONE = RAPSettings(
    iterations=1, depth=3, proposals=2, judgements=2, answers=4, max_calls=1000, max_tokens=10**6
)
Say = Callable[[Request], Any]


async def solve(client: ScriptedClient, settings: RAPSettings) -> Solution:
    return await ReasoningViaPlanning(settings).solve(Session(PROBLEM, client, Params(), 3, 0))


def script(
    ask: Say = lambda r: f"Q: What is {r.agent}.{r.sample}?",
    judge: Say = lambda r: "Yes.",
    answer: Say = lambda r: f"It is known. The answer is {r.agent}.",
) -> ScriptedClient:
    says = {"proposer": ask, "judge": judge, "answerer": answer}
    return ScriptedClient(lambda request: says[request.role](request))


def count(client: ScriptedClient, role: str) -> int:
    return sum(r.role == role for r in client.requests)


async def test_one_iteration_goes_down_to_the_overall_question() -> None:
    client = script()
    solution = await solve(client, ONE)
    # the root, and each node above the forced last question, propose 2; each proposal is judged twice
    assert count(client, "proposer") == 2 * 2
    assert count(client, "judge") == 2 * 4 + 2
    assert count(client, "answerer") == 3 * 2  # the first batch of two agrees
    assert {r.sampling.temperature for r in client.requests} == {0.8}
    assert {r.sampling.top_p for r in client.requests} == {0.95}
    assert solution.steps == ({"round": 0, "path": [1, 3, 5], "value": 1.0},)
    last = next(r for r in client.requests if r.role == "answerer" and r.agent == 5)
    assert last.messages[0]["content"].count("Problem:\n") == 1
    told = last.messages[0]["content"].split("Problem:\n")[1]
    assert told.startswith(
        f"{PROBLEM.prompt}\nQ1: What is 0.0?\nA1: It is known. The answer is 1.\n"
        "Q2: What is 1.0?\nA2: It is known. The answer is 3.\n"
        "Q3: Now we can answer: How many has he now?\n\nWrite only A3"
    )
    assert "one number without units" in told
    assert solution.text == "It is known. The answer is 5."


async def test_exemplars_stand_before_the_problem() -> None:
    for shown in (0, 4):
        client = script()
        await solve(client, ONE.model_copy(update={"exemplars": shown}))
        assert {r.messages[0]["content"].count("Example:\n") for r in client.requests} == {shown}


async def test_the_paths_of_the_public_setting_stay_below_its_bound() -> None:
    client = script(answer=lambda r: f"The answer is {r.seed}.")  # no two agree: all 8 are drawn
    await solve(client, PUBLIC)
    # 10 paths of at most 5 new nodes: 4 proposals, 4 x 8 yes/no samples, 8 answers (the last: 0, 8, 8)
    assert ReasoningViaPlanning(PUBLIC).max_calls == 10 * (4 * (4 + 32) + 8 + 5 * 8) == 1920
    assert 10 * 2 * 8 <= len(client.requests) <= 1920


async def test_equal_proposals_are_one_node() -> None:
    client = script(ask=lambda r: ["Q1: What?", "what?"][r.sample])
    solution = await solve(client, ONE)
    assert count(client, "judge") == 3 * 2
    assert [node["question"] for node in solution.detail["tree"]] == [
        "", "What?", "What?", "Now we can answer: How many has he now?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("drawn", "calls", "chosen", "confidence"),
    [
        ([7, 7], 2, 7, 1.0),
        ([7, 8, 9, 7], 4, 7, 0.5),
        ([7, 8, 8, 9], 4, 8, 0.5),
        ([7, 8, 9, 6], 4, 7, 0.25),
        ([7, 8, 8, 7], 4, 7, 0.5),
        (["?", 8], 2, 8, 0.5),
    ],
)
async def test_answers_are_drawn_by_two_until_one_has_half_and_is_alone(
    drawn: list[Any], calls: int, chosen: int, confidence: float
) -> None:
    client = script(answer=lambda r: f"The answer is {drawn[r.sample]}.")
    solution = await solve(client, ONE.model_copy(update={"depth": 1}))
    assert count(client, "answerer") == calls
    assert solution.text == f"The answer is {chosen}."
    assert solution.detail["tree"][1]["reward"] == pytest.approx(confidence**0.5, abs=1e-4)


async def test_the_reward_weighs_usefulness_and_confidence() -> None:
    client = script(
        judge=lambda r: "yes" if r.sample == 0 else "no", answer=lambda r: f"The answer is {r.sample}."
    )
    settings = ONE.model_copy(update={"depth": 1, "usefulness_weight": 0.8})
    solution = await solve(client, settings)
    assert solution.detail["tree"][1]["useful"] == 0.5
    assert solution.detail["tree"][1]["reward"] == pytest.approx(0.5**0.8 * 0.25**0.2, abs=1e-4)


async def test_a_path_backs_up_its_mean_rewards_and_a_node_is_worth_its_best() -> None:
    def judge(request: Request) -> str:
        return "no" if request.agent == 1 and request.sample % 2 else "yes"

    solution = await solve(script(judge=judge), ONE)
    rewards = {n["id"]: n["reward"] for n in solution.detail["tree"]}
    values = {n["id"]: n["value"] for n in solution.detail["tree"]}
    assert rewards[1] == rewards[5] == 1
    assert rewards[3] == pytest.approx(0.5**0.5, abs=1e-4)
    assert values[5] == 1
    assert values[3] == pytest.approx((1 + rewards[3]) / 2, abs=1e-4)
    assert values[1] == pytest.approx((2 + rewards[3]) / 3, abs=1e-4)
    assert [n["visits"] for n in solution.detail["tree"]] == [1, 1, 0, 1, 0, 1]


async def test_the_search_follows_uct() -> None:
    """A first path that disappoints: the second takes the sibling, whose quick reward is then the larger."""

    def answer(request: Request) -> str:
        return f"The answer is {request.sample if request.agent == 1 else 7}."

    settings = ONE.model_copy(update={"iterations": 2, "depth": 2})
    solution = await solve(script(answer=answer), settings)
    assert [step["path"][0] for step in solution.steps] == [1, 2]


async def test_the_models_own_overall_question_ends_a_path() -> None:
    client = script(ask=lambda r: "Now we can answer the question: How many apples?")
    solution = await solve(client, PUBLIC.model_copy(update={"iterations": 1}))
    assert solution.steps[0]["path"] == [1]
    assert count(client, "answerer") == 2


async def test_an_answer_collects_the_rewards_of_its_edges_once() -> None:
    """Two ends that say 8 below one node of small reward lose to one end that says 7 on a better path."""

    def ask(request: Request) -> str:
        return (
            f"What is {request.agent}.{request.sample}?"
            if request.agent == 0
            else f"Now we can answer: {request.sample}"
        )

    def answer(request: Request) -> str:
        return f"The answer is {7 if request.agent in (3, 4) else 8}."

    settings = ONE.model_copy(update={"iterations": 8, "depth": 3})
    solution = await solve(script(ask=ask, answer=answer), settings)
    tree = {n["id"]: n for n in solution.detail["tree"]}
    by_answer: dict[str, set[int]] = {}
    for node in tree.values():
        if node["question"].startswith("Now") and node["answer"]:
            by_answer.setdefault(node["answer"], set()).update({node["id"], node["parent"]})
    sums = {text: sum(tree[i]["reward"] for i in edges) for text, edges in by_answer.items()}
    assert len(sums) == 2
    assert sorted(solution.detail["sums"].values()) == pytest.approx(sorted(sums.values()), abs=1e-3)
    assert solution.text == max(sums, key=lambda text: sums[text])


async def test_without_a_final_answer_the_deepest_sub_answer_is_what_there_is() -> None:
    client = script()
    solution = await solve(client, ONE.model_copy(update={"max_calls": 10}))
    assert (solution.stop, solution.text) == ("max_calls", "It is known. The answer is 1.")


def test_what_the_model_wrote_is_read_without_its_labels() -> None:
    assert sub_question("Q2: How many?\nA2: 3") == "How many?"
    assert sub_question("How many?") == "How many?"
    assert sub_answer("A1: 3 + 4 = 7. The answer is 7.\nQ2: And?") == "3 + 4 = 7. The answer is 7."
    assert sub_answer("Apples: 7.") == "Apples: 7."
    assert is_overall("how many has he now?", PROBLEM.prompt)
    assert not is_overall("How many had he?", PROBLEM.prompt)
