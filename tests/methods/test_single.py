"""The single-model methods and mixture-of-agents: exactly their protocols' calls, messages and choice."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from econ import prompts
from econ.methods.base import Session, Solution
from econ.methods.registry import baseline
from econ.params import Params
from econ.playing import play
from econ.records import Job, Problem, Request, Trace
from econ.reporting.metrics import summarise
from tests.scripted import Script, ScriptedClient, params_of

PROBLEM = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many?", gold="7")
PLAN = Problem("t1", "travelplanner", "Plan one day in Easton.", gold=None, kind="plan")
FAILURE = RuntimeError("timeout")


async def solve(
    method: str, script: Script, problem: Problem = PROBLEM, n_agents: int = 3, **params: object
) -> tuple[Solution, list[Request]]:
    client, settings = ScriptedClient(script), params_of(**params)
    session = Session(problem, client, settings, n_agents, seed=0)
    solution = await baseline(method, settings, problem.benchmark).solve(session)
    return solution, client.requests


def says(*answers: str | None) -> Callable[[Request], str | Exception]:
    """Sample by sample: "7" is an answer, "" cannot be read, None is a failed call."""

    def script(request: Request) -> str | Exception:
        answer = answers[request.sample]
        if answer is None:
            return FAILURE
        return f"Sample {request.sample}. Final answer: {answer}" if answer else "I cannot say"

    return script


# --- one call -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "prompt"),
    [("direct", prompts.direct), ("cot", prompts.cot), ("few-shot-cot", prompts.few_shot)],
)
async def test_one_greedy_call_with_the_methods_prompt(method: str, prompt: Callable[..., object]) -> None:
    solution, [request] = await solve(method, lambda r: "Final answer: 7")
    assert (request.role, request.sampling.temperature, request.sample) == ("solver", 0, 0)
    assert list(request.messages) == prompt(PROBLEM.prompt, "number", Params().llm.max_tokens.answer)
    assert (solution.text, solution.rounds) == ("Final answer: 7", 1)


@pytest.mark.parametrize("kind", ["number", "math", "yesno", "plan"])
def test_direct_asks_for_no_reasoning(kind: prompts.Kind) -> None:
    [message] = prompts.direct("What now?", kind, 48)
    assert message["content"].startswith("Problem:\nWhat now?")
    assert "without reasoning" in message["content"]
    assert "step by step" not in message["content"]
    assert ("Final answer" in message["content"]) == (kind != "plan")


async def test_a_failed_call_is_invalid() -> None:
    solution, _ = await solve("direct", lambda r: FAILURE)
    assert solution.error == "timeout"


# --- self-consistency -----------------------------------------------------------------------------------


async def test_self_consistency_is_k_samples_of_the_zero_shot_prompt() -> None:
    _, requests = await solve("self-consistency", says(*"12345"), self_consistency={"k": 5})
    assert sorted(r.sample for r in requests) == [0, 1, 2, 3, 4]
    assert {(r.role, r.agent, r.round) for r in requests} == {("solver", 0, 0)}
    assert {(r.sampling.temperature, r.sampling.top_p) for r in requests} == {(0.7, 1.0)}
    assert len({r.seed for r in requests}) == 5
    asked = prompts.cot(PROBLEM.prompt, "number", Params().llm.max_tokens.answer)
    assert all(list(r.messages) == asked for r in requests)


async def test_self_consistency_can_take_the_few_shot_prompt() -> None:
    own = {"k": 2, "prompt": "few-shot"}
    _, requests = await solve("self-consistency", says("1", "1"), self_consistency=own)
    assert {len(r.messages) for r in requests} == {17}


@pytest.mark.parametrize(
    ("answers", "winner"),
    [
        (("5", "7", "7.0"), "7"),
        (("5", "7", "7", "5"), "5"),  # a tie: the answer with the earliest sample
        (("", "7", None), "7"),
        (("4", "", "", ""), "4"),  # unreadable answers have no vote
    ],
)
async def test_the_majority_answers(answers: tuple[str | None, ...], winner: str) -> None:
    solution, _ = await solve("self-consistency", says(*answers), self_consistency={"k": len(answers)})
    assert solution.error is None
    assert solution.text.endswith(f"Final answer: {winner}")


async def test_no_votes_is_invalid_with_the_reason() -> None:
    solution, _ = await solve("self-consistency", says(None, None), self_consistency={"k": 2})
    assert (solution.text, solution.error) == ("", "timeout")
    solution, _ = await solve("self-consistency", says("", ""), self_consistency={"k": 2})
    assert solution.error == "no readable answer"


async def traces_of(method: str, script: Script, problems: list[Problem], **params: object) -> list[Trace]:
    settings = params_of(**params)
    job = Job("svamp", method, 3, 0)
    return await play(baseline(method, settings, "svamp"), problems, ScriptedClient(script), settings, job)


async def test_every_smaller_k_is_what_a_run_with_that_k_gives() -> None:
    problems = [Problem(f"p{i}", "svamp", f"What is {i} plus 1?", gold=str(i + 1)) for i in range(5)]

    def script(request: Request) -> str | Exception:
        draw = request.seed % 5
        number = int(request.messages[0]["content"].split("What is ")[1].split()[0])
        said = ["I cannot say", f"Final answer: {number + 1}", f"So the Final answer: {number}"]
        return FAILURE if draw == 4 else said[min(draw, 2)]

    whole = await traces_of("self-consistency", script, problems, self_consistency={"k": 7})
    curve = summarise(whole, {}, Params())["points"]
    assert [row["k"] for row in curve] == list(range(1, 8))
    assert len({row["correct"] for row in curve}) > 1
    for row in curve:
        short = await traces_of("self-consistency", script, problems, self_consistency={"k": row["k"]})
        alone = summarise(short, {}, Params())
        shared = {
            key: row[key]
            for key in row
            if key not in ("k", "unit") and not key.startswith("prompt_tokens_once")
        }
        assert shared == {key: alone[key] for key in shared}
        assert row["prompt_tokens_once_per_problem"] == alone["prompt_tokens_once"] / len(problems)
        assert [t.detail["first_k"]["correct"][-1] for t in short] == [t.correct for t in short]


async def test_tokens_add_up_and_the_prompt_is_also_counted_once() -> None:
    [trace] = await traces_of("self-consistency", says("7", "7", "7"), [PROBLEM], self_consistency={"k": 3})
    metrics = summarise([trace], {}, Params())
    assert metrics["calls"] == 3
    assert metrics["prompt_tokens"] == 3 * metrics["prompt_tokens_once"] == 3 * trace.calls[0].prompt_tokens
    assert metrics["completion_tokens"] == sum(trace.steps[0]["completion_tokens"])


def day(city: str, lunch: str = "Deli, Easton") -> str:
    empty = dict.fromkeys(prompts.CONTENT_KEYS, "-")
    return orjson.dumps([{"days": 1, **empty, "current_city": city, "lunch": lunch}]).decode()


async def test_plans_vote_by_agreement_of_their_cells() -> None:
    plans = [day("Weston"), day("Easton", "Bar, Easton"), day("Easton"), "no plan"]
    solution, _ = await solve("self-consistency", lambda r: plans[r.sample], PLAN, self_consistency={"k": 4})
    assert solution.text == plans[2]
    assert solution.firsts == (plans[0], plans[0], plans[2], plans[2])


# --- best of n ------------------------------------------------------------------------------------------


def chooses(choice: str | Exception, *answers: str | None) -> Script:
    return lambda r: choice if r.role == "selector" else says(*answers)(r)


@pytest.mark.parametrize(
    "choice", ["{'choice': '2'}", 'Not {1}. {"choice": 1} no: {"Choice": 2}', '{"choice": 2, "re']
)
async def test_a_choice_written_loosely_is_one(choice: str) -> None:
    solution, _ = await solve("best-of-n", chooses(choice, "5", "6", "5"))
    assert (solution.text, solution.stop) == ("Sample 1. Final answer: 6", "chosen")


async def test_best_of_n_draws_self_consistencys_samples_and_asks_the_coordinator() -> None:
    models = {"coordinator": "big", "executors": ["small"]}
    script = chooses('{"choice": 2}', "1", "2", "3")
    solution, requests = await solve("best-of-n", script, llm=models)
    _, samples = await solve("self-consistency", script, llm=models, self_consistency={"k": 3})
    assert requests[:3] == samples
    selector = requests[3]
    assert len(requests) == 4
    assert (selector.role, selector.model, selector.sampling.temperature) == ("selector", "big", 0)
    [message] = selector.messages
    places = [message["content"].index(f"Answer {i}: Sample {i - 1}.") for i in (1, 2, 3)]
    assert places == sorted(places)
    assert selector.schema is not None
    assert selector.schema["properties"]["choice"]["enum"] == [1, 2, 3]
    assert solution.text == "Sample 1. Final answer: 2"
    assert solution.stop == "chosen"


@pytest.mark.parametrize(
    "choice",
    [
        '{"choice": 0}',
        '{"choice": 4}',
        '{"choice": "two"}',
        '{"choice": true}',
        "Answer 3",
        "",
        FAILURE,
        '{"choice": 3}',
    ],
)
async def test_a_choice_of_no_answer_leaves_it_to_the_majority(choice: str | Exception) -> None:
    solution, _ = await solve("best-of-n", chooses(choice, "5", "6", None))
    assert solution.text == "Sample 0. Final answer: 5"
    assert solution.stop == "majority: no valid choice"


@pytest.mark.parametrize("answers", [("7",), (None, "7", None)])
async def test_one_answer_needs_no_choice(answers: tuple[str | None, ...]) -> None:
    solution, requests = await solve("best-of-n", says(*answers), n_agents=len(answers))
    assert {r.role for r in requests} == {"solver"}
    assert solution.text.endswith("Final answer: 7")


async def test_best_of_no_answers_is_invalid() -> None:
    solution, _ = await solve("best-of-n", says(None, None, None))
    assert (solution.text, solution.error) == ("", "timeout")


async def test_the_coordinator_picks_a_plan() -> None:
    plans = [day("Weston"), day("Easton"), day("Easton")]
    solution, _ = await solve(
        "best-of-n", lambda r: '{"choice": 1}' if r.role == "selector" else plans[r.sample], PLAN
    )
    assert solution.text == plans[0]


# --- mixture-of-agents ----------------------------------------------------------------------------------


def speaks(request: Request) -> str:
    return f"{request.role} {request.agent} of layer {request.round}. Final answer: {request.agent}"


@pytest.mark.parametrize(("layers", "n_agents"), [(2, 3), (3, 3), (3, 6), (2, 1)])
async def test_n_proposers_a_layer_and_one_aggregator(layers: int, n_agents: int) -> None:
    solution, requests = await solve("moa", speaks, n_agents=n_agents, moa={"layers": layers})
    assert [(r.role, r.round, r.agent) for r in requests] == [
        *(("proposer", layer, agent) for layer in range(layers - 1) for agent in range(n_agents)),
        ("aggregator", layers - 1, 0),
    ]
    assert {r.sampling.temperature for r in requests} == {0.7}
    assert len({r.seed for r in requests}) == n_agents * (layers - 1) + 1
    assert solution.text == f"aggregator 0 of layer {layers - 1}. Final answer: 0"
    assert solution.rounds == layers


async def test_a_layer_reads_all_answers_of_the_one_before_and_of_no_other() -> None:
    models = {"coordinator": "big", "executors": ["small"]}
    _, requests = await solve("moa", speaks, moa={"layers": 3}, llm=models)
    asked = prompts.cot(PROBLEM.prompt, "number", Params().llm.max_tokens.answer)
    for request in requests:
        if request.round == 0:
            assert list(request.messages) == asked
            continue
        system, user = request.messages
        assert (system["role"], [user]) == ("system", asked)
        seen = [f"Answer {i + 1}: proposer {i} of layer {request.round - 1}." for i in range(3)]
        places = [system["content"].index(text) for text in seen]
        assert places == sorted(places)
        assert system["content"].count("of layer") == 3
    assert {(r.role, r.model) for r in requests} == {("proposer", "small"), ("aggregator", "big")}


async def test_a_failed_proposer_is_shown_to_nobody() -> None:
    _, requests = await solve("moa", lambda r: FAILURE if r.agent == 1 else speaks(r))
    shown = requests[-1].messages[0]["content"]
    assert "Answer 2: proposer 2" in shown
    assert "Answer 3" not in shown


async def test_the_aggregator_answers_alone_where_nobody_else_did() -> None:
    solution, requests = await solve("moa", lambda r: FAILURE if r.role == "proposer" else speaks(r))
    assert [m["role"] for m in requests[-1].messages] == ["user"]
    assert solution.error is None
    solution, _ = await solve("moa", lambda r: FAILURE)
    assert solution.error == "timeout"


# --- settings that make no sense ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {"self_consistency": {"k": 0}},
        {"moa": {"layers": 1}},
        {"best_of_n": {"temperature": -1}},
        {"n_agents": [0]},
        {"self_consistency": {"prompt": "two-shot"}},
    ],
)
def test_impossible_settings_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"greater than|Input should be"):
        params_of(**params)
