"""rStar: actions, calls, values, tree policy, discriminator and score of the protocol."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from econ.methods.base import Session, Solution
from econ.methods.search.discriminator import Candidate, beginning, scores
from econ.methods.search.rstar import ALLOWED, MutualReasoning, RStarSettings
from econ.params import Params
from econ.records import Problem, Request
from tests.scripted import ScriptedClient

PROBLEM = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many has he now?", gold="7")
FREE: dict[str, Any] = {"max_calls": 10_000, "max_tokens": 10**8}
PUBLIC = RStarSettings(rollouts=16, depth=5, thoughts=3, completions=32, questions=3, answers=10, **FREE)
SMALL = RStarSettings(rollouts=8, depth=5, thoughts=3, completions=8, questions=3, answers=4, **FREE)


async def solve(client: ScriptedClient, settings: RStarSettings, seed: int = 0) -> Solution:
    return await MutualReasoning(settings).solve(Session(PROBLEM, client, Params(), 3, seed))


def script(**says: Any) -> ScriptedClient:
    """What each role says, as a text or a function of the request."""
    lines: dict[str, Any] = {
        "thinker": lambda r: f"Thought {r.agent}.{r.sample}.",
        "solver": "So it is. Final answer: 7",
        "proposer": lambda r: f"Q: What is {r.agent}.{r.sample}?",
        "answerer": "It is 3. The answer is 3.",
        "reviser": "It is 4. The answer is 4.",
        "rephraser": "Given: 3 apples and 4. Wanted: all.",
        "discriminator": "Final answer: 7",
        **says,
    }

    def say(request: Request) -> Any:
        said = lines[request.role]
        return said(request) if callable(said) else said

    return ScriptedClient(say)


def calls(client: ScriptedClient, **where: Any) -> Counter[str]:
    return Counter(
        r.role for r in client.requests if all(getattr(r, key) == value for key, value in where.items())
    )


def shown(request: Request) -> str:
    """The prompt from the problem on, without the examples."""
    return request.messages[0]["content"].split("Problem:\n")[1]


async def test_the_root_takes_the_calls_of_the_public_setting() -> None:
    client = script()
    await solve(client, PUBLIC.model_copy(update={"rollouts": 1, "depth": 1}))
    assert calls(client) == {"thinker": 3, "solver": 32, "proposer": 3, "answerer": 30, "rephraser": 1}
    assert {(r.sampling.temperature, r.sampling.top_p) for r in client.requests} == {(0.8, 0.95)}


async def test_each_node_takes_the_actions_that_may_follow_it() -> None:
    seen: set[str] = set()
    for seed in range(6):
        client = script()
        solution = await solve(client, SMALL, seed)
        tree = {node["id"]: node for node in solution.detail["tree"]}
        children: dict[int, Counter[str]] = {}
        for node in tree.values():
            if node["parent"] is not None:
                children.setdefault(node["parent"], Counter())[node["action"]] += 1
        for parent, actions in children.items():
            action = tree[parent]["action"]
            expected = {"A1": 3, "A2": 1, "A3": 3, "A4": 1, "A5": 1}
            assert actions == {name: expected[name] for name in ALLOWED[action]}
            seen.add(action)
    assert seen == {"root", "A1", "A3", "A4", "A5"}


async def test_what_a_node_is_shown_is_its_path() -> None:
    client = script(solver=lambda r: f"Final answer: {r.seed}", discriminator="I cannot say")
    for seed in range(6):
        await solve(client, SMALL, seed)
    told = [shown(r) for r in client.requests if r.role == "solver"]
    assert any(
        "\n\nIn other words: Given: 3 apples and 4. Wanted: all.\n\nSolve the problem" in t for t in told
    )
    assert any(
        "Solution so far:\nQ1: What is 0.0?\nA1: It is 3. The answer is 3.\n\nFinish" in t for t in told
    )
    assert any("A1: It is 4. The answer is 4.\n\nFinish" in t for t in told)  # answered again
    assert any("The answer is 3.\nThought" in t for t in told)
    again = next(shown(r) for r in client.requests if r.role == "reviser")
    assert "A1: " not in again
    assert "Q1: What is 0." in again


async def test_a_solutions_text_is_the_first_of_the_largest_group_and_its_value_the_share() -> None:
    said = ["Final answer: 8", "a. Final answer: 7", "who knows", "b. Final answer: 7"]
    client = script(solver=lambda r: said[r.sample])
    settings = SMALL.model_copy(update={"rollouts": 1, "depth": 1, "completions": 4})
    solution = await solve(client, settings)
    [node] = [node for node in solution.detail["tree"] if node["action"] == "A2"]
    assert (node["text"], node["value"]) == ("a. Final answer: 7", 0.5)
    assert solution.text == "a. Final answer: 7"


async def test_the_problems_own_question_ends_a_path_and_draws_as_many_answers_as_a_solution() -> None:
    client = script(
        proposer="Now we can answer: How many has he now?",
        answerer=lambda r: f"The answer is {r.sample % 2}.",
    )
    settings = SMALL.model_copy(update={"rollouts": 1, "depth": 1, "questions": 1})
    solution = await solve(client, settings)
    assert calls(client)["answerer"] == 8
    [trace] = [t for t in solution.steps[-1]["traces"] if t["answer"] == "0"]
    node = solution.detail["tree"][trace["id"]]
    assert (node["action"], node["value"]) == ("A3", 0.5)


async def test_a_roll_out_ends_at_an_answer_or_at_the_depth_limit_and_its_reward_goes_up_the_path() -> None:
    client = script(solver=lambda r: f"Final answer: {[7, 7, 7, 8][r.sample % 4]}")
    solution = await solve(client, SMALL)
    tree = solution.detail["tree"]
    roll_outs = [step for step in solution.steps if "path" in step]
    assert len(roll_outs) == 8
    for step in roll_outs:
        last = tree[step["path"][-1]]
        solved = last["action"] == "A2"
        assert solved or len(step["path"]) == 5
        assert step["reward"] == (0.75 if solved else 0)
    for node in tree:
        through = [s for s in roll_outs if node["id"] == 0 or node["id"] in s["path"]]
        assert node["visits"] == len(through)
        assert node["total"] == sum(s["reward"] for s in through)


async def test_unexplored_children_come_first_and_then_uct() -> None:
    settings = SMALL.model_copy(update={"rollouts": 12, "depth": 1, "exploration": 0.1})
    solution = await solve(script(), settings)
    firsts = [step["path"][0] for step in solution.steps if "path" in step]
    children = [node["id"] for node in solution.detail["tree"][1:]]
    assert sorted(firsts[: len(children)]) == children
    [solved] = [node["id"] for node in solution.detail["tree"] if node["action"] == "A2"]
    assert set(firsts[len(children) :]) == {solved}  # the only one with a reward


async def test_one_answer_alone_needs_no_discriminator() -> None:
    client = script()
    solution = await solve(client, SMALL)
    assert calls(client)["discriminator"] == 0
    assert solution.detail["scores"] == {"7": 2}


async def test_the_discriminator_completes_four_beginnings_of_every_trace() -> None:
    solver = " ".join(f"w{i}" for i in range(16))
    client = script(solver=lambda r: f"{solver} Final answer: {7 if r.agent else 8}")
    solution = await solve(client, SMALL.model_copy(update={"rollouts": 1}), seed=1)
    asked = [r for r in client.requests if r.role == "discriminator"]
    traces = solution.steps[-1]["traces"]
    assert len(asked) == 4 * len(traces) > 4
    assert {r.sampling.temperature for r in asked} == {1.0}
    first = [shown(r).split("Solution so far:\n")[1].split("\n\n")[0].split() for r in asked[:4]]
    assert [len(words) for words in first] == [3, 5, 7, 9]  # of 19: 20, 30, 40, 50 %
    kept = {t["answer"]: (t["reached"], t["kept"]) for t in traces}
    assert kept == {"8": (0, False), "7": (4, True)}
    assert solution.text.endswith("Final answer: 7")


@pytest.mark.parametrize(("agree", "kept"), [(1, False), (2, True)])
async def test_two_of_four_completions_must_reach_the_answer(agree: int, kept: bool) -> None:
    def completes(request: Request) -> str:
        return "Final answer: 8" if request.sample < agree else "Final answer: 1"

    client = script(solver=lambda r: f"Final answer: {7 if r.agent else 8}", discriminator=completes)
    solution = await solve(client, SMALL.model_copy(update={"rollouts": 1}), seed=1)
    assert {t["kept"] for t in solution.steps[-1]["traces"] if t["answer"] == "8"} == {kept}


def test_an_answers_score_is_its_share_of_kept_traces_and_the_kept_share_of_its_own() -> None:
    def traces(*rows: tuple[str, int, bool]) -> list[Candidate]:
        return [Candidate(i, "", answer, count, 0, kept) for i, (answer, count, kept) in enumerate(rows)]

    judged = traces(("7", 1, True), ("8", 3, True), ("8", 2, False), ("7", 1, True), ("9", 4, False))
    groups = [[0, 3], [1, 2], [4]]
    assert scores(judged, groups) == pytest.approx([2 / 5 + 1, 3 / 5 + 3 / 5, 0])
    filtered = traces(("7", 1, False), ("8", 3, False))
    assert scores(filtered, [[0], [1]]) == [0.25, 0.75]


async def test_with_every_trace_dropped_the_largest_group_answers() -> None:
    client = script(solver=lambda r: f"Final answer: {7 if r.agent else 8}", discriminator="Final answer: 1")
    solution = await solve(client, SMALL)
    assert not any(t["kept"] for t in solution.steps[-1]["traces"])
    assert solution.text == "Final answer: 7"


async def test_the_generator_leaves_the_discriminator_its_share_of_the_bounds() -> None:
    client = script(solver=lambda r: f"Final answer: {7 if r.agent else 8}")
    settings = SMALL.model_copy(update={"max_calls": 100, "verify_share": 0.3})
    solution = await solve(client, settings, seed=1)
    made = calls(client)
    assert (sum(made.values()) - made["discriminator"], made["discriminator"]) == (70, 4 * 3)
    assert len(solution.steps[-1]["traces"]) == 3
    assert solution.stop == "max_calls"


def test_a_beginning_keeps_its_white_space_and_at_least_a_word() -> None:
    assert beginning("one two\nthree four", 0.75) == "one two\nthree"
    assert beginning("one two", 0.2) == "one"
